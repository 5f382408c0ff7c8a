"""The living design page: the same macros and fragments as the product, with every component in both themes."""

from fastapi import APIRouter
from fastapi.responses import Response

from web.pages.specimens import specimens
from web.viewer import CurrentVisit

router = APIRouter()


@router.get("/design")
def show_design(visit: CurrentVisit) -> Response:
    return visit.page("design/index.html", **specimens(visit.words))
