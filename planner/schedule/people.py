"""From shifts to nameless people: who could work which, with rest between shifts and days off.

Day by day, each group's shifts are matched to its people at least cost (an assignment problem): whoever has
worked least in the past week comes first, then whoever keeps nearly the same start. As many people as the
lower bound asks for are there from the beginning; where no one is free, a new one joins. This is greedy, and
may use a few more people than needed; both numbers are reported.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.schedule.problem import DAY_MIN, CoverProblem, Plan, Shift

WEEK = 7
NEVER = 1e9


@dataclass(frozen=True, slots=True)
class People:
    """Who works what: nameless people, numbered from 0 within their group."""

    agents: tuple[int, ...]
    """Per shift of the plan, the person within the shift's group."""
    n_people: tuple[int, ...]
    """Per group."""
    lower_bound: tuple[int, ...]
    """Per group: no assignment needs fewer."""


def assign(plan: Plan, problem: CoverProblem, *, rest_h: float = 11.0, days_per_week: int = 5) -> People:
    """Give every shift a person: one shift a day, rest between shifts, at most so many days in any seven.

    In a cyclic problem rest, and from a week on also the days in any seven, hold across the seam. In a
    horizon shorter than a week the days are counted within it.
    """
    if not 1 <= days_per_week <= WEEK or rest_h < 0:
        raise ValueError("days_per_week must lie in 1..7 and rest_h must not be negative")
    rest_min = round(rest_h * 60)
    agents = [0] * len(plan.shifts)
    n_people: list[int] = []
    bounds: list[int] = []
    for group in range(len(problem.group_names)):
        numbers = [k for k, shift in enumerate(plan.shifts) if shift.group == group]
        bound = fewest_people(problem, [plan.shifts[k] for k in numbers], rest_min, days_per_week)
        found = _Team(problem, bound, rest_min, days_per_week)
        for day in range(problem.n_days):
            todays = [k for k in numbers if plan.shifts[k].day == day]
            for k, person in zip(todays, found.work(day, [plan.shifts[k] for k in todays]), strict=True):
                agents[k] = person
        n_people.append(len({agents[k] for k in numbers}))
        bounds.append(bound)
        names = {person: name for name, person in enumerate(sorted({agents[k] for k in numbers}))}
        for k in numbers:
            agents[k] = names[agents[k]]
    return People(tuple(agents), tuple(n_people), tuple(bounds))


def fewest_people(problem: CoverProblem, shifts: list[Shift], rest_min: int, days_per_week: int) -> int:
    """A lower bound: the busiest day, the busiest week by days off, and shifts too close for one person."""
    if not shifts:
        return 0
    days = problem.n_days
    per_day = Counter(shift.day for shift in shifts)
    fewest = max(per_day.values())
    wraps = problem.cyclic and days >= WEEK
    for first in range(days if wraps else max(1, days - WEEK + 1)):
        week = sum(per_day[(first + k) % days] for k in range(min(WEEK, days)))
        fewest = max(fewest, -(-week // min(days_per_week, days)))
    edges: Counter[int] = Counter()
    horizon = days * DAY_MIN
    for shift in shifts:
        start, end = _span(problem, shift)
        end += rest_min
        for lap in (0, horizon) if problem.cyclic and end - start <= horizon else (0,):
            edges[start + lap] += 1
            edges[end + lap] -= 1
    busy = 0
    for minute in sorted(edges):
        busy += edges[minute]
        fewest = max(fewest, busy)
    return fewest


def _span(problem: CoverProblem, shift: Shift) -> tuple[int, int]:
    start = shift.day * DAY_MIN + shift.start_min
    return start, start + problem.shift_kinds[shift.kind].length_min


class _Team:
    """The people of one group, and what they work so far."""

    def __init__(self, problem: CoverProblem, n: int, rest_min: int, days_per_week: int) -> None:
        self.problem = problem
        self.rest_min = rest_min
        self.days_per_week = days_per_week
        self.works = np.zeros((n, problem.n_days), dtype=bool)
        self.start = np.zeros((n, problem.n_days), dtype=np.int64)
        self.end = np.zeros((n, problem.n_days), dtype=np.int64)

    def work(self, day: int, shifts: list[Shift]) -> list[int]:
        """A person for each of the day's shifts."""
        if not shifts:
            return []
        from scipy.optimize import linear_sum_assignment  # slow to import

        cost = self._costs(day, shifts)
        rows, columns = linear_sum_assignment(cost)
        person = dict(zip(columns.tolist(), rows.tolist(), strict=True))
        chosen: list[int] = []
        for k, shift in enumerate(shifts):
            who = person.get(k, -1)
            if who < 0 or cost[who, k] >= NEVER:
                who = len(self.works)
                self._join()
            self.works[who, day] = True
            self.start[who, day], self.end[who, day] = _span(self.problem, shift)
            chosen.append(who)
        return chosen

    def _join(self) -> None:
        self.works = np.pad(self.works, ((0, 1), (0, 0)))
        self.start = np.pad(self.start, ((0, 1), (0, 0)))
        self.end = np.pad(self.end, ((0, 1), (0, 0)))

    def _costs(self, day: int, shifts: list[Shift]) -> NDArray[np.float64]:
        days, horizon = self.problem.n_days, self.problem.n_days * DAY_MIN
        cyclic = self.problem.cyclic
        past = self.works[:, max(0, day - WEEK + 1) : day].sum(axis=1)
        cost = np.repeat(past[:, None] * 10.0, len(shifts), axis=1)
        cost[~self._has_day_left(day)] = NEVER
        spans = np.array([_span(self.problem, shift) for shift in shifts], dtype=np.int64)
        for away in (-2, -1, 1, 2):
            other, lap = (day + away) % days, (day + away) // days * horizon
            if other == day or (lap and not cyclic):
                continue
            works = self.works[:, other]
            start, end = self.start[:, other, None] + lap, self.end[:, other, None] + lap
            close = (spans[:, 1] + self.rest_min > start) if away > 0 else (end + self.rest_min > spans[:, 0])
            cost[works[:, None] & close] = NEVER
            if away == -1:
                shift_of_start = np.abs(spans[:, 0] - start - DAY_MIN) / DAY_MIN
                cost += np.where(works[:, None], shift_of_start, 0.0)
        return cost

    def _has_day_left(self, day: int) -> NDArray[np.bool_]:
        days = self.problem.n_days
        wraps = self.problem.cyclic and days >= WEEK
        free = np.ones(len(self.works), dtype=bool)
        for first in range(day - WEEK + 1, day + 1):
            window = {(first + k) % days for k in range(WEEK) if wraps or 0 <= first + k < days}
            free &= self.works[:, sorted(window)].sum(axis=1) < self.days_per_week
        return free
