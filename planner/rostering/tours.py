"""What no roster of these people can cost less than: a linear programme over like people, their duties and pauses.

People who count for the same needs on the same terms are one crowd; of a crowd it is said how many work a duty on a day and where
how many pause, in fractions. Rest, runs of days, fairness and wishes are left out, so that every roster fits in and the least
cost of cover and contracts is a bound. It is proven by weak duality from the solver's prices: the solver need not be believed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from planner.rostering import cover
from planner.rostering.cover import Group, Served
from planner.rostering.problem import DAY_MIN, Duty, Person, RosterProblem
from planner.rostering.rules.base import touches_leave
from planner.schedule.lp import Matrix, relaxed
from sim.world import Floats, Ints

GRID_MIN = 5
"""Pauses begin on this grid at the finest; on the coarsest that all times lie on, where that is coarser."""
SECONDS = 60.0


class Bound(NamedTuple):
    """The certificate."""

    cost: float
    """No roster that keeps the hard rules costs less; whole, as all costs are."""
    complete: bool
    """Whether a solver came to its end; or else the bound is that of nobody short and nobody over."""


Crowd = tuple[frozenset[str], int, int, int, int]
"""Skills, then paid minutes and shifts, each at least and at most."""


def bound(problem: RosterProblem, seconds: float = SECONDS) -> Bound:
    """The bound of the programme; 0 where no solver gets there in time, or contracts contradict each other."""
    programme = _Programme(problem)
    if not programme.matrix.n_columns:
        return Bound(float(programme.constant), complete=True)
    found = relaxed(programme.matrix, seconds)
    if found is None:
        return Bound(0.0, complete=False)
    proven = programme.matrix.proven(programme.in_range(found[1]))
    return Bound(max(0.0, float(math.ceil(proven + programme.constant - 1e-6))), complete=True)


class _Programme:
    """Columns and rows."""

    def __init__(self, problem: RosterProblem) -> None:
        self.problem = problem
        self.matrix = Matrix()
        self.constant = 0
        self._ranges: list[tuple[Ints, float, float]] = []
        asked = {skill for need in problem.needs for skill in need.skills}
        self.crowds = [
            (
                frozenset(p.skills & asked), p.terms.least_paid_min, _most(p.terms.most_paid_min),
                p.terms.least_shifts, _most(p.terms.most_shifts),
            )
            for p in problem.people
        ]  # fmt: skip
        self.shifts = self._add_shifts()
        self.pauses = {key: self._add_pauses(*key) for key in self.shifts}
        self._add_cover()

    def in_range(self, duals: Floats) -> Floats:
        """Prices of rows whose columns have no end, brought to where those do not pay."""
        result = duals.copy()
        for rows, low, high in self._ranges:
            result[rows] = np.clip(result[rows], low, high)
        return result

    # Who works what.

    def _add_shifts(self) -> dict[tuple[frozenset[str], int, int], int]:
        """Columns of duties: by skills, day and duty; those of crowds that differ by their terms alone are summed."""
        problem, m = self.problem, self.matrix
        may: dict[Crowd, list[Counter[int]]] = {}
        there: dict[Crowd, Counter[int]] = {}
        size: Counter[Crowd] = Counter()
        for person, crowd in zip(problem.people, self.crowds, strict=True):
            size[crowd] += 1
            days = may.setdefault(crowd, [Counter() for _ in range(problem.days)])
            for day, listed in enumerate(person.duties):
                duties = self._allowed(person, day, listed)
                days[day].update(duties)
                there.setdefault(crowd, Counter())[day] += bool(duties)
        parts: dict[tuple[frozenset[str], int, int], list[int]] = {}
        for crowd, by_day in may.items():
            columns: list[int] = []
            worth: list[int] = []
            for day, allowed in enumerate(by_day):
                if not allowed:
                    continue
                numbers = sorted(allowed)
                x = m.columns(len(numbers), most=np.array([float(allowed[k]) for k in numbers]))
                row = m.rows(1, -np.inf, float(there[crowd][day]))
                m.put(row, x, 1.0)
                columns += x.tolist()
                worth += [problem.duties[k].paid_min for k in numbers]
                for k, column in zip(numbers, x.tolist(), strict=True):
                    parts.setdefault((crowd[0], day, k), []).append(column)
            self._totals(crowd, size[crowd], np.array(columns, np.int64), np.array(worth, float))
        return {key: self._sum(columns) for key, columns in parts.items()}

    def _allowed(self, person: Person, day: int, listed: Collection[int]) -> set[int]:
        """Duties that no hard rule about this person and day alone forbids."""
        problem, prices = self.problem, self.problem.prices
        duties = range(len(problem.duties)) if "allowed_duties" in prices else listed
        only = None if "newcomers" in prices else person.terms.only_kinds
        return {
            k
            for k in duties
            if ("leave" in prices or not touches_leave(person, day, problem.duties[k]))
            and (only is None or problem.duties[k].kind in only)
        }

    def _sum(self, columns: list[int]) -> int:
        if len(columns) == 1:
            return columns[0]
        m = self.matrix
        total = int(m.columns(1, most=float(len(self.problem.people)))[0])
        row = m.rows(1, 0.0, 0.0)
        m.put(row, np.array([total]), -1.0)
        m.put(row, np.array(columns), 1.0)
        return total

    def _totals(self, crowd: Crowd, n: int, columns: Ints, worth: Floats) -> None:
        """Paid time and shifts of a crowd, at their price where the rule has one."""
        m, ones = self.matrix, np.ones(len(worth))
        _, least_paid, most_paid, least_shifts, most_shifts = crowd
        for rule, values, limit, sign in (
            ("least_paid", worth, least_paid, 1.0),
            ("most_paid", worth, most_paid, -1.0),
            ("least_shifts", ones, least_shifts, 1.0),
            ("most_shifts", ones, most_shifts, -1.0),
        ):
            if limit < 0 or (sign > 0 and not limit):
                continue
            row = m.rows(1, sign * n * limit, np.inf)
            m.put(row, columns, sign * values)
            if rule in self.problem.prices:
                price = float(self.problem.prices[rule])
                m.put(row, m.columns(1, price), 1.0)
                self._ranges.append((row, 0.0, price))
            else:
                # A contract that nobody could fulfil must not make the programme empty: what is missing costs nothing.
                reach = (
                    n * sum(sorted(values.tolist(), reverse=True)[: self.problem.days]) if sign > 0 else 0.0
                )
                if sign > 0 and reach < n * limit:
                    m.put(row, m.columns(1, most=float(n * limit)), 1.0)

    def _add_pauses(self, skills: frozenset[str], day: int, number: int) -> list[tuple[Ints, Ints]]:
        """For each pause of a duty its starts, minutes into it, and their columns."""
        m, duty = self.matrix, self.problem.duties[number]
        found: list[tuple[Ints, Ints]] = []
        most = float(len(self.problem.people))
        for pause in duty.pauses:
            last = min(pause.latest_min, duty.minutes - pause.minutes)
            starts = np.arange(pause.earliest_min, last + 1, _grid(self.problem))
            y = m.columns(len(starts), most=most)
            row = m.rows(1, 0.0, 0.0)
            m.put(row, np.array([self.shifts[skills, day, number]]), -1.0)
            m.put(row, y, 1.0)
            found.append((starts, y))
        for (before, pause), (after, _) in pairwise(zip(found, duty.pauses, strict=True)):
            for at in after[0].tolist():
                if at < before[0][-1] + pause.minutes:
                    row = m.rows(1, 0.0, np.inf)
                    m.put(row, after[1][after[0] <= at], -1.0)
                    m.put(row, before[1][before[0] + pause.minutes <= at], 1.0)
        return found

    # What is covered.

    def _add_cover(self) -> None:
        groups = cover.groups(self.problem.needs)
        timed = sorted((g for g in groups if g.kind is None), key=lambda g: g.start_min)
        begins = np.array([g.start_min for g in timed])
        ends = np.array([g.end_min for g in timed])
        counts: dict[tuple[int, frozenset[str]], list[tuple[int, float]]] = {}
        place = {id(g): i for i, g in enumerate(groups)}
        of_kind = {(g.day, g.kind): g for g in groups if g.kind is not None}
        for (skills, day, number), x in self.shifts.items():
            duty = self.problem.duties[number]
            group = of_kind.get((day, duty.kind))
            if group is not None:
                counts.setdefault((place[id(group)], skills), []).append((x, 1.0))
            start, end = day * DAY_MIN + duty.start_min, day * DAY_MIN + duty.end_min
            low, high = np.searchsorted(begins, start), np.searchsorted(begins, end)
            for i in range(int(low), int(high)):
                if ends[i] > end:
                    continue
                terms = counts.setdefault((place[id(timed[i])], skills), [])
                terms.append((x, 1.0))
                terms += self._away((skills, day, number), duty, int(begins[i]) - start, int(ends[i]) - start)
        for i, group in enumerate(groups):
            self._group(
                group, {skills: counts[i, skills] for skills in self._skills if (i, skills) in counts}
            )

    @property
    def _skills(self) -> list[frozenset[str]]:
        return sorted({crowd[0] for crowd in self.crowds}, key=sorted)

    def _away(
        self, key: tuple[frozenset[str], int, int], duty: Duty, begin: int, end: int
    ) -> list[tuple[int, float]]:
        """Columns of the first pause that can lie in a span: whoever pauses twice in it must not be missed twice."""
        for (starts, y), pause in zip(self.pauses[key], duty.pauses, strict=True):
            inside = y[(starts < end) & (begin < starts + pause.minutes)]
            if len(inside):
                return [(int(column), -1.0) for column in inside]
        return []

    def _group(self, group: Group, counts: dict[frozenset[str], list[tuple[int, float]]]) -> None:
        m, needs = self.matrix, self.problem.needs
        rows: dict[int, Ints] = {}
        for number in group.needs:
            need = needs[number]
            row = rows[number] = m.rows(1, float(need.people), float(need.people))
            m.put(row, m.columns(1, float(need.under), most=float(need.people - need.core)), 1.0)
            m.put(row, m.columns(1, float(need.under + need.core_under)), 1.0)
            m.put(row, m.columns(1, float(need.over)), -1.0)
            self._ranges.append((row, -float(need.over), float(need.under + need.core_under)))
        by_served: dict[Served, list[tuple[int, float]]] = {}
        for skills, terms in counts.items():
            able = cover.served(needs, group, skills)
            if able:
                by_served.setdefault(able, []).extend(terms)
        for able, terms in by_served.items():
            columns = np.array([column for column, _ in terms])
            values = np.array([value for _, value in terms])
            if len(able) == 1:
                m.put(rows[able[0]], columns, values)
                continue
            shares = m.columns(len(able), most=float(len(self.problem.people)))
            row = m.rows(1, 0.0, 0.0)
            m.put(row, columns, values)
            m.put(row, shares, -1.0)
            for number, share in zip(able, shares.tolist(), strict=True):
                m.put(rows[number], np.array([share]), 1.0)


def _most(limit: int | None) -> int:
    return -1 if limit is None else limit


def _grid(problem: RosterProblem) -> int:
    edges = [m for d in problem.duties for p in d.pauses for m in (p.minutes, p.earliest_min, d.start_min)]
    edges += [m for n in problem.needs if n.kind is None for m in (n.start_min, n.minutes)]
    return math.gcd(*edges) or GRID_MIN
