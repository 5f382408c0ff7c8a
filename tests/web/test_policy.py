"""The matrix on one page: an administrator makes a cell stricter, and sees who did."""

from core.db import Database
from core.principal import Principal
from crm.bidi.models import Autonomy
from crm.policy.matrix import MATRIX
from crm.policy.models import Decision
from crm.policy.queries import get_overrides
from tests.web.conftest import Browser
from web.pages.policy import RULES


async def test_a_cell_is_made_stricter(browser: Browser, database: Database, organization: Principal) -> None:
    answer = await browser.post("/policy", rule="write", suggest="ask", assist="ask")
    page = (await browser.get("/policy")).text

    assert (answer.status_code, answer.headers["Location"]) == (303, "/policy#write")
    assert "Changed here" in page
    async with database.transaction(organization, "test") as tx:
        assert await get_overrides(tx) == {("write", Autonomy.ASSIST): Decision.ASK}


async def test_what_is_not_offered_is_refused_with_the_page(browser: Browser) -> None:
    answer = await browser.post("/policy", rule="send_new", autopilot="allow")

    assert answer.status_code == 422
    assert "choose one of what the page offers" in answer.text


def test_every_rule_of_the_matrix_is_told_in_words() -> None:
    assert RULES.keys() == {rule.name for rule in MATRIX}
