"""The audit is complete: whatever changes something, by whichever door, leaves an entry that says who, what and how."""

import re
from collections.abc import AsyncIterator

import pyotp
import pytest

from core import clock
from crm.identity.invitations import invite
from crm.identity.models import Role
from tests.support.entries import untold
from tests.support.figures import FIGURE, Record
from tests.support.isolation import http, tools
from tests.support.isolation.deeds import CALLS, FIRST, FORMS
from tests.support.isolation.harness import Harness
from tests.support.isolation.recording import Called, Recording, start_recording
from tests.support.organizations import make_organization
from tools.base import Risk, ToolStatus

# one worker builds the theatre once
pytestmark = pytest.mark.xdist_group("isolation")

# What changes nothing that anybody has to answer for, and why.
NOTHING = {
    "POST /segments/editing": "shows the form again with one more condition",
    "POST /profile/second-factor": "shows a secret that counts for nothing until a code of it confirms it",
}
# What is called in a test of its own, for it takes steps that go together.
ELSEWHERE = {
    "POST /session/code": "test_what_a_second_factor_changes_is_on_record",
    "POST /profile/second-factor/confirmation": "test_what_a_second_factor_changes_is_on_record",
    "POST /profile/second-factor/recovery-codes": "test_what_a_second_factor_changes_is_on_record",
    "POST /profile/second-factor/removal": "test_what_a_second_factor_changes_is_on_record",
    "POST /join/{secret}": "test_joining_by_an_invitation_is_on_record",
    "POST /mcp": "test_every_tool_that_changes_something_is_on_record",
    # an issuer has to answer for these
    **{
        f"POST {path}": "tests/web/test_issuers.py"
        for path in (
            "/session/issuer",
            "/session/issuer/link",
            "/settings/sign-in",
            "/profile/identities",
            "/profile/identities/{identity_id}/removal",
        )
    },
    # the theatre goes on after this test
    "POST /settings/organization/deletion": "tests/web/test_deletion.py",
    "POST /settings/organization/deletion/end": "tests/web/test_deletion.py",
    "POST /commissions/{partner_id}/rate": "tests/web/test_commissions.py, where there is a partner",
    "POST /seats/{bidi_id}/promotion": "tests/web/test_autopilot.py, which makes the hundred decisions it takes",
    "POST /seats/{bidi_id}/demotion": "tests/web/test_autopilot.py, after the promotion",
}
# Who acts where nobody is signed in yet: the product.
BY_THE_PRODUCT = frozenset(
    {
        "POST /webhooks/telegram/{account_id}",
        "POST /sign-up",
        "POST /sign-up/confirmation",
        "POST /password/new",
    }
)
# Where somebody new acts, who has an id from now on.
BY_SOMEBODY_NEW = frozenset({"POST /join/{secret}/account"})
# Tools that answer without changing anything for the seat of the theatre, and why.
REFUSED_TOOLS: dict[str, str] = {}


@pytest.fixture
async def recording(harness: Harness) -> AsyncIterator[Recording]:
    started = await start_recording(harness)
    yield started
    await started.kept.end()


async def test_every_page_that_changes_something_is_on_record(
    recording: Recording, record_property: Record
) -> None:
    names = [name for name in recording.operations if _is_page(name) and name not in ELSEWHERE]
    wrong, entries = [], 0
    for name in names:
        await recording.begin(FIRST.get(name, ()))
        called = await recording.call(name, FORMS.get(name, {}))
        entries += len(called.entries)
        wrong += _judge(recording, name, called)

    record_property(FIGURE, f"audit: {len(names)} mutating pages called, {len(wrong)} without their entry")
    assert wrong == [], "\n".join(wrong)
    assert len(names) > 150


def test_what_is_said_to_have_no_entry_exists(recording: Recording) -> None:
    assert (
        NOTHING.keys() | ELSEWHERE.keys() | FORMS.keys() | FIRST.keys()
    ) - recording.operations.keys() == set()


def _is_page(name: str) -> bool:
    method, path = name.split(" ")
    return method not in ("GET", "HEAD") and not path.startswith("/api/")


def _judge(recording: Recording, name: str, called: Called) -> list[str]:
    """What is wrong with the record of one call."""
    if called.status >= 400:
        return [
            f"{name} answered {called.status}, give it a form in isolation/deeds.py: {called.text[-300:]!r}"
        ]
    if name in NOTHING:
        return [f"{name} has an entry now; take it off the list"] if called.entries else []
    if not called.entries:
        return [f"{name} left no entry, and changed {sorted(called.changed)}"]
    owner = recording.harness.theatre.attacker.owner.id
    wrong = [f"{name}: {told}" for told in untold(called.entries)]
    if name in BY_THE_PRODUCT:
        return wrong + [f"{name}: {one}" for one in called.entries if one.actor_kind != "system"]
    if name not in BY_SOMEBODY_NEW and {one.actor_id for one in called.entries} != {owner}:
        wrong.append(f"{name} was somebody else: {called.entries}")
    return wrong + [f"{name} came by no page: {one}" for one in called.entries if one.via != "page"]


async def test_what_a_second_factor_changes_is_on_record(recording: Recording) -> None:
    await recording.begin()
    await recording.send("POST /profile/second-factor", {})
    page = (await recording.owner.client.get("/profile/second-factor")).text
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert secret, page
    phone, step = pyotp.TOTP(secret.group(1).replace(" ", "")), int(clock.now().timestamp()) // 30

    on = await recording.call("POST /profile/second-factor/confirmation", {"code": phone.generate_otp(step)})
    codes = re.findall(r"<li><code>([a-z2-7-]+)</code></li>", on.text)
    renewed = await recording.call(
        "POST /profile/second-factor/recovery-codes", {"code": phone.generate_otp(step + 1)}
    )
    fresh = re.findall(r"<li><code>([a-z2-7-]+)</code></li>", renewed.text)
    # in at the door once more, and back in the session that the forms belong to
    await recording.send("POST /session", FORMS["POST /session"])
    entered = await recording.call("POST /session/code", {"code": fresh[0]})
    recording.sign_in()
    off = await recording.call("POST /profile/second-factor/removal", {"code": fresh[1]})

    assert len(codes) == len(fresh)
    assert [_types(one) for one in (on, renewed, entered, off)] == [
        {"user.second_factor.enabled"},
        {"user.recovery_codes.renewed"},
        {"user.recovery_code.used", "user.logged_in"},
        {"user.recovery_code.used", "user.second_factor.disabled"},
    ]


def _types(called: Called) -> set[str]:
    assert {entry.via for entry in called.entries} <= {"page"}, called.entries
    return {entry.type for entry in called.entries} - {"system_mail.queued"}


async def test_joining_by_an_invitation_is_on_record(recording: Recording) -> None:
    await recording.begin()
    theatre = recording.harness.theatre
    host = await make_organization(theatre.db, name="Host")
    async with theatre.db.transaction(host, "test") as tx:
        invited = await invite(tx, email=None, role=Role.VIEWER)

    joined = await recording.call("POST /join/{secret}", {"secret": invited.secret})

    assert _types(joined) >= {"team.member.added", "user.logged_in", "user.logged_out"}


async def test_every_tool_that_changes_something_is_on_record(
    recording: Recording, record_property: Record
) -> None:
    """As an agent calls it in its run: the seat acts, and the person is named who answers for it."""
    harness, theatre = recording.harness, recording.harness.theatre
    changing = [tool for tool in harness.tools if tool.risk is not Risk.READ]
    called = tools.dispatcher(theatre, harness.graphs[0])
    (seat, *_) = tools.seats(theatre)
    wrong, done = [], 0
    for tool in changing:
        await recording.begin()
        last = await recording.last_event()
        ids = http.own_ids(theatre, tools.slots_of(theatre, tool))
        result, _ = await tools.call(theatre, called, tool, seat, ids, CALLS.get(tool.name))
        entries = await recording.entries_since(last)
        done += result.status is ToolStatus.DONE
        told = {entry.type for entry in entries}
        if not told & {"ai.tool.called", "ai.tool.denied"}:
            wrong.append(f"{tool.name} ({result.status}) is not on record: {told}")
        if {(entry.actor_kind, entry.actor_id) for entry in entries} != {("bidi", seat.ctx.bidi.id)}:
            wrong.append(f"{tool.name} was somebody else: {entries}")
        if result.status is ToolStatus.DONE and not told - {"ai.tool.called"}:
            wrong.append(f"{tool.name} changed something and left no entry of it: {result}")
        wrong += [f"{tool.name}: {one}" for one in untold(entries)]

    record_property(
        FIGURE, f"audit: {len(changing)} changing tools called, {done} done, {len(wrong)} without entry"
    )
    assert wrong == [], "\n".join(wrong)
