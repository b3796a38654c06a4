"""What is to be covered, with which shifts, at which prices, and what a plan looks like. Knows no solver.

Time is a grid of `grid_min` minutes over `n_days` days. A shift puts one person of one group on the queue
from its start to its end, less its breaks. Shortage is priced, not forbidden, so every problem has a plan:

    objective = payroll + under_cost x person-slots short + over_cost x person-slots over
              + price_of_missing_minute x paid minutes below an agreed number
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

DAY_MIN = 1440


class ProblemError(ValueError):
    """The problem is meaningless; the text says why."""


BreakName = Literal["break", "lunch", "decompression", "offline"]
BREAK_KINDS: tuple[str, ...] = ("break", "lunch", "decompression", "offline")


@dataclass(frozen=True, slots=True)
class BreakRule:
    """One absence from the queue that every shift of a kind contains."""

    name: str
    minutes: int
    paid: bool
    earliest_min: int
    """Earliest start, in minutes into the shift."""
    latest_min: int
    """Latest start, in minutes into the shift."""
    kind: BreakName = "break"
    """All kinds take the person off the queue; `offline` is coaching, meetings, training."""


@dataclass(frozen=True, slots=True)
class ShiftKind:
    """A shift that may be given, and when, and to whom."""

    name: str
    length_min: int
    """From start to end, unpaid breaks included."""
    starts: tuple[int, ...]
    """Minutes of the day at which it may start."""
    days: tuple[int, ...]
    """Days (0 is the first of the horizon) on which it may start."""
    breaks: tuple[BreakRule, ...] = ()
    """Taken in this order, never overlapping."""
    groups: tuple[int, ...] = (0,)

    @property
    def paid_min(self) -> int:
        """Length less unpaid breaks."""
        return self.length_min - sum(rule.minutes for rule in self.breaks if not rule.paid)


class CoverRow(NamedTuple):
    """In every slot of this interval, people on the queue in these groups together shall reach `people`."""

    interval: int
    groups: tuple[int, ...]
    people: float
    weight: float = 1.0
    """Factor on the price of a person short; below 1 the row is a wish: not listed when short, and never over."""

    @property
    def wish(self) -> bool:
        """Whether the row is only wished for."""
        return self.weight < 1.0


class PaidTime(NamedTuple):
    """A limit on all paid minutes together; `exact` asks for the number, within the tolerance either way."""

    minutes: float
    form: Literal["most", "exact"] = "most"
    tolerance: float = 0.005

    @property
    def least(self) -> float:
        """The fewest minutes allowed."""
        return self.minutes * (1 - self.tolerance) if self.form == "exact" else 0.0

    @property
    def most(self) -> float:
        """The most minutes allowed."""
        return self.minutes * (1 + self.tolerance) if self.form == "exact" else self.minutes


@dataclass(frozen=True, slots=True)
class CoverProblem:
    """Everything the optimiser and the validator may know."""

    grid_min: int
    n_days: int
    group_names: tuple[str, ...]
    shift_kinds: tuple[ShiftKind, ...]
    rows: tuple[CoverRow, ...]
    cost_per_paid_min: tuple[float, ...]
    """One number per group."""
    under_cost: float
    """Per person short and grid slot, for each row that is short."""
    over_cost: float = 0.0
    """Per person above a row and grid slot; only rows inside no wider row of their interval count."""
    interval_slots: int = 1
    """Grid slots per row interval: rows on half hours and a grid of quarters make 2."""
    cyclic: bool = True
    """The horizon repeats for ever; otherwise what runs past its end covers nothing."""
    max_shifts: tuple[int | None, ...] = ()
    """Most shifts per group over the horizon (headcount x days worked); empty for no limit."""
    max_shifts_per_day: tuple[tuple[int, ...] | None, ...] = ()
    """Most shifts per group that start on each day; empty for no limit."""
    paid_time: PaidTime | None = None
    budget: float | None = None
    """Most money for payroll over the horizon."""

    @property
    def slots_per_day(self) -> int:
        """Grid slots in a day."""
        return DAY_MIN // self.grid_min

    @property
    def n_slots(self) -> int:
        """Grid slots in the horizon."""
        return self.n_days * self.slots_per_day

    @property
    def price_of_missing_minute(self) -> float:
        """What a paid minute below an agreed number costs: dear enough that working it is always cheaper."""
        return 10 * max(self.cost_per_paid_min, default=0.0) + 10 * self.over_cost * len(self.group_names) + 1


class Shift(NamedTuple):
    """One shift, for one as yet nameless person."""

    group: int
    day: int
    start_min: int
    """Minute of the day."""
    kind: int
    breaks: tuple[tuple[int, int], ...] = ()
    """Pairs of break index and start, in minutes after the midnight that begins `day`."""


class Unmet(NamedTuple):
    """A row that stays short."""

    interval: int
    groups: tuple[int, ...]
    short: float
    """People short in the worst slot of the interval."""
    person_slots: float
    """Summed over the slots of the interval; these, times `under_cost`, are in the objective."""


class Prices(NamedTuple):
    """Prices that prove a bound: anyone can check it without a solver (`validate.proven_bound`)."""

    rows: tuple[tuple[float, ...], ...]
    """What one person more is worth, per row and slot of its interval."""
    max_shifts: tuple[float, ...] = ()
    max_shifts_per_day: tuple[tuple[float, ...], ...] = ()
    paid_least: float = 0.0
    paid_most: float = 0.0
    budget: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Shifts, and how good they are known to be."""

    shifts: tuple[Shift, ...]
    status: str
    """`optimal`, `feasible`, or `hours out of reach` when an agreed number of paid minutes cannot be met."""
    objective: float
    bound: float
    """No plan costs less."""
    gap: float
    """(objective - bound) / objective."""
    seconds: float
    unmet: tuple[Unmet, ...] = ()
    prices: Prices | None = None
    """What proves the bound; None when a complete search does."""
    stopped_by_clock: bool = False
    """The time limit cut the work short: another run may end elsewhere."""


def relative_gap(objective: float, bound: float) -> float:
    """Distance to the bound, as a share of the objective; 0 when there is nothing to pay."""
    return max(0.0, objective - bound) / abs(objective) if abs(objective) > 1e-9 else 0.0


def wide_rows(problem: CoverProblem) -> tuple[bool, ...]:
    """Whether each row lies inside no wider row of its interval: those rows count people over; wishes never do."""
    by_interval: dict[int, list[frozenset[int]]] = {}
    for row in problem.rows:
        if not row.wish:
            by_interval.setdefault(row.interval, []).append(frozenset(row.groups))
    return tuple(
        not row.wish and not any(frozenset(row.groups) < other for other in by_interval[row.interval])
        for row in problem.rows
    )


def faults(problem: CoverProblem) -> list[str]:
    """What makes the problem meaningless, in words; empty when nothing does."""
    found: list[str] = []
    grid, groups = problem.grid_min, range(len(problem.group_names))
    if grid <= 0 or DAY_MIN % grid:
        return [f"grid_min {grid} must divide {DAY_MIN}"]
    if problem.n_days < 1 or problem.interval_slots < 1:
        return ["n_days and interval_slots must be at least 1"]
    if len(problem.cost_per_paid_min) != len(groups):
        found.append("cost_per_paid_min needs one number per group")
    if min((*problem.cost_per_paid_min, problem.under_cost, problem.over_cost), default=0) < 0:
        found.append("costs must not be negative")
    for name, limits in (
        ("max_shifts", problem.max_shifts),
        ("max_shifts_per_day", problem.max_shifts_per_day),
    ):
        if limits and len(limits) != len(groups):
            found.append(f"{name} needs one entry per group")
    if any(cap is not None and cap < 0 for cap in problem.max_shifts):
        found.append("max_shifts must not be negative")
    if any(
        caps is not None and (len(caps) != problem.n_days or min(caps, default=0) < 0)
        for caps in problem.max_shifts_per_day
    ):
        found.append("max_shifts_per_day needs one number, 0 or more, per day")
    if problem.n_slots % problem.interval_slots:
        found.append("intervals must fill the horizon")
    if problem.paid_time is not None and (problem.paid_time.minutes < 0 or problem.paid_time.tolerance < 0):
        found.append("paid_time must not be negative")
    if problem.budget is not None and problem.budget < 0:
        found.append("budget must not be negative")
    for kind in problem.shift_kinds:
        found += [f"shift kind {kind.name}: {text}" for text in _kind_faults(problem, kind)]
    seen: set[tuple[int, frozenset[int], bool]] = set()
    for row in problem.rows:
        key = (row.interval, frozenset(row.groups), row.wish)
        if not 0 <= row.interval < problem.n_slots // problem.interval_slots:
            found.append(f"row interval {row.interval} lies outside the horizon")
        if not row.groups or len(key[1]) != len(row.groups) or any(g not in groups for g in row.groups):
            found.append(
                f"row at interval {row.interval}: groups {row.groups} are empty, repeated or unknown"
            )
        if not 0 <= row.people < float("inf"):
            found.append(f"row at interval {row.interval}: people must be 0 or more (got {row.people})")
        if not 0 <= row.weight <= 1:
            found.append(f"row at interval {row.interval}: weight must be from 0 to 1 (got {row.weight})")
        if key in seen:
            found.append(f"row at interval {row.interval} for groups {row.groups} stands twice")
        seen.add(key)
    return found


def _kind_faults(problem: CoverProblem, kind: ShiftKind) -> list[str]:
    found: list[str] = []
    grid = problem.grid_min
    if kind.length_min <= 0 or any(m % grid for m in (kind.length_min, *kind.starts)):
        found.append(f"length and starts must be multiples of {grid} minutes")
    if problem.cyclic and kind.length_min > problem.n_days * DAY_MIN:
        found.append("longer than the horizon it repeats in")
    if any(not 0 <= m < DAY_MIN for m in kind.starts) or len(set(kind.starts)) != len(kind.starts):
        found.append("starts must be distinct minutes of a day")
    if any(not 0 <= d < problem.n_days for d in kind.days) or len(set(kind.days)) != len(kind.days):
        found.append("days must be distinct days of the horizon")
    if any(not 0 <= g < len(problem.group_names) for g in kind.groups) or len(set(kind.groups)) != len(
        kind.groups
    ):
        found.append("unknown or repeated group")
    free_from = 0
    for rule in kind.breaks:
        first = -(-max(rule.earliest_min, free_from) // grid) * grid
        if rule.minutes <= 0 or rule.minutes % grid:
            found.append(f"break {rule.name}: minutes must be a positive multiple of {grid}")
        elif rule.kind not in BREAK_KINDS:
            found.append(f"break {rule.name}: unknown kind {rule.kind}")
        elif rule.earliest_min < 0 or rule.latest_min + rule.minutes > kind.length_min:
            found.append(f"break {rule.name}: its window does not end inside the shift")
        elif first > rule.latest_min:
            found.append(f"break {rule.name}: no start on the grid is left in its window")
        free_from = first + rule.minutes
    return found
