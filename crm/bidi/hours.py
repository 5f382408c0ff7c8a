"""When a seat works: its hours in its own time zone, and where its day begins."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from core import clock
from crm.bidi.models import WEEKDAYS, Bidi
from crm.identity.models import Organization

# Holidays come in rows: the longest that anybody looks ahead for a working day.
_LONGEST_REST_DAYS = 60


def zone_of(bidi: Bidi, organization_zone: str) -> ZoneInfo:
    return ZoneInfo(bidi.time_zone or organization_zone)


def midnight(zone: ZoneInfo) -> datetime:
    """When the day that it is there began."""
    return datetime.combine(clock.now().astimezone(zone).date(), time.min, zone)


def is_at_work(bidi: Bidi, now: datetime, organization: Organization) -> bool:
    """Whether a moment, told in the seat's zone, lies within its hours, or else the organization's, and on no holiday.

    Where neither has hours, it always works.
    """
    week = bidi.working_hours or organization.working_hours
    if not week:
        return True
    if now.date() in organization.holidays:
        return False
    match week.get(WEEKDAYS[now.weekday()]):
        case [str(begins), str(ends)]:
            return begins <= f"{now:%H:%M}" < ends
        case _:
            return False


def next_opening(bidi: Bidi, now: datetime, organization: Organization) -> datetime | None:
    """When its hours begin after a moment, told in the seat's zone; None without hours."""
    week = bidi.working_hours or organization.working_hours
    for days in range(_LONGEST_REST_DAYS):
        day = now.date() + timedelta(days=days)
        span = week.get(WEEKDAYS[day.weekday()])
        if span is None or day in organization.holidays:
            continue
        begins = datetime.combine(day, time.fromisoformat(span[0]), now.tzinfo)
        if begins > now:
            return begins
    return None
