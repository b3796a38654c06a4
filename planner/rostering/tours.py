"""What no roster of these people can cost less than: a linear programme over like people, their duties and pauses.

People who count for the same needs on the same terms are one crowd; of a crowd it is said how many work a duty on a day and where
how many pause, in fractions. Rest, runs of days, fairness and wishes are left out, so that every roster fits in and the least
cost of cover and contracts is a bound. It is proven by weak duality from the solver's prices: the solver need not be believed.
Pauses are those of rosters that the planner makes: they start on the grid of all times. Elsewhere one could touch a quarter-hour more.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from planner.rostering import cover
from planner.rostering.cover import Group, Served
from planner.rostering.problem import DAY_MIN, Duty, Pause, Person, RosterProblem
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


Kin = tuple[frozenset[str], bool]
"""Skills that are asked for, and whether some may be left aside at a post."""
Crowd = tuple[Kin, int, int, int, int]
"""Who counts alike; then paid minutes and shifts, each at least and at most."""


class _Family(NamedTuple):
    """Duties that differ by how often they hold decompression alone."""

    duty: Duty
    """With the fewest pauses."""
    extra: Pause | None = None
    """Decompression that others have beyond it, in the widest window."""
    most: int = 0
    """How often at most."""


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
        self.families, self.family_of = _families(problem.duties)
        self.crowds = [
            (
                (frozenset(p.skills & asked), any(problem.posts[k].skills is not None for k in p.posts)), p.terms.least_paid_min, _most(p.terms.most_paid_min),
                p.terms.least_shifts, _most(p.terms.most_shifts),
            )
            for p in problem.people
        ]  # fmt: skip
        self.grid = _grid(problem)
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

    def _add_shifts(self) -> dict[tuple[Kin, int, int], int]:
        """Columns of duties: by skills, day and duty; those of crowds that differ by their terms alone are summed."""
        problem, m = self.problem, self.matrix
        may: dict[Crowd, list[Counter[int]]] = {}
        there: dict[Crowd, Counter[int]] = {}
        size: Counter[Crowd] = Counter()
        for person, crowd in zip(problem.people, self.crowds, strict=True):
            size[crowd] += 1
            days = may.setdefault(crowd, [Counter() for _ in range(problem.days)])
            for day, listed in enumerate(person.duties):
                families = {self.family_of[k] for k in self._allowed(person, day, listed)}
                days[day].update(families)
                there.setdefault(crowd, Counter())[day] += bool(families)
        parts: dict[tuple[Kin, int, int], list[int]] = {}
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
                worth += [self.families[k].duty.paid_min for k in numbers]
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

    def _add_pauses(self, kin: Kin, day: int, number: int) -> list[tuple[Pause, Ints, Ints]]:
        """For each pause of a duty its starts, minutes into it, and their columns; decompression that some have comes last."""
        m, (duty, extra, most_extra) = self.matrix, self.families[number]
        x = np.array([self.shifts[kin, day, number]])
        found: list[tuple[Pause, Ints, Ints]] = []
        for pause in duty.pauses:
            starts, y = self._starts(pause, duty)
            row = m.rows(1, 0.0, 0.0)
            m.put(row, x, -1.0)
            m.put(row, y, 1.0)
            found.append((pause, starts, y))
        for (pause, before, begun), (_, after, beginning) in pairwise(found):
            for at in after.tolist():
                if at < before[-1] + pause.minutes:
                    row = m.rows(1, 0.0, np.inf)
                    m.put(row, beginning[after <= at], -1.0)
                    m.put(row, begun[before + pause.minutes <= at], 1.0)
        if extra is not None:
            starts, y = self._starts(extra, duty)
            row = m.rows(1, 0.0, np.inf)
            m.put(row, x, float(most_extra))
            m.put(row, y, -1.0)
            found.append((extra, starts, y))
        return found

    def _starts(self, pause: Pause, duty: Duty) -> tuple[Ints, Ints]:
        last = min(pause.latest_min, duty.minutes - pause.minutes)
        starts = np.arange(pause.earliest_min, last + 1, self.grid)
        return starts, self.matrix.columns(len(starts), most=float(len(self.problem.people)))

    # What is covered.

    def _add_cover(self) -> None:
        groups = cover.groups(self.problem.needs)
        timed = sorted((g for g in groups if g.kind is None), key=lambda g: g.start_min)
        begins = np.array([g.start_min for g in timed])
        ends = np.array([g.end_min for g in timed])
        counts: dict[tuple[int, Kin], list[tuple[int, float]]] = {}
        place = {id(g): i for i, g in enumerate(groups)}
        of_kind = {(g.day, g.kind): g for g in groups if g.kind is not None}
        for (kin, day, number), x in self.shifts.items():
            duty = self.families[number].duty
            group = of_kind.get((day, duty.kind))
            if group is not None:
                counts.setdefault((place[id(group)], kin), []).append((x, 1.0))
            start, end = day * DAY_MIN + duty.start_min, day * DAY_MIN + duty.end_min
            low, high = np.searchsorted(begins, start), np.searchsorted(begins, end)
            for i in range(int(low), int(high)):
                if ends[i] > end:
                    continue
                terms = counts.setdefault((place[id(timed[i])], kin), [])
                terms.append((x, 1.0))
                terms += self._away((kin, day, number), int(begins[i]) - start, int(ends[i]) - start)
        kins = sorted({crowd[0] for crowd in self.crowds}, key=lambda kin: (sorted(kin[0]), kin[1]))
        for i, group in enumerate(groups):
            self._group(group, {kin: counts[i, kin] for kin in kins if (i, kin) in counts})

    def _away(self, key: tuple[Kin, int, int], begin: int, end: int) -> list[tuple[int, float]]:
        """Columns of pauses that can lie in a span. Where somebody could take two of them in it, they may be missed once."""
        m = self.matrix
        inside = [
            y[(starts < end) & (begin < starts + pause.minutes)] for pause, starts, y in self.pauses[key]
        ]
        terms = [(int(column), -1.0) for columns in inside for column in columns]
        # Of those in the span, all but one may be too many; decompression that some have may itself be there several times.
        often = [1] * len(inside)
        _, extra, most_extra = self.families[key[2]]
        if extra is not None:
            often[-1] = most_extra
        there = [(columns, n) for columns, n in zip(inside, often, strict=True) if len(columns)]
        if sum(n for _, n in there) > 1 and not self._apart(begin, end):
            back = m.columns(1, most=float(len(self.problem.people) * sum(often)))
            row = m.rows(1, 0.0, np.inf)
            m.put(row, back, -1.0)
            for k, (columns, n) in enumerate(there):
                m.put(row, columns, 1.0 if k else 1.0 - 1.0 / n)
            terms.append((int(back[0]), 1.0))
        return terms

    def _apart(self, begin: int, end: int) -> bool:
        """Whether a span is one step of the grid, in which nobody can take two pauses."""
        return end - begin <= self.grid and begin % self.grid == 0

    def _group(self, group: Group, counts: dict[Kin, list[tuple[int, float]]]) -> None:
        m, needs = self.matrix, self.problem.needs
        rows: dict[int, Ints] = {}
        for number in group.needs:
            need = needs[number]
            row = rows[number] = m.rows(1, float(need.people), float(need.people))
            m.put(row, m.columns(1, float(need.under), most=float(need.people - need.core)), 1.0)
            m.put(row, m.columns(1, float(need.under + need.core_under)), 1.0)
            m.put(row, m.columns(1, float(need.over)), -1.0)
            self._ranges.append((row, -float(need.over), float(need.under + need.core_under)))
        by_served: dict[tuple[Served, bool], list[tuple[int, float]]] = {}
        for (skills, rotates), terms in counts.items():
            able = cover.served(needs, group, skills)
            if able:
                by_served.setdefault((able, rotates), []).extend(terms)
        for (able, rotates), terms in by_served.items():
            columns = np.array([column for column, _ in terms])
            values = np.array([value for _, value in terms])
            if len(able) == 1 and not rotates:
                m.put(rows[able[0]], columns, values)
                continue
            shares = m.columns(len(able), most=float(len(self.problem.people)))
            # Who leaves skills aside at a post may count for nothing.
            row = m.rows(1, 0.0, np.inf if rotates else 0.0)
            m.put(row, columns, values)
            m.put(row, shares, -1.0)
            for number, share in zip(able, shares.tolist(), strict=True):
                m.put(rows[number], np.array([share]), 1.0)


def _most(limit: int | None) -> int:
    return -1 if limit is None else limit


def _families(duties: Sequence[Duty]) -> tuple[list[_Family], list[int]]:
    """The families, and the number of each duty's."""
    together: dict[tuple[object, ...], list[int]] = {}
    for k, duty in enumerate(duties):
        others = tuple(pause for pause in duty.pauses if pause.kind != "decompression")
        together.setdefault((*duty._replace(pauses=others),), []).append(k)
    families: list[_Family] = []
    family_of = [0] * len(duties)
    for members in together.values():
        pauses = [[p for p in duties[k].pauses if p.kind == "decompression"] for k in members]
        least = min(range(len(members)), key=lambda i: len(pauses[i]))
        every = [p for some in pauses for p in some]
        alike = len({p.minutes for p in every}) <= 1 and not pauses[least]
        if len(members) > 1 and not alike:
            for k in members:
                family_of[k] = len(families)
                families.append(_Family(duties[k]))
            continue
        for k in members:
            family_of[k] = len(families)
        extra = None
        if every and len(members) > 1:
            extra = every[0]._replace(
                earliest_min=min(p.earliest_min for p in every), latest_min=max(p.latest_min for p in every)
            )
        families.append(_Family(duties[members[least]], extra, max(len(some) for some in pauses)))
    return families, family_of


def _grid(problem: RosterProblem) -> int:
    edges = [m for d in problem.duties for p in d.pauses for m in (p.minutes, p.earliest_min, d.start_min)]
    edges += [m for n in problem.needs if n.kind is None for m in (n.start_min, n.minutes)]
    return math.gcd(*edges) or GRID_MIN
