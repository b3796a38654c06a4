"""Shifts that can be given back where many are over: nobody is short for it who was not, and no rule is broken for it.

Those whose time has most people over go first, one after another; each is looked at again at its turn. Who gives a shift back does
so freely, so that the least that a contract promises in paid time and shifts does not stand against it.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from planner.rostering import cover, rules
from planner.rostering.cover import Group, Served
from planner.rostering.problem import NamedRoster, RosterProblem, Work
from planner.rostering.validate import count

FREELY = frozenset({"least_paid", "least_shifts", "changes"})
"""What does not stand against giving a shift back."""


class GivenBack(NamedTuple):
    """A shift that can be given back, after those before it in the list."""

    work: Work
    paid_min: int
    over_hours: float
    """People over in the quarters of an hour that it covers, summed: before it is given back."""


def given_back(problem: RosterProblem, roster: NamedRoster) -> list[GivenBack]:
    """The shifts, largest over first."""
    state = _State(problem, roster)
    queue = [(-state.over(k), k) for k in range(len(roster.work))]
    heapq.heapify(queue)
    found: list[GivenBack] = []
    while queue:
        before, k = heapq.heappop(queue)
        over = state.over(k)
        if over < -before:  # others have been given back since
            heapq.heappush(queue, (-over, k))
            continue
        if over > 0 and state.give_back(k):
            work = roster.work[k]
            found.append(GivenBack(work, problem.duties[work.duty].paid_min, over / 60))
    return found


class _State:
    """The cover and everybody's work, while shifts are given back."""

    def __init__(self, problem: RosterProblem, roster: NamedRoster) -> None:
        self.problem = problem
        self.roster = roster
        counted = count(problem, roster)
        self.groups = [group for group, _ in counted]
        self.people: list[dict[Served, int]] = [people for _, people in counted]
        self.met = [self._met(g) for g in range(len(self.groups))]
        self.covers = [self._covered(work) for work in roster.work]
        self.work: dict[int, set[Work]] = {}
        for work in roster.work:
            self.work.setdefault(work.person, set()).add(work)
        self.broken: dict[int, Counter[str]] = {}

    def _covered(self, work: Work) -> list[tuple[int, Served]]:
        """Groups of needs (their numbers) in whose time somebody is on the queue with this work, and what they could count for there."""
        alone = count(self.problem, NamedRoster((work,)))
        return [(g, able) for g, (_, people) in enumerate(alone) for able in people if able]

    def _met(self, g: int, people: Mapping[Served, int] | None = None) -> tuple[int, int, dict[int, int]]:
        """Short, its price, and over by need, of a group."""
        needs = self.problem.needs
        group: Group = self.groups[g]
        found = cover.split(needs, [(group, self.people[g] if people is None else people)])
        return (
            sum(m.short for m in found),
            sum(m.short * needs[m.need].under for m in found),
            {m.need: m.over for m in found},
        )

    def over(self, k: int) -> int:
        """People over x minutes in the needs that a shift can count for."""
        needs = self.problem.needs
        return sum(self.met[g][2][n] * (needs[n].minutes or 1) for g, able in self.covers[k] for n in able)

    def give_back(self, k: int) -> bool:
        """Give a shift back if that makes nobody short and breaks no rule; whether it did."""
        work = self.roster.work[k]
        if (work.person, work.day) in self.problem.locked:
            return False
        changed = {}
        for g, able in self.covers[k]:
            people = {**self.people[g], able: self.people[g][able] - 1}
            met = self._met(g, people)
            if met[0] > self.met[g][0] or met[1] > self.met[g][1]:
                return False
            changed[g] = people, met
        rest = self.work[work.person] - {work}
        before = self.broken.get(work.person)
        if before is None:
            before = self._rules(work.person, self.work[work.person])
        after = self._rules(work.person, rest)
        if after - before:
            self.broken[work.person] = before
            return False
        for g, (people, met) in changed.items():
            self.people[g], self.met[g] = people, met
        self.work[work.person], self.broken[work.person] = rest, after
        return True

    def _rules(self, person: int, work: set[Work]) -> Counter[str]:
        """By how much one person breaks rules."""
        alone = self.problem._replace(
            people=(self.problem.people[person],), needs=(), published=None, locked=frozenset()
        )
        mine = NamedRoster(tuple(sorted(one._replace(person=0) for one in work)))
        found: Counter[str] = Counter()
        for one in rules.check(alone, mine):
            if one.rule not in FREELY:
                found[one.rule] += one.by
        return found
