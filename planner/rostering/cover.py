"""Needs that the same people could serve, and the cheapest way to share people among them. Knows no solver of rosters.

Needs of the same day and kind, or of the same time, form a group. Somebody at work who could count for several needs of a
group counts for one. The split that costs least is a transport problem: each person to one need, short and over priced. Its
linear programme has whole vertices, so that its optimum is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from planner.rostering.problem import DAY_MIN, Need, RosterProblem

Served = tuple[int, ...]
"""Which needs (their numbers in the problem) somebody could count for."""


class Group(NamedTuple):
    """Needs of the same time."""

    needs: tuple[int, ...]
    day: int
    kind: str | None
    start_min: int
    """Minutes after the first midnight of the horizon, and the end; only without a kind."""
    end_min: int


class Met(NamedTuple):
    """How a need is met."""

    need: int
    short: int
    over: int


def groups(needs: Sequence[Need]) -> list[Group]:
    """The needs, together by day and kind or by time."""
    found: dict[tuple[int, str | None, int, int], list[int]] = {}
    for number, need in enumerate(needs):
        start = need.day * DAY_MIN + need.start_min
        timed = (start // DAY_MIN, None, start, start + need.minutes)
        key = timed if need.kind is None else (need.day, need.kind, 0, 0)
        found.setdefault(key, []).append(number)
    return [Group(tuple(members), *key) for key, members in found.items()]


def served(needs: Sequence[Need], group: Group, skills: frozenset[str]) -> Served:
    """Those needs of a group that somebody with these skills could count for."""
    return tuple(n for n in group.needs if not needs[n].skills or needs[n].skills & skills)


def at_post(problem: RosterProblem, person: int, post: int | None) -> frozenset[str]:
    """What somebody counts for while on the queue at a post: all that they can do where it is None."""
    own = problem.people[person].skills
    counting = None if post is None else problem.posts[post].skills
    return own if counting is None else own & counting


def split(needs: Sequence[Need], counts: Sequence[tuple[Group, Mapping[Served, int]]]) -> list[Met]:
    """How each need is met at the least cost, given for each group how many people could count for which needs."""
    met: list[Met] = []
    shared: list[tuple[Group, Mapping[Served, int]]] = []
    for group, people in counts:
        if any(n and len(able) > 1 for able, n in people.items()):
            shared.append((group, people))
            continue
        for need in group.needs:
            excess = people.get((need,), 0) - needs[need].people
            met.append(Met(need, max(0, -excess), max(0, excess)))
    return sorted(met + (_transport(needs, shared) if shared else []))


def _transport(needs: Sequence[Need], counts: Sequence[tuple[Group, Mapping[Served, int]]]) -> list[Met]:
    cost: list[float] = []
    supply: list[int] = []
    links: list[tuple[int, int]] = []  # column of a person's choice to its row of supply
    reach: dict[int, list[int]] = {need: [] for group, _ in counts for need in group.needs}
    for _, people in counts:
        for able, n in people.items():
            if n and able:
                for need in able:
                    links.append((len(supply), len(cost)))
                    reach[need].append(len(cost))
                    cost.append(0.0)
                supply.append(n)
    rows, right = [row for row, _ in links], list(supply)
    columns, values = [column for _, column in links], [1.0] * len(links)
    for need, choices in reach.items():
        row = len(right)
        right.append(needs[need].people)
        terms = [*((choice, 1.0) for choice in choices), (len(cost), 1.0), (len(cost) + 1, -1.0)]
        rows += [row] * len(terms)
        columns += [column for column, _ in terms]
        values += [value for _, value in terms]
        cost += [needs[need].under, needs[need].over]
    matrix = coo_array((values, (rows, columns)), shape=(len(right), len(cost)))
    solved = linprog(cost, A_eq=matrix.tocsr(), b_eq=right, method="highs-ds")  # type: ignore[call-overload]
    if solved.status != 0:  # every split is feasible and no price is below 0: only a defect gets here
        raise RuntimeError(f"the split of people among needs was not solved: {solved.message}")
    placed = np.rint(solved.x).astype(int)
    if np.abs(placed - solved.x).max() > 1e-6:
        raise RuntimeError("the split of people among needs is not whole")
    met = []
    for need, choices in reach.items():
        excess = int(placed[choices].sum()) - needs[need].people
        met.append(Met(need, max(0, -excess), max(0, excess)))
    return met
