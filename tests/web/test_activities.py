"""Tasks, meetings, notes and files on pages, as a browser without scripts and as htmx use them."""

import re
from datetime import timedelta
from uuid import UUID

import httpx2
import pytest

from core import clock
from core.addresses import Reach
from core.db import Database
from core.envelopes import Keyring
from core.ids import uuid7
from core.principal import Principal
from core.settings import Settings
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.meetings.actions import create_meeting
from crm.meetings.models import NewMeeting
from crm.notifications.actions import tell_of_task, tell_of_webhook
from crm.notifications.models import NotificationKind
from crm.records.models import RecordRef
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask, Task
from crm.webhooks.actions import create_webhook
from crm.webhooks.models import NewWebhook
from events.ids import RecordKind
from tests.web.conftest import Browser

HTMX = {"HX-Request": "true"}


@pytest.fixture
async def anna(database: Database, organization: Principal) -> UUID:
    async with database.transaction(organization, "test") as tx:
        return (await create_contact(tx, NewContact("Anna"))).id


@pytest.fixture
async def task(database: Database, organization: Principal, anna: UUID) -> Task:
    """Overdue since yesterday, and told of."""
    async with database.transaction(organization, "test") as tx:
        about = RecordRef(RecordKind.CONTACT, anna)
        made = await create_task(tx, NewTask("Call Anna", about, due_at=clock.now() - timedelta(days=1)))
        await tell_of_task(tx, made.id, NotificationKind.TASK_DUE, uuid7())
    return made


async def _id(answer: httpx2.Response, prefix: str) -> str:
    found = re.search(rf'id="{prefix}-([0-9a-f-]{{36}})"', answer.text)
    assert found, answer.text
    return found.group(1)


async def test_a_task_is_completed_without_a_script_and_the_page_offers_the_way_back(
    browser: Browser, task: Task
) -> None:
    before = await browser.get("/tasks")
    answer = await browser.post(f"/tasks/{task.id}/completion", person="mine")
    after = await browser.get(answer.headers["Location"])
    await browser.post(f"/tasks/{task.id}/reopening", person="mine")

    assert "Overdue" in before.text
    assert f'id="task-{task.id}"' in before.text
    assert f'id="task-{task.id}"' not in after.text
    assert f'action="/tasks/{task.id}/reopening"' in after.text
    assert f'id="task-{task.id}"' in (await browser.get("/tasks")).text


async def test_htmx_gets_the_list_and_a_toast_that_undoes(browser: Browser, task: Task) -> None:
    answer = await browser.post(f"/tasks/{task.id}/completion", person="mine", headers=HTMX)

    assert answer.text.lstrip().startswith('<div id="tasks"')
    assert 'data-verb="undo"' in answer.text
    assert "<html" not in answer.text


async def test_a_task_without_a_title_is_refused_and_nothing_is_lost(browser: Browser) -> None:
    answer = await browser.post("/tasks", title=" ", due="2026-13-45", person="all")

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


async def test_an_edit_of_an_older_version_is_refused(browser: Browser, task: Task) -> None:
    answers = [
        await browser.post(
            f"/tasks/{task.id}/revisions", version="1", title=title, assignee=str(task.assignee_id)
        )
        for title in ("Write to Anna", "Other")
    ]

    assert [answer.status_code for answer in answers] == [303, 412]
    assert "Write to Anna" in answers[1].text


async def test_the_bell_counts_and_reading_leads_to_the_task(browser: Browser, task: Task) -> None:
    page = await browser.get("/notifications")
    answer = await browser.post(f"/notifications/{await _id(page, 'notification')}/reading")
    bell = await browser.get("/notifications/bell")

    assert 'class="nav-count"' in page.text.split('id="bell"')[1].split("</a>")[0]
    assert answer.headers["Location"] == f"/tasks/{task.id}"
    assert "nav-count" not in bell.text


async def test_a_meeting_is_added_and_marked_as_held(
    browser: Browser, database: Database, organization: Principal
) -> None:
    starts_at = clock.now() - timedelta(hours=2)
    async with database.transaction(organization, "test") as tx:
        past = await create_meeting(tx, NewMeeting("Demo", starts_at, starts_at + timedelta(hours=1)))
    day = f"{starts_at:%Y-%m-%d}"

    added = await browser.post("/meetings", title="Call", starts=f"{day}T09:00", view="day")
    refused = await browser.post("/meetings", title="Call", starts="never", view="day")
    page = await browser.get(added.headers["Location"])
    held = await browser.post(f"/meetings/{past.id}/status", status="held", on=day, view="day", headers=HTMX)

    assert refused.status_code == 422
    assert "Call" in page.text
    assert f'action="/meetings/{past.id}/status"' in page.text
    assert "Held" in held.text


async def test_a_note_is_written_edited_removed_and_brought_back(browser: Browser, anna: UUID) -> None:
    place = f"/records/contact/{anna}/notes"
    await browser.post(place, body="Likes tea <b>")
    page = await browser.get(place)
    note_id = await _id(page, "note-item")
    editor = await browser.get(f"{place}?edit={note_id}")
    edited = await browser.post(f"/notes/{note_id}/revisions", version="1", body="Likes coffee", headers=HTMX)
    stale = await browser.post(f"/notes/{note_id}/revisions", version="1", body="Likes water", headers=HTMX)
    removed = await browser.post(f"/notes/{note_id}/removal", headers=HTMX)
    await browser.post(f"/notes/{note_id}/restoration")

    assert "Likes tea &lt;b&gt;" in page.text
    assert f'action="/notes/{note_id}/revisions"' in editor.text
    assert "Likes coffee" in edited.text
    assert (stale.status_code, "Likes water" in stale.text) == (412, True)
    assert f'action="/notes/{note_id}/restoration"' in removed.text
    assert "Likes coffee" in (await browser.get(place)).text


async def test_a_file_is_saved_and_never_opened_as_a_page(browser: Browser, anna: UUID) -> None:
    place = f"/records/contact/{anna}/files"
    for name, content, kind in (("page.html", b"<script>", "text/html"), ("empty.txt", b"", "text/plain")):
        answer = await browser.client.post(
            place, data={"csrf_token": browser.token}, files={"file": (name, content, kind)}
        )
    page = await browser.get(place)
    saved = await browser.get(f"/files/{await _id(page, 'file-item')}/content")

    assert answer.status_code == 422
    assert "empty.txt" not in page.text
    assert saved.content == b"<script>"
    assert saved.headers["Content-Type"] == "application/octet-stream"
    assert saved.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("part", ["timeline", "notes", "tasks", "meetings", "files"])
async def test_a_section_stands_alone_and_in_a_page(
    browser: Browser, anna: UUID, task: Task, part: str
) -> None:
    path = f"/records/contact/{anna}/{part}"

    bare = await browser.get(path, HX_Request="true")
    page = await browser.get(path)

    assert bare.text.lstrip().startswith(f'<section class="section" id="record-{part}-{anna}"')
    assert "<html" in page.text
    assert bare.status_code == page.status_code == 200
    assert (await browser.get(f"/records/contact/{uuid7()}/{part}")).status_code == 404


async def test_a_webhook_that_was_switched_off_is_told_in_words_and_opened(
    browser: Browser, database: Database, organization: Principal, settings: Settings
) -> None:
    async with database.transaction(organization, "test") as tx:
        key = settings.secret_key.get_secret_value()
        new = NewWebhook("https://hooks.example.com/1", ("*",), "Data warehouse")
        webhook = (await create_webhook(tx, new, reach=Reach(), keys=Keyring(key))).webhook
        await tell_of_webhook(tx, webhook.id, uuid7())

    page = await browser.get("/notifications")
    answer = await browser.post(f"/notifications/{await _id(page, 'notification')}/reading")

    assert "Data warehouse" in page.text
    assert "This webhook was switched off" in page.text
    assert answer.headers["Location"] == f"/settings/webhooks/{webhook.id}"
