"""The living design page: the same macros and fragments as the product, with every component in both themes."""

import re

from fastapi import APIRouter
from fastapi.responses import Response

from web import inbox_view
from web.assets import STATIC
from web.pages.specimens import specimens
from web.viewer import CurrentReader

router = APIRouter()


@router.get("/design")
async def show_design(reader: CurrentReader) -> Response:
    return reader.page(
        "design/index.html",
        halves=[specimens(theme, reader.words) for theme in ("light", "dark")],
        icons=re.findall(r'<symbol id="([a-z0-9]+)"', (STATIC / "icons.svg").read_text()),
        snooze_choices=inbox_view.snooze_choices(reader.words),
        folder="mine",
        conversation_id="",
    )
