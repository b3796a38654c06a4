"""Who works when within the horizon: shifts with their breaks, or plain numbers on duty. Knows no optimiser.

Minutes are counted from the midnight on which a shift starts; days from the first of the horizon. Before and after
the horizon the same roster repeats itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Activity(NamedTuple):
    """Time within a shift away from the queue."""

    start_min: int
    minutes: int
    kind: str
    """break, lunch, offline or decompression."""
    paid: bool


class RosteredShift(NamedTuple):
    """One person's shift."""

    group: int
    person: int
    """Number of the person within the group."""
    day: int
    start_min: int
    """Minutes after the day's midnight."""
    minutes: int
    activities: tuple[Activity, ...]
    """In the order of their times."""
    posts: tuple[int, ...] = ()
    """For each stretch, before the first activity, between two, after the last: which of the roster's variants they work
    as, -1 for all skills of the group; empty for all throughout."""

    @property
    def paid_minutes(self) -> int:
        """Length less what is unpaid."""
        return self.minutes - sum(a.minutes for a in self.activities if not a.paid)

    def with_activity(self, more: Activity) -> RosteredShift:
        """The same shift with one more activity, after which they go on as before it."""
        place = sum(a <= more for a in self.activities)
        activities = (*self.activities[:place], more, *self.activities[place:])
        posts = (*self.posts[: place + 1], *self.posts[place:])
        return self._replace(activities=activities, posts=posts)

    def without(self, kind: str) -> RosteredShift:
        """The same shift without its activities of a kind, at whose places they go on as before."""
        kept = [k for k, a in enumerate(self.activities) if a.kind != kind]
        posts = (*self.posts[:1], *(self.posts[k + 1] for k in kept)) if self.posts else ()
        return self._replace(activities=tuple(self.activities[k] for k in kept), posts=posts)


class Roster(NamedTuple):
    """All shifts, and the groups that are staffed by plain numbers instead."""

    shifts: tuple[RosteredShift, ...]
    on_duty: Mapping[int, NDArray[np.int64]]
    """Group -> (days, intervals) people on duty."""
    unseen_rest: tuple[float, ...] = ()
    """Of plain numbers, by group: minutes of breaks for each minute on the queue, while others take their place."""
    variants: tuple[tuple[int, frozenset[str]], ...] = ()
    """A group, and of the types that it serves those that somebody takes: for a stretch, or because they have no more."""

    def paid_minutes(self, n_groups: int, interval_min: int) -> NDArray[np.float64]:
        """Paid minutes of the horizon by group."""
        total = np.zeros(n_groups)
        for shift in self.shifts:
            total[shift.group] += shift.paid_minutes
        for group, duty in self.on_duty.items():
            total[group] += float(duty.sum()) * interval_min
        return total

    def people(self, n_groups: int) -> NDArray[np.int64]:
        """People by group: distinct persons, or the peak of plain numbers."""
        seen: list[set[int]] = [set() for _ in range(n_groups)]
        for shift in self.shifts:
            seen[shift.group].add(shift.person)
        count = np.array([len(s) for s in seen], np.int64)
        for group, duty in self.on_duty.items():
            count[group] += int(duty.max(initial=0))
        return count

    def cover(
        self, n_groups: int, days: int, interval_min: int, *, gross: bool = False
    ) -> NDArray[np.float64]:
        """(G, days, intervals) people on the queue, averaged within each interval; the end wraps to the start.

        With `gross`, people in their shift whether on the queue or not.
        """
        n_intervals = 1440 // interval_min
        minutes = np.zeros((n_groups, days * 1440 + 1))
        horizon = days * 1440

        def add(group: int, start: int, length: int, sign: int) -> None:
            start %= horizon
            end = start + length
            minutes[group, start] += sign
            minutes[group, min(end, horizon)] -= sign
            if end > horizon:
                minutes[group, 0] += sign
                minutes[group, end - horizon] -= sign

        for shift in self.shifts:
            start = shift.day * 1440 + shift.start_min
            add(shift.group, start, shift.minutes, 1)
            if not gross:
                for a in shift.activities:
                    add(shift.group, start + a.start_min, a.minutes, -1)
        level = np.cumsum(minutes, axis=1)[:, :-1]
        result = np.asarray(level.reshape(n_groups, days, n_intervals, interval_min).mean(axis=3), np.float64)
        for group, duty in self.on_duty.items():
            result[group] += duty
        return result
