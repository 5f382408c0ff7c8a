"""Seats as their pages show them, and the form of one read back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.datastructures import FormData

from core import clock
from core.db import Tx
from core.errors import Unprocessable
from crm.analytics import seats as analytics
from crm.analytics.seats import Load, Performance
from crm.bidi.day_limits import DayLimits
from crm.bidi.earned import LEAST_BOUND, LEAST_DECISIONS
from crm.bidi.history import Turn, list_turns
from crm.bidi.models import WEEKDAYS, Autonomy, Bidi, BidiEdit
from crm.drafts.incidents import list_incidents, list_own_replies
from crm.identity.models import Organization
from crm.runs import standing
from crm.runs.standing import Autopilot
from events.ids import BidiId, UserId
from web.i18n import Words
from web.phrases import AUTONOMY, HINDRANCES, INCIDENTS, N_, intent_text

# How far back the pages look.
DAYS = 30
# What a form writes as a whole number, and those among them that may be empty for "no limit".
_NUMBERS = ("daily_cap", "max_steps", "max_tokens", "max_seconds")
_LIMITS = ("capacity", "max_runs_a_day", "max_tokens_a_day")
# Money is written in dollars and kept in millionths of one.
_MONEY = {"max_cost_usd": "max_cost_usd_micros", "max_cost_usd_a_day": "max_cost_usd_micros_a_day"}
_MICROS = 1_000_000


@dataclass(frozen=True)
class Line:
    """A seat in the list."""

    seat: Bidi
    load: Load
    performance: Performance


async def load_lines(tx: Tx, seats: Sequence[Bidi]) -> list[Line]:
    """Seats with what they have in hand and how they did."""
    ids = [seat.id for seat in seats]
    now = clock.now()
    loads = await analytics.list_loads(tx, ids)
    done = await analytics.list_performances(tx, ids, since=now - timedelta(days=DAYS), until=now)
    return [Line(seat, loads[seat.id], done[seat.id]) for seat in seats]


async def load_performance(tx: Tx, bidi_id: BidiId) -> Performance:
    now = clock.now()
    return await analytics.get_performance(tx, bidi_id, since=now - timedelta(days=DAYS), until=now)


async def load_autopilot(tx: Tx, seat: Bidi, organization: Organization, words: Words) -> dict[str, Any]:
    """What a seat answers by itself, what keeps it from more, what it sent so, and what became of it."""
    now = await standing.get_autopilot(tx, seat, organization)
    return {
        "autopilot": now,
        "hindrances": [hindrance_text(code, seat, now, words) for code in now.hindrances],
        "standings": await standing.list_standings(tx, seat),
        "replies": await list_own_replies(tx, seat.id),
        "needed": (LEAST_DECISIONS, round(100 * LEAST_BOUND)),
        "incident_kinds": tuple(INCIDENTS),
    }


def hindrance_text(code: str, seat: Bidi, now: Autopilot, words: Words) -> str:
    """One thing that keeps a seat from answering by itself, with the way out."""
    if code == "off_hours" and now.opens_at is None:
        code = "off_hours_for_good"
    return words.gettext(
        HINDRANCES[code],
        autonomy=words.gettext(AUTONOMY[seat.autonomy]),
        cap=words.number(seat.daily_cap),
        when=words.when(now.opens_at) if now.opens_at else "",
    )


@dataclass(frozen=True)
class Past:
    """A line of a seat's history."""

    at: datetime
    who: str
    what: str
    note: str = ""
    href: str = ""


async def load_history(tx: Tx, seat: Bidi, words: Words) -> list[Past]:
    """What was done to a seat and what befell its replies, the latest first."""
    lines = [
        Past(turn.at, turn.actor_name, what, note)
        for turn in await list_turns(tx, seat.id)
        for what, note in _turn_texts(turn, words)
    ]
    lines += [
        Past(
            one.noted_at,
            one.noter_name,
            words.gettext("Incident, reply to %(name)s", name=one.contact_name),
            " ".join((words.gettext(INCIDENTS[one.kind]) + ".", one.note)).strip(),
            f"/inbox/{one.conversation_id}?folder=all",
        )
        for one in await list_incidents(tx, seat.id)
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)


_TURNS = {
    "bidi.created": N_("Made"),
    "bidi.paused": N_("Stopped"),
    "bidi.resumed": N_("Set to work again"),
    "bidi.archived": N_("Archived"),
}


def _turn_texts(turn: Turn, words: Words) -> list[tuple[str, str]]:
    """An event of a seat in words; what changed by the names that its form has."""
    if turn.event in _TURNS:
        return [(words.gettext(_TURNS[turn.event]), "")]
    said = []
    if turn.gained:
        said.append((words.gettext("Answers by itself since then"), _intents(turn.gained, words)))
    if turn.lost:
        said.append((words.gettext("Taken back"), _intents(turn.lost, words)))
    if "autonomy" in turn.changes:
        before, after = (words.gettext(AUTONOMY[one]) for one in turn.changes["autonomy"])
        said.append((words.gettext("Autonomy"), f"{before} → {after}"))
    others = [words.gettext(_FIELDS[name]) for name in turn.changes if name in _FIELDS]
    return [*said, *([(words.gettext("Settings changed"), ", ".join(others))] if others else [])]


def _intents(intents: Sequence[str], words: Words) -> str:
    return ", ".join(intent_text(one, words) for one in intents)


_FIELDS = {
    "name": N_("name"), "persona": N_("how it writes"), "languages": N_("languages"), "model": N_("language model"),
    "responsible_user_id": N_("who answers for it"), "scopes": N_("its tools"), "account_ids": N_("accounts"),
    "capacity": N_("most open conversations"), "working_hours": N_("working hours"), "time_zone": N_("time zone"),
    "daily_cap": N_("replies a day"), "max_steps": N_("steps"), "max_tokens": N_("tokens"),
    "max_cost_usd_micros": N_("money"), "max_seconds": N_("seconds"), "max_runs_a_day": N_("runs a day"),
    "max_tokens_a_day": N_("tokens a day"), "max_cost_usd_micros_a_day": N_("money a day"),
}  # fmt: skip


def values_of(seat: Bidi, form: FormData | None) -> dict[str, Any]:
    """What stands in the fields: what the seat is, or what was sent and not taken."""
    values: dict[str, Any] = {
        **{name: getattr(seat, name) for name in ("name", "persona", "autonomy", "time_zone", *_NUMBERS)},
        **{name: getattr(seat, name) if getattr(seat, name) is not None else "" for name in _LIMITS},
        **{name: _dollars(getattr(seat, kept)) for name, kept in _MONEY.items()},
        "languages": " ".join(seat.languages),
        "responsible": str(seat.responsible_user_id or ""),
        "model": seat.model or "",
        "scopes": set(seat.scopes),
        "accounts": {str(one) for one in seat.account_ids},
        **{f"{day}_begins": seat.working_hours.get(day, ("", ""))[0] for day in WEEKDAYS},
        **{f"{day}_ends": seat.working_hours.get(day, ("", ""))[1] for day in WEEKDAYS},
    }
    if form is not None:
        values |= {name: str(value) for name, value in form.items() if name in values}
        values |= {name: {str(one) for one in form.getlist(name)} for name in ("scopes", "accounts")}
    return values


def _dollars(micros: int | None) -> str:
    return "" if micros is None else f"{micros / _MICROS:.2f}"


def read_form(form: FormData) -> BidiEdit:
    """What a form asks for. Raises: Unprocessable for what is not written as it should be."""
    fields: dict[str, Any] = {
        name: str(form[name]) for name in ("name", "persona", "time_zone") if name in form
    }
    fields |= {name: _whole(form, name) for name in _NUMBERS if name in form}
    fields |= {name: _whole(form, name) if form[name] else None for name in _LIMITS if name in form}
    fields |= {kept: _micros(str(form[name]), name) for name, kept in _MONEY.items() if name in form}
    if "languages" in form:
        fields["languages"] = _languages(str(form["languages"]))
    if form.get("responsible"):
        fields["responsible_user_id"] = UserId(_id(str(form["responsible"]), "responsible_user_id"))
    if "autonomy" in form:
        fields |= {
            "autonomy": _autonomy(str(form["autonomy"])),
            "scopes": sorted({str(one) for one in form.getlist("scopes")}),
        }
    if "mon_begins" in form:
        fields["working_hours"] = read_hours({name: str(value) for name, value in form.items()})
        fields["account_ids"] = [_id(str(one), "account_ids") for one in form.getlist("accounts")]
    return BidiEdit(**fields)


def limits_of(limits: DayLimits, form: FormData | None) -> dict[str, str]:
    """What stands in the fields of a day's limits: what holds, or what was sent and not taken."""
    counts = {name: getattr(limits, name) for name in ("max_runs_a_day", "max_tokens_a_day")}
    values = {name: "" if count is None else str(count) for name, count in counts.items()}
    values["max_cost_usd_a_day"] = _dollars(limits.max_cost_usd_micros_a_day)
    return values | {name: str(value) for name, value in (form or {}).items() if name in values}


def read_limits(form: FormData) -> DayLimits:
    """What the form of a day's limits asks for. Raises: Unprocessable for what is not written as it should be."""
    return DayLimits(
        _whole(form, "max_runs_a_day") if form.get("max_runs_a_day") else None,
        _whole(form, "max_tokens_a_day") if form.get("max_tokens_a_day") else None,
        _micros(str(form.get("max_cost_usd_a_day", "")), "max_cost_usd_a_day"),
    )


def _whole(form: FormData, name: str) -> int:
    try:
        number = int(str(form.get(name, "")))
    except ValueError as err:
        raise Unprocessable("Write this as a whole number, such as 20.", field=name) from err
    if not 0 <= number <= 1_000_000_000:
        raise Unprocessable("Write this as a whole number, such as 20.", field=name)
    return number


def _micros(text: str, name: str) -> int | None:
    if not text and name.endswith("a_day"):
        return None
    try:
        dollars = float(text.replace(",", "."))
    except ValueError as err:
        raise Unprocessable("Write the money in dollars, such as 0.50.", field=name) from err
    if not 0 <= dollars <= 1000:
        raise Unprocessable("Write the money in dollars, such as 0.50.", field=name)
    return round(dollars * _MICROS)


def _languages(text: str) -> list[str]:
    codes = text.replace(",", " ").lower().split()
    if any(len(code) != 2 or not code.isalpha() for code in codes):
        raise Unprocessable("Write languages by their two letters, such as en ru.", field="languages")
    return sorted(set(codes))


def _autonomy(text: str) -> Autonomy:
    try:
        return Autonomy(text)
    except ValueError as err:
        raise Unprocessable("Choose one of the autonomies.", field="autonomy") from err


def read_hours(form: Mapping[str, str]) -> dict[str, list[str]]:
    """Days with hours; one without any is free."""
    spans = {day: [form.get(f"{day}_begins", ""), form.get(f"{day}_ends", "")] for day in WEEKDAYS}
    return {day: span for day, span in spans.items() if any(span)}


def _id(text: str, field: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as err:
        raise Unprocessable("This is not there any more; reload the page.", field=field) from err
