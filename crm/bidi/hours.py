"""When a seat works: its hours in its own time zone, and where its day begins."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from core import clock
from crm.bidi.models import WEEKDAYS, Bidi


def zone_of(bidi: Bidi, organization_zone: str) -> ZoneInfo:
    return ZoneInfo(bidi.time_zone or organization_zone)


def midnight(zone: ZoneInfo) -> datetime:
    """When the day that it is there began."""
    return datetime.combine(clock.now().astimezone(zone).date(), time.min, zone)


def is_at_work(bidi: Bidi, now: datetime) -> bool:
    """Whether a moment, told in the seat's zone, lies within its hours; without hours, always."""
    if not bidi.working_hours:
        return True
    match bidi.working_hours.get(WEEKDAYS[now.weekday()]):
        case [str(begins), str(ends)]:
            return begins <= f"{now:%H:%M}" < ends
        case _:
            return False


def next_opening(bidi: Bidi, now: datetime) -> datetime | None:
    """When its hours begin after a moment, told in the seat's zone; None without hours."""
    for days in range(8):
        day = now.date() + timedelta(days=days)
        span = bidi.working_hours.get(WEEKDAYS[day.weekday()])
        if span is None:
            continue
        begins = datetime.combine(day, time.fromisoformat(span[0]), now.tzinfo)
        if begins > now:
            return begins
    return None
