"""Seats as their pages show them, and the form of one read back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from starlette.datastructures import FormData

from core import clock
from core.db import Tx
from core.errors import Unprocessable
from crm.analytics import seats as analytics
from crm.analytics.seats import Load, Performance
from crm.bidi.models import WEEKDAYS, Autonomy, Bidi, BidiEdit
from events.ids import BidiId, UserId

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
        fields["working_hours"] = _hours({name: str(value) for name, value in form.items()})
        fields["account_ids"] = [_id(str(one), "account_ids") for one in form.getlist("accounts")]
    return BidiEdit(**fields)


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


def _hours(form: Mapping[str, str]) -> dict[str, list[str]]:
    """Days with hours; one without any is free."""
    spans = {day: [form.get(f"{day}_begins", ""), form.get(f"{day}_ends", "")] for day in WEEKDAYS}
    return {day: span for day, span in spans.items() if any(span)}


def _id(text: str, field: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as err:
        raise Unprocessable("This is not there any more; reload the page.", field=field) from err
