"""The linear programme of shift starts and breaks, and its whole-number twin, through OR-Tools.

Aykin's (1996) model: x[c, s] shifts of class c (a group and a kind) start at s; y[c, s, b, o] of them take
break b at offset o; per class, start and break the y add up to x. On the queue = shifts present - breaks.
Rows are soft. Where windows of neighbouring breaks overlap, the later never runs ahead of the earlier's end:
sum of y[b+1] up to o <= sum of y[b] up to o - span[b], which, sorted first to first, is exact.

HiGHS solves middling programmes (never load `highspy` beside OR-Tools), PDLP large ones, GLOP is the way out.
Prices come back with the solution and prove the bound elsewhere, so no solver has to be believed.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt
from ortools.pdlp import solvers_pb2

from planner.schedule.frame import Bools, Floats, Frame, Ints, KindFrame
from planner.schedule.problem import Prices

LARGE = 150_000  # entries of the matrix above which first-order steps beat interior points
PDLP_TOLERANCE = 5e-4  # what it leaves open, the bound pays for: about 0.02 %


class Matrix:
    """Columns and rows of a programme, gathered in arrays."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.n_columns = 0
        self.n_rows = 0
        none, nowhere = np.zeros(0), np.zeros(0, dtype=np.int64)
        self._columns: list[tuple[Floats, Floats, Floats]] = [(none, none, none)]
        self._whole: list[Bools] = [np.zeros(0, dtype=bool)]
        self._rows: list[tuple[Floats, Floats]] = [(none, none)]
        self._entries: list[tuple[Ints, Ints, Floats]] = [(nowhere, nowhere, none)]

    def columns(
        self,
        n: int,
        cost: float | Floats = 0.0,
        whole: bool = False,
        fixed: Floats | None = None,
        most: float | Floats = np.inf,
    ) -> Ints:
        """Add `n` columns from 0 to `most`, or `fixed`; their indices."""
        first, self.n_columns = self.n_columns, self.n_columns + n
        lower, upper = (np.zeros(n), np.full(n, most)) if fixed is None else (fixed, fixed)
        self._columns.append((lower, upper, np.full(n, cost)))
        self._whole.append(np.full(n, whole))
        return np.arange(first, self.n_columns)

    def rows(self, n: int, lower: float | Floats, upper: float | Floats) -> Ints:
        """Add `n` rows; their indices."""
        first, self.n_rows = self.n_rows, self.n_rows + n
        self._rows.append((np.full(n, lower), np.full(n, upper)))
        return np.arange(first, self.n_rows)

    def put(self, rows: Ints, columns: Ints, value: float | Floats) -> None:
        """Add entries; shapes broadcast, a row of -1 takes none."""
        r, c, v = np.broadcast_arrays(rows, columns, np.asarray(value, dtype=float))
        keep = r.ravel() >= 0
        self._entries.append((r.ravel()[keep], c.ravel()[keep], v.ravel()[keep]))

    @property
    def n_entries(self) -> int:
        """Entries so far."""
        return sum(len(v) for _, _, v in self._entries)

    def proven(self, duals: Floats) -> float:
        """What no solution costs less than, by these prices of rows: weak duality, whoever found them.

        Minus infinity where a column without end would pay: prices of rows with such columns must be in their range.
        """
        lower, upper, cost = (np.concatenate(part) for part in zip(*self._columns, strict=True))
        low, high = (np.concatenate(part) for part in zip(*self._rows, strict=True))
        r, c, v = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        # A price on the side where a row has no end proves nothing.
        duals = np.where(np.isinf(high), np.maximum(duals, 0.0), duals)
        duals = np.where(np.isinf(low), np.minimum(duals, 0.0), duals)
        reduced = cost - np.bincount(c, weights=v * duals[r], minlength=self.n_columns)
        reduced[np.abs(reduced) < 1e-9 * (1 + np.abs(cost))] = 0.0
        ends = np.where(duals > 0, low, high)
        at = np.where(reduced > 0, lower, upper)
        rows = np.where(duals == 0, 0.0, duals * np.where(duals == 0, 0.0, ends))
        columns = np.where(reduced == 0, 0.0, reduced * np.where(reduced == 0, 0.0, at))
        return float(rows.sum() + columns.sum())

    def model(self, whole: bool) -> mathopt.Model:
        """The programme for MathOpt; with `whole`, whole-number columns are held to be so."""
        proto = model_pb2.ModelProto()
        lower, upper, cost = (np.concatenate(part) for part in zip(*self._columns, strict=True))
        proto.variables.ids.extend(range(self.n_columns))
        proto.variables.lower_bounds.extend(lower.tolist())
        proto.variables.upper_bounds.extend(upper.tolist())
        integers = np.concatenate(self._whole) if whole else np.zeros(self.n_columns, dtype=bool)
        proto.variables.integers.extend(integers.tolist())
        priced = np.flatnonzero(cost)
        proto.objective.linear_coefficients.ids.extend(priced.tolist())
        proto.objective.linear_coefficients.values.extend(cost[priced].tolist())
        low, high = (np.concatenate(part) for part in zip(*self._rows, strict=True))
        proto.linear_constraints.ids.extend(range(self.n_rows))
        proto.linear_constraints.lower_bounds.extend(low.tolist())
        proto.linear_constraints.upper_bounds.extend(high.tolist())
        r, c, v = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        # A shift as long as a short cyclic horizon, or a break across its seam, can meet a row twice.
        key, inverse = np.unique(r * self.n_columns + c, return_inverse=True)
        summed = np.bincount(inverse, weights=v, minlength=key.size)
        kept = summed != 0
        proto.linear_constraint_matrix.row_ids.extend((key // self.n_columns)[kept].tolist())
        proto.linear_constraint_matrix.column_ids.extend((key % self.n_columns)[kept].tolist())
        proto.linear_constraint_matrix.coefficients.extend(summed[kept].tolist())
        return mathopt.Model.from_model_proto(proto)


@dataclass(frozen=True, slots=True)
class ClassColumns:
    """Where one class (a group and a kind) lives in the programme."""

    group: int
    kind: KindFrame
    starts: Ints
    """The starts in play, in slots of the horizon."""
    x: Ints
    """Column per start."""
    y: tuple[Ints, ...]
    """Columns per break: starts x offsets."""


@dataclass(frozen=True, slots=True)
class Programme:
    """The matrix, and what its columns and rows mean."""

    frame: Frame
    matrix: Matrix
    classes: tuple[ClassColumns, ...]
    cover_rows: Ints
    """Sets x slots; -1 where no row stands."""
    caps: dict[int, int]
    day_caps: dict[int, Ints]
    least: int
    most: int
    budget: int


@dataclass(frozen=True, slots=True)
class Solved:
    """Values of the columns, and prices when the programme was linear."""

    values: Floats
    prices: Prices | None
    bound: float
    complete: bool
    """Whether the solver came to its own end rather than to a limit."""


def build(
    frame: Frame,
    in_play: dict[tuple[int, int], Ints] | None = None,
    counts: dict[tuple[int, int], Ints] | None = None,
) -> Programme:
    """The programme of a problem.

    With `in_play`, only these starts per group and kind may be used; with `counts`, exactly so many shifts
    begin at each of them, and only the breaks are free.
    """
    problem, slots = frame.problem, frame.n_slots
    if in_play is None:
        in_play = {(int(g), kind.index): kind.starts for kind in frame.kinds for g in kind.groups}
    by_index = {kind.index: kind for kind in frame.kinds}
    asked, need = frame.asked, frame.need
    m = Matrix()
    cover_rows = np.full(need.shape, -1, dtype=np.int64)
    priced = frame.over[asked] > 0
    cover_rows[asked] = m.rows(int(asked.sum()), need[asked], np.where(priced, need[asked], np.inf))
    m.put(cover_rows[asked], m.columns(int(asked.sum()), frame.under[asked]), 1.0)
    m.put(cover_rows[asked][priced], m.columns(int(priced.sum()), frame.over[asked][priced]), -1.0)
    target = _rows_of_groups(frame, m, cover_rows)

    def spread(group: int, at: Ints, columns: Ints, sign: float) -> None:
        at = at % slots if problem.cyclic else np.minimum(at, slots)
        m.put(target[group][at], columns, sign)

    classes: list[ClassColumns] = []
    for (group, index), starts in in_play.items():
        kind = by_index[index]
        cost = kind.paid_min * problem.cost_per_paid_min[group]
        given = None if counts is None else counts[group, index].astype(float)
        x = m.columns(starts.size, cost, whole=True, fixed=given)
        spread(group, starts[:, None] + np.arange(kind.length), x[:, None], 1.0)
        ys: list[Ints] = []
        for rule in kind.breaks:
            into = np.arange(rule.first, rule.last + 1)
            y = m.columns(starts.size * into.size, whole=True).reshape(starts.size, into.size)
            taken = m.rows(starts.size, 0.0, 0.0)
            m.put(taken, x, -1.0)
            m.put(taken[:, None], y, 1.0)
            at = (starts[:, None] + into)[:, :, None] + np.arange(rule.span)
            spread(group, at, y[:, :, None], -1.0)
            ys.append(y)
        for (a, ya), (b, yb) in pairwise(zip(kind.breaks, ys, strict=True)):
            # at every offset at which b may have begun while some a has not ended
            for begun in range(b.first, min(b.last, a.last + a.span - 1) + 1):
                order = m.rows(starts.size, 0.0, np.inf)
                m.put(order[:, None], yb[:, : begun - b.first + 1], -1.0)
                m.put(order[:, None], ya[:, : max(0, begun - a.span - a.first + 1)], 1.0)
        classes.append(ClassColumns(group, kind, starts, x, tuple(ys)))
    caps: dict[int, int] = {}
    day_caps: dict[int, Ints] = {}
    least = most = budget = -1
    if counts is None:
        for group, cap in enumerate(problem.max_shifts):
            if cap is not None:
                caps[group] = int(m.rows(1, -np.inf, float(cap))[0])
        for group, per_day in enumerate(problem.max_shifts_per_day):
            if per_day is not None:
                day_caps[group] = m.rows(problem.n_days, -np.inf, np.asarray(per_day, dtype=float))
        if problem.paid_time is not None:
            most = int(m.rows(1, -np.inf, problem.paid_time.most)[0])
            least = int(m.rows(1, problem.paid_time.least, np.inf)[0])
            m.put(np.array([least]), m.columns(1, problem.price_of_missing_minute), 1.0)
        if problem.budget is not None:
            budget = int(m.rows(1, -np.inf, problem.budget)[0])
        for part in classes:
            days = part.starts // problem.slots_per_day
            if part.group in caps:
                m.put(np.array([caps[part.group]]), part.x, 1.0)
            if part.group in day_caps:
                m.put(day_caps[part.group][days], part.x, 1.0)
            if most >= 0:
                m.put(np.array([[most], [least]]), part.x, part.kind.paid_min)
            if budget >= 0:
                rate = problem.cost_per_paid_min[part.group]
                m.put(np.array([budget]), part.x, part.kind.paid_min * rate)
    return Programme(frame, m, tuple(classes), cover_rows, caps, day_caps, least, most, budget)


def _rows_of_groups(frame: Frame, m: Matrix, cover_rows: Ints) -> list[Ints]:
    """Per group the row that counts its people, per slot, with -1 past the end.

    A group in one set counts straight in that set's rows; a group in several gets a column per slot, so that
    each shift is entered once and not once per set.
    """
    target: list[Ints] = []
    for group in range(frame.n_groups):
        sets = np.flatnonzero(frame.member[:, group])
        if sets.size == 0:
            rows = np.full(frame.n_slots, -1, dtype=np.int64)
        elif sets.size == 1:
            rows = cover_rows[sets[0]]
        else:
            used = (cover_rows[sets] >= 0).any(axis=0)
            rows = np.full(frame.n_slots, -1, dtype=np.int64)
            rows[used] = m.rows(int(used.sum()), 0.0, 0.0)
            people = np.full(frame.n_slots, -1, dtype=np.int64)
            people[used] = m.columns(int(used.sum()))
            m.put(rows[used], people[used], -1.0)
            for at in sets:
                here = cover_rows[at] >= 0
                m.put(cover_rows[at][here], people[here], 1.0)
        target.append(np.append(rows, -1))
    return target


def solve_linear(programme: Programme, seconds: float) -> Solved | None:
    """Solve the relaxation; None when no solver gets there in time."""
    found = relaxed(programme.matrix, seconds)
    if found is None:
        return None
    values, duals, bound = found
    return Solved(values, _prices(programme, duals), bound, complete=True)


def relaxed(matrix: Matrix, seconds: float) -> tuple[Floats, Floats, float] | None:
    """Values of the columns, prices of the rows and the solver's own bound; None when no solver gets there in time."""
    end = time.perf_counter() + seconds
    model = matrix.model(whole=False)
    for solver, parameters in _linear_solvers(matrix.n_entries):
        left = end - time.perf_counter()
        if left <= 0:
            break
        parameters.time_limit = datetime.timedelta(seconds=left)
        result = _try(model, solver, parameters)
        if (
            result is not None
            and result.has_primal_feasible_solution()
            and result.has_dual_feasible_solution()
        ):
            duals = _in_order(result.dual_values(), matrix.n_rows)
            values = _in_order(result.variable_values(), matrix.n_columns)
            return values, duals, result.termination.objective_bounds.dual_bound
    return None


def _linear_solvers(n_entries: int) -> list[tuple[mathopt.SolverType, mathopt.SolveParameters]]:
    first_order = solvers_pb2.PrimalDualHybridGradientParams(num_threads=1)
    criteria = first_order.termination_criteria.simple_optimality_criteria
    criteria.eps_optimal_relative = criteria.eps_optimal_absolute = PDLP_TOLERANCE
    pdlp = (mathopt.SolverType.PDLP, mathopt.SolveParameters(pdlp=first_order))
    highs = (mathopt.SolverType.HIGHS, mathopt.SolveParameters(lp_algorithm=mathopt.LPAlgorithm.BARRIER))
    glop = (mathopt.SolverType.GLOP, mathopt.SolveParameters())
    return [pdlp, highs, glop] if n_entries > LARGE else [highs, glop]


def _try(
    model: mathopt.Model,
    solver: mathopt.SolverType,
    parameters: mathopt.SolveParameters,
    hint: mathopt.ModelSolveParameters | None = None,
) -> mathopt.SolveResult | None:
    try:
        return mathopt.solve(model, solver, params=parameters, model_params=hint)
    except (RuntimeError, ValueError, AttributeError):
        # MathOpt 9.15 raises AttributeError while translating a solver's own error: let the next one try.
        return None


def _in_order(by_name: Mapping[Any, float], n: int) -> Floats:
    values = np.zeros(n)
    values[[name.id for name in by_name]] = list(by_name.values())
    return values


def _prices(programme: Programme, duals: Floats) -> Prices:
    frame, problem = programme.frame, programme.frame.problem
    at = programme.cover_rows
    worth = np.where(at >= 0, duals[at], 0.0)
    size = problem.interval_slots
    rows = tuple(
        tuple(worth[s, row.interval * size : (row.interval + 1) * size].tolist())
        for row, s in zip(problem.rows, frame.set_of_row, strict=True)
    )

    def of(row: int, sign: float) -> float:
        return max(0.0, sign * float(duals[row])) if row >= 0 else 0.0

    groups = range(frame.n_groups)
    nothing = (0.0,) * problem.n_days
    per_day = tuple(
        tuple(np.maximum(0.0, -duals[programme.day_caps[g]]).tolist()) if g in programme.day_caps else nothing
        for g in groups
    )
    return Prices(
        rows,
        tuple(of(programme.caps.get(g, -1), -1.0) for g in groups),
        per_day,
        of(programme.least, 1.0),
        of(programme.most, -1.0),
        of(programme.budget, -1.0),
    )


def solve_whole(programme: Programme, seconds: float, nodes: int, seed: int) -> Solved | None:
    """Solve in whole numbers within so many nodes (a count, so that plans repeat); None if none is found."""
    model = programme.matrix.model(whole=True)
    parameters = mathopt.SolveParameters(
        time_limit=datetime.timedelta(seconds=max(seconds, 0.01)),
        node_limit=nodes,
        threads=1,
        random_seed=seed,
        relative_gap_tolerance=1e-7,
        absolute_gap_tolerance=1e-7,
    )
    result = _try(model, mathopt.SolverType.GSCIP, parameters)
    if result is None or not result.has_primal_feasible_solution():
        return None
    values = _in_order(result.variable_values(), programme.matrix.n_columns)
    by_clock = result.termination.limit == mathopt.Limit.TIME
    return Solved(values, None, result.termination.objective_bounds.dual_bound, complete=not by_clock)
