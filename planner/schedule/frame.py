"""The cover problem as arrays on the grid, shared by the linear programme and the search. Knows no solver."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from planner.schedule.problem import CoverProblem, wide_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BreakFrame:
    """A break in slots: its span, and its first and last start into the shift."""

    span: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, eq=False)
class KindFrame:
    """A shift kind in slots."""

    index: int
    length: int
    paid_min: int
    breaks: tuple[BreakFrame, ...]
    tied: bool
    """Whether neighbouring breaks could collide, so that their order needs watching."""
    starts: Ints
    """Slots of the horizon at which it may start, rising."""
    days: Ints
    """The day of each start."""
    groups: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Requirement by distinct group set (wishes apart) and slot, and the shift kinds."""

    problem: CoverProblem
    n_slots: int
    n_groups: int
    member: Floats
    """Sets x groups, 1 where the group belongs to the set."""
    need: Floats
    """Sets x slots; 0 where no row stands."""
    under: Floats
    """Sets x slots: price of a person short; 0 where no row stands."""
    over: Floats
    """Sets x slots: price of a person over; 0 where no row stands or a wider one does."""
    asked: Bools
    """Sets x slots: whether a row stands."""
    set_of_row: tuple[int, ...]
    kinds: tuple[KindFrame, ...]
    tail: int
    """Slots a shift can reach past the last start."""


def build_frame(problem: CoverProblem) -> Frame:
    """Expand rows to slots and shift kinds to their starts."""
    slots, per_day, grid = problem.n_slots, problem.slots_per_day, problem.grid_min
    sets: dict[tuple[frozenset[int], bool], int] = {}
    set_of_row = tuple(sets.setdefault((frozenset(row.groups), row.wish), len(sets)) for row in problem.rows)
    shape = (len(sets), slots)
    need, under, over = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    asked = np.zeros(shape, dtype=bool)
    for row, wide, at in zip(problem.rows, wide_rows(problem), set_of_row, strict=True):
        here = slice(row.interval * problem.interval_slots, (row.interval + 1) * problem.interval_slots)
        need[at, here], under[at, here], asked[at, here] = row.people, problem.under_cost * row.weight, True
        over[at, here] = problem.over_cost if wide else 0.0
    member = np.zeros((len(sets), len(problem.group_names)))
    for (groups, _), at in sets.items():
        member[at, sorted(groups)] = 1.0
    kinds: list[KindFrame] = []
    for index, kind in enumerate(problem.shift_kinds):
        breaks = tuple(
            BreakFrame(rule.minutes // grid, -(-rule.earliest_min // grid), rule.latest_min // grid)
            for rule in kind.breaks
        )
        tied = any(b.first < a.last + a.span for a, b in pairwise(breaks))
        starts = np.array(
            sorted(day * per_day + minute // grid for day in kind.days for minute in kind.starts),
            dtype=np.int64,
        )
        if starts.size and kind.groups:
            groups_of = np.array(sorted(kind.groups), dtype=np.int64)
            length = kind.length_min // grid
            kinds.append(
                KindFrame(index, length, kind.paid_min, breaks, tied, starts, starts // per_day, groups_of)
            )
    tail = max((kind.length for kind in kinds), default=0)
    return Frame(
        problem,
        slots,
        len(problem.group_names),
        member,
        need,
        under,
        over,
        asked,
        set_of_row,
        tuple(kinds),
        tail,
    )


def running_sum(frame: Frame, per_slot: Floats) -> Floats:
    """Cumulative sums along time, running on past the horizon as far as any shift can."""
    if frame.problem.cyclic:
        reach = np.arange(frame.n_slots + frame.tail) % frame.n_slots
        long = per_slot[..., reach]
    else:
        pad: list[Any] = [(0, 0)] * (per_slot.ndim - 1) + [(0, frame.tail)]
        long = np.pad(per_slot, pad)
    out = np.zeros((*long.shape[:-1], long.shape[-1] + 1))
    np.cumsum(long, axis=-1, out=out[..., 1:])
    return out


def worth_of_starts(kind: KindFrame, sums: Floats, starts: Ints) -> Floats:
    """What a shift at each start is worth, breaks where they cost least; `sums` run along time, per group."""
    rules = np.array([(rule.first, rule.last, rule.span) for rule in kind.breaks], np.int64).reshape(-1, 3)
    wide = int((rules[:, 1] - rules[:, 0]).max(initial=0)) + 1
    out = np.empty((len(sums), len(starts)))
    _worth(sums, starts, kind.length, rules, kind.tied, np.empty(wide), np.empty(wide), out)
    return out


@numba.njit(nogil=True, cache=True)
def _worth(
    sums: Any, starts: Any, length: int, rules: Any, tied: bool, before: Any, cheapest: Any, out: Any
) -> None:
    """`cheapest[j]`: the breaks so far at their least, when they have ended j slots after the first can."""
    for g in range(len(sums)):
        along = sums[g]
        for i in range(len(starts)):
            start = starts[i]
            total = along[start + length] - along[start]
            ended = 0
            n_before = 0
            for k in range(len(rules)):
                first, last, span = rules[k]
                least = np.inf
                for j in range(last - first + 1):
                    at = start + first + j
                    cost = along[at + span] - along[at]
                    if tied and k > 0:
                        free = first + j - ended
                        cost = np.inf if free < 0 else cost + before[min(free, n_before - 1)]
                    least = min(least, cost)
                    cheapest[j] = least
                if tied:
                    n_before = last - first + 1
                    before[:n_before] = cheapest[:n_before]
                    ended = first + span
                else:
                    total -= least
            out[g, i] = total - before[n_before - 1] if tied and len(rules) else total


def place_breaks(kind: KindFrame, sums: Floats, start: int) -> tuple[int, ...]:
    """Break starts, in slots of the horizon, where they cost least for one shift of one group."""
    if not kind.tied:
        places = []
        for rule in kind.breaks:
            low, high = start + rule.first, start + rule.last + 1
            cost = sums[low + rule.span : high + rule.span] - sums[low:high]
            places.append(low + int(cost.argmin()))
        return tuple(places)
    cheapest = np.zeros(kind.length + 1)
    steps: list[Floats] = []
    for rule in kind.breaks:
        into = np.arange(rule.first, rule.last + 1)
        best = np.full(kind.length + 1, np.inf)
        at = start + into
        best[into + rule.span] = cheapest[into] + sums[at + rule.span] - sums[at]
        steps.append(best)
        cheapest = np.minimum.accumulate(best)
    free_to = kind.length
    backwards: list[int] = []
    for rule, best in zip(reversed(kind.breaks), reversed(steps), strict=True):
        ended = int(best[: free_to + 1].argmin())
        free_to = ended - rule.span
        backwards.append(start + free_to)
    return tuple(reversed(backwards))
