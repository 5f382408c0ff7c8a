"""A page and its live updates leave no gap between them."""

import re

import pytest

from core.db import Database, Tx
from core.principal import Principal
from crm.conversations.inbox import latest_event_id
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask
from tests.web.conftest import Browser
from web import activities_view
from web.i18n import Words


async def test_what_is_committed_while_a_page_is_put_together_comes_to_it_live(
    browser: Browser, database: Database, organization: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = activities_view.load_tasks

    async def load_and_be_late(tx: Tx, words: Words, person: str) -> activities_view.TaskBoard:
        board = await load(tx, words, person)
        async with database.transaction(organization, "test") as other:
            await create_task(other, NewTask("Committed meanwhile"))
        return board

    monkeypatch.setattr(activities_view, "load_tasks", load_and_be_late)
    page = (await browser.get("/tasks")).text
    async with database.transaction(organization, "test") as tx:
        latest = await latest_event_id(tx)

    known = re.search(r"/live/changes\?after=([0-9a-f-]*)", page)
    assert "Committed meanwhile" not in page
    assert known is not None
    assert known[1] != str(latest)
