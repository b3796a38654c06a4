"""Shifts and breaks that cover a requirement at least cost, with a proven bound.

The linear programme of starts and breaks gives prices, which prove the bound, and fractional shifts; rounding
its running totals along time makes them whole; a search moves one shift at a time, judged by the exact
objective. Then, where the size allows, all breaks are placed anew by a whole-number programme; small problems
are searched completely. Shortage is priced, so that a plan always comes out. Work is limited by counts, not
by the clock: the same seed gives the same plan unless the time limit strikes, and then the plan says so.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from planner.schedule.frame import Floats, Frame, Ints, build_frame
from planner.schedule.problem import (
    CoverProblem,
    Plan,
    Prices,
    ProblemError,
    Shift,
    Unmet,
    faults,
    relative_gap,
)
from planner.schedule.search import (
    Bench,
    Piece,
    Shares,
    best_thresholds,
    improve,
    keep_limits,
    pieces_of,
    round_class,
    shares,
)
from planner.schedule.validate import proven_bound

if TYPE_CHECKING:
    from planner.schedule import lp

PASSES = 6
ENOUGH = 1e-4  # a pass of the search that saves less is the last
SMALL = 1_500  # columns up to which the whole problem is searched completely
SMALL_NODES = 500
BREAKS = 12_000  # columns up to which all breaks are placed anew at once
BREAKS_NODES = 1
PROVEN = 1e-6


def solve(problem: CoverProblem, *, seed: int = 0, time_limit_s: float = 60.0, thorough: bool = True) -> Plan:
    """The best plan found, how good it is known to be, and what stays short.

    With `thorough` false the search makes one pass and whole-number programmes are left out: sooner, a little dearer.
    """
    began = time.perf_counter()
    deadline = began + time_limit_s
    wrong = faults(problem)
    if wrong:
        raise ProblemError("; ".join(wrong))
    frame = build_frame(problem)
    if not frame.kinds:
        bench = Bench(frame)
        return _plan(bench, bench.objective(), None, began, by_clock=False)

    from planner.schedule import lp  # brings OR-Tools, slow to import

    programme = lp.build(frame)
    relaxed = lp.solve_linear(programme, 0.8 * time_limit_s)
    by_clock = relaxed is None
    bound, prices = 0.0, None
    bench = Bench(frame)
    if relaxed is not None:
        prices = relaxed.prices
        bound = 0.0 if prices is None else proven_bound(problem, prices)
        bench = Bench(
            frame,
            best_thresholds(frame, [_shares(frame, part, relaxed.values) for part in programme.classes]),
        )
    keep_limits(bench)
    by_clock |= not improve(bench, np.random.default_rng(seed), PASSES if thorough else 1, ENOUGH, deadline)

    if relative_gap(bench.objective(), bound) > PROVEN and not by_clock and thorough:
        found = None
        if programme.matrix.n_columns <= SMALL:
            found = lp.solve_whole(programme, deadline - time.perf_counter(), SMALL_NODES, seed)
            if found is not None and found.bound > bound + PROVEN * abs(bound):
                bound, prices = found.bound, None
        elif (frame.member.sum(axis=0) <= 1).all():  # overlapping sets make it too slow for what it finds
            programme = _breaks_alone(frame, bench)
            if programme.matrix.n_columns <= BREAKS:
                found = lp.solve_whole(programme, deadline - time.perf_counter(), BREAKS_NODES, seed)
        if found is not None:
            by_clock |= not found.complete
            bench = min(bench, _whole(frame, programme, found), key=Bench.objective)
    return _plan(bench, bound, prices, began, by_clock)


def _breaks_alone(frame: Frame, bench: Bench) -> lp.Programme:
    """The programme in which the starts are given and only the breaks are free."""
    from planner.schedule import lp

    counts = Counter((piece.group, piece.kind.index, piece.start) for piece in bench.pieces)
    starts: dict[tuple[int, int], list[int]] = {}
    numbers: dict[tuple[int, int], list[int]] = {}
    for (group, kind, start), number in sorted(counts.items()):
        starts.setdefault((group, kind), []).append(start)
        numbers.setdefault((group, kind), []).append(number)

    def arrays(lists: dict[tuple[int, int], list[int]]) -> dict[tuple[int, int], Ints]:
        return {key: np.array(values, dtype=np.int64) for key, values in lists.items()}

    return lp.build(frame, arrays(starts), arrays(numbers))


def _shares(frame: Frame, part: lp.ClassColumns, values: Floats) -> Shares:
    return shares(frame, part.group, part.kind, part.starts, values[part.x], [values[y] for y in part.y])


def _whole(frame: Frame, programme: lp.Programme, solved: lp.Solved) -> Bench:
    """A whole-number solution as shifts: running totals that are whole already are cut where they stand."""
    values = np.round(solved.values)
    pieces: list[Piece] = []
    for part in programme.classes:
        share = _shares(frame, part, values)
        pieces += pieces_of(share, round_class(share, 0.0))
    bench = Bench(frame, pieces)
    keep_limits(bench)
    return bench


def _plan(bench: Bench, bound: float, prices: Prices | None, began: float, by_clock: bool) -> Plan:
    problem = bench.frame.problem
    objective = bench.objective()
    bound = min(bound, objective)
    gap = relative_gap(objective, bound)
    status = "optimal" if gap <= PROVEN else "feasible"
    if bench.missing_min() > 0:
        status = "hours out of reach"
    shifts = sorted(_shift(problem, piece) for piece in bench.pieces)
    seconds = time.perf_counter() - began
    return Plan(tuple(shifts), status, objective, bound, gap, seconds, _unmet(bench), prices, by_clock)


def _shift(problem: CoverProblem, piece: Piece) -> Shift:
    day, start = divmod(piece.start, problem.slots_per_day)
    midnight = day * problem.slots_per_day
    breaks = tuple((k, (at - midnight) * problem.grid_min) for k, at in enumerate(piece.breaks))
    return Shift(piece.group, day, start * problem.grid_min, piece.kind.index, breaks)


def _unmet(bench: Bench) -> tuple[Unmet, ...]:
    frame, problem = bench.frame, bench.frame.problem
    short = np.maximum(frame.need - frame.member @ bench.people, 0.0)
    found: list[Unmet] = []
    for row, at in zip(problem.rows, frame.set_of_row, strict=True):
        first = row.interval * problem.interval_slots
        here = short[at, first : first + problem.interval_slots]
        if here.max() > PROVEN and not row.wish:
            found.append(Unmet(row.interval, row.groups, float(here.max()), float(here.sum())))
    return tuple(found)
