"""Time zones and changes of clocks: which local times exist, and what a time elsewhere is at the centre.

A plan counts days of 24 hours by the centre's clock. In a week whose clocks change, shifts keep the times on the clock: a
night over the change is an hour shorter or longer than its times say, and nothing begins at a time that the clock skips.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

DAY_MIN = 1440


class Change(NamedTuple):
    """A change of clocks on a day."""

    day: date
    skipped: tuple[int, int] | None
    """First minute that the clock skips, and the first after it; None where it goes back."""
    twice: tuple[int, int] | None
    """First minute that comes twice, and the first that does not."""

    def fault(self, minute: int) -> str | None:
        """What is wrong with a time of this day; None where it comes exactly once."""
        for span, words in ((self.skipped, "does not exist"), (self.twice, "comes twice")):
            # Midnight stands for the end of a day, whatever the clock does there.
            if span and minute and span[0] <= minute < span[1]:
                return f"{words} on {self.day}, when the clocks change ({clock(span[0])} to {clock(span[1])})"
        return None


@cache
def zones() -> frozenset[str]:
    """Names of the time zones that there are."""
    return frozenset(available_timezones())


def clock(minute: int) -> str:
    """A minute of the day as 08:30."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


@lru_cache(maxsize=256)
def changes(zone: str, first: date, days: int) -> tuple[Change, ...]:
    """Changes of a zone's clocks from the first day on, so many days."""
    here = ZoneInfo(zone)
    found = []
    for k in range(days):
        day = first + timedelta(k)
        midnight = datetime(day.year, day.month, day.day)
        ends = [(midnight + timedelta(days=d)).replace(tzinfo=here).utcoffset() for d in (0, 1)]
        if ends[0] == ends[1]:
            continue
        skipped, twice = [], []
        for minute in range(DAY_MIN):
            local = (midnight + timedelta(minutes=minute)).replace(tzinfo=here)
            back = local.astimezone(UTC).astimezone(here)
            if back.replace(tzinfo=None) != local.replace(tzinfo=None):
                skipped.append(minute)
            elif local.utcoffset() != local.replace(fold=1).utcoffset():
                twice.append(minute)
        found.append(Change(day, _span(skipped), _span(twice)))
    return tuple(found)


def _span(minutes: list[int]) -> tuple[int, int] | None:
    return (minutes[0], minutes[-1] + 1) if minutes else None


def at_centre(day: date, minute: int, zone: str, centre: str, first: date, *, end: bool = False) -> int:
    """Minutes after the centre's midnight of `first`, by its clock, of a time in another zone.

    Of a time that comes twice, the first; with `end` the last.
    """
    local = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    there = local.replace(tzinfo=ZoneInfo(zone), fold=int(end)).astimezone(ZoneInfo(centre))
    since = there.replace(tzinfo=None) - datetime(first.year, first.month, first.day)
    return round(since.total_seconds() / 60)
