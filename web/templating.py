"""The template environments, one per language, and what every template can say."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments import render_block

from core import jsons
from web import assets, i18n, phrases, refusals

TEMPLATES = Path(__file__).parent / "templates"
# No eval, no injected style, no history copies of pages in the browser's storage: the policy forbids or we do not want.
HTMX = {
    "includeIndicatorStyles": False,
    "allowEval": False,
    "selfRequestsOnly": True,
    "historyCacheSize": 0,
    "refreshOnHistoryMiss": True,
    "scrollBehavior": "instant",
    # What came takes clicks as soon as it is seen: until it settles, its links lead away as without scripts.
    "defaultSettleDelay": 0,
    "responseHandling": [
        {"code": "204", "swap": False},
        {"code": "[234]..", "swap": True},
        {"code": "5..", "swap": True, "error": True},
    ],
}

# What a page says only sometimes: out-of-band fragments, an open editor with its text, what was refused.
DEFAULTS: dict[str, Any] = {
    "oob": False,
    "in_folder": True,
    "editor": "",
    "notice": "",
    "toast": "",
    "undo": "",
    "composer": False,
    "queue_href": "",
    "place": "",
    "back": "",
    "is_live": False,
    "is_refused": False,
    "editor_text": None,
    "feedback_text": "",
    "composer_text": "",
    "composer_error": "",
    "question": "",
    "found": None,
    "edited_id": None,
    "error": "",
    "text": "",
    "said": "",
    "status_before": "",
}


@lru_cache
def environment(locale: str) -> Environment:
    """Templates in one language. Undefined names are errors, except where a template tests for them."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_gettext_translations(i18n.translations(locale), newstyle=True)  # type: ignore[attr-defined]
    env.filters.update(phrases.FILTERS, in_words=refusals.in_words)
    env.globals.update(static=assets.url, htmx_config=jsons.dumps(HTMX), **DEFAULTS)
    return env


def render(locale: str, template: str, context: dict[str, Any]) -> str:
    return environment(locale).get_template(template).render(context)


def render_part(locale: str, template: str, block: str, context: dict[str, Any]) -> str:
    """One block of a page, exactly as it stands in the page."""
    return render_block(environment(locale), template, block, context)
