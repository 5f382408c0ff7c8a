"""What a seat may be told to be: every refusal names the field."""

from datetime import time
from zoneinfo import available_timezones

from core.db import Tx
from core.edits import KEEP
from core.errors import Unprocessable
from crm.bidi.models import WEEKDAYS, Autonomy, Bidi, BidiEdit, BidiKind, NewBidi, WorkingHours
from crm.identity.models import Role
from events.ids import UserId


async def check_new(tx: Tx, new: NewBidi, *, agents: tuple[str, ...]) -> None:
    """Raises: Unprocessable."""
    _require_name(new.name)
    if new.kind is BidiKind.AI:
        if new.agent not in agents:
            raise Unprocessable(f"Name the agent of this seat: {', '.join(agents)}.", field="agent")
        if new.responsible_user_id is None:
            raise Unprocessable("Name the member who answers for this seat.", field="responsible_user_id")
        await _role_of(tx, new.responsible_user_id, "responsible_user_id")
    elif new.user_id is None:
        raise Unprocessable("Name the member who sits on this seat.", field="user_id")
    else:
        await _role_of(tx, new.user_id, "user_id")


async def check_edit(tx: Tx, bidi: Bidi, edit: BidiEdit) -> None:
    """Raises: Unprocessable."""
    if edit.name is not KEEP:
        _require_name(edit.name)
    if edit.autonomy is not KEEP and edit.autonomy is not Autonomy.SUGGEST and bidi.kind is not BidiKind.AI:
        raise Unprocessable("Only an agent's seat has an autonomy.", field="autonomy")
    if edit.time_zone is not KEEP and edit.time_zone not in ("", *available_timezones()):
        raise Unprocessable("There is no such time zone; write one as Europe/Berlin.", field="time_zone")
    if edit.working_hours is not KEEP:
        require_hours(edit.working_hours)
    await _require_scopes(tx, bidi, edit)


def _require_name(name: str) -> None:
    if not name.strip() or len(name) > 100:
        raise Unprocessable("A seat needs a name of at most 100 characters.", field="name")


def require_hours(hours: WorkingHours) -> None:
    """Raises: Unprocessable, naming the day."""
    for day, span in hours.items():
        if day not in WEEKDAYS:
            raise Unprocessable(f"{day!r} is no weekday; use {', '.join(WEEKDAYS)}.", field="working_hours")
        try:
            begins, ends = (time.fromisoformat(one) for one in span)
        except ValueError as err:
            raise Unprocessable(
                f"Give {day} the time it begins and the time it ends, such as 09:00 and 18:00.",
                field="working_hours",
            ) from err
        if begins >= ends or [f"{begins:%H:%M}", f"{ends:%H:%M}"] != list(span):
            raise Unprocessable(f"On {day} the day must end after it begins.", field="working_hours")


async def _require_scopes(tx: Tx, bidi: Bidi, edit: BidiEdit) -> None:
    """An AI seat may do no more than whoever answers for it."""
    if edit.scopes is KEEP and edit.responsible_user_id is KEEP:
        return
    scopes = bidi.scopes if edit.scopes is KEEP else edit.scopes
    responsible = bidi.responsible_user_id if edit.responsible_user_id is KEEP else edit.responsible_user_id
    if responsible is None:
        raise Unprocessable("Name the member who answers for this seat.", field="responsible_user_id")
    role = await _role_of(tx, responsible, "responsible_user_id")
    beyond = sorted(scope for scope in scopes if not role.may(scope))
    if beyond and bidi.kind is BidiKind.AI:
        raise Unprocessable(
            f"Whoever answers for this seat does not hold {', '.join(beyond)}; it cannot either.",
            field="scopes",
        )


async def _role_of(tx: Tx, user_id: UserId, field: str) -> Role:
    role = await tx.value("SELECT role FROM members WHERE user_id = %(user_id)s", user_id=user_id)
    if role is None:
        raise Unprocessable("There is no such member in this organization.", field=field)
    return Role(role)
