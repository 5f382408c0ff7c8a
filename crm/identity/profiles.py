"""What people say of themselves: their name, their language, their time zone."""

from zoneinfo import available_timezones

from core.db import Tx
from core.errors import Unprocessable
from crm.identity.models import Account
from events.outbox import emit
from events.types import UserUpdated

LOCALES = ("en", "ru")


async def set_locale(tx: Tx, account: Account, locale: str) -> None:
    """Raises: Unprocessable when the product does not speak the language."""
    if locale not in LOCALES:
        raise Unprocessable(f"The language {locale} is not one of {', '.join(LOCALES)}.", field="locale")
    await _update(tx, account, name=account.name, locale=locale, time_zone=account.time_zone)


async def update_profile(tx: Tx, account: Account, *, name: str, time_zone: str) -> None:
    """How colleagues see the person, and in which zone they read times; '' is the organization's.

    Raises: Unprocessable for an empty name and a zone that there is not.
    """
    if not name.strip():
        raise Unprocessable("A person needs a name; write how colleagues call you.", field="name")
    if time_zone and time_zone not in available_timezones():
        raise Unprocessable(f"There is no time zone {time_zone}; choose one of the list.", field="time_zone")
    await _update(tx, account, name=name.strip(), locale=account.locale, time_zone=time_zone)
    await tx.execute(
        "UPDATE members SET name = %(name)s WHERE user_id = %(user_id)s",
        name=name.strip(),
        user_id=account.user_id,
    )


async def _update(tx: Tx, account: Account, **wanted: str) -> None:
    changes = {
        field: (getattr(account, field), value)
        for field, value in wanted.items()
        if getattr(account, field) != value
    }
    if not changes:
        return
    await tx.execute(
        "UPDATE users SET name = %(name)s, locale = %(locale)s, time_zone = %(time_zone)s WHERE id = %(id)s",
        id=account.user_id,
        **wanted,
    )
    await emit(tx, UserUpdated(account.user_id), changes)
