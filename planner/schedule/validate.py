"""An independent check of a plan: every rule, the cover, the objective and the bound, in plain loops.

Shares no code with the optimiser and never imports it. The bound rests on weak duality: at prices p for one
person more per row and slot, no plan costs less than sum(p x people), provided that no shift, with its breaks
placed as well as can be, is worth more at those prices than it costs.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from planner.schedule.problem import (
    DAY_MIN,
    CoverProblem,
    Plan,
    Prices,
    Shift,
    ShiftKind,
    Unmet,
    faults,
    wide_rows,
)

TOLERANCE = 1e-6


class Violation(NamedTuple):
    """A broken rule, by name, and where."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What the validator found, recomputed from the shifts alone."""

    violations: tuple[Violation, ...]
    objective: float
    payroll: float
    under: float
    """Money for people short."""
    over: float
    """Money for people over."""
    missing_time: float
    """Money for paid minutes below the agreed number."""
    paid_min: int
    on_queue: tuple[tuple[int, ...], ...]
    """People on the queue, per group and slot."""
    unmet: tuple[Unmet, ...]

    @property
    def valid(self) -> bool:
        """Whether nothing is broken."""
        return not self.violations


def validate(problem: CoverProblem, plan: Plan) -> Audit:
    """Re-check every rule and recompute every number of the plan."""
    found = [Violation("problem", text) for text in faults(problem)]
    sound: list[Shift] = []
    for number, shift in enumerate(plan.shifts):
        broken = shift_violations(problem, shift)
        found += [Violation(v.rule, f"shift {number}: {v.text}") for v in broken]
        if not any(v.rule in ("kind", "group", "day", "break set") for v in broken):
            sound.append(shift)
    on_queue = cover(problem, sound)
    paid_min = sum(problem.shift_kinds[s.kind].paid_min for s in sound)
    payroll = sum(problem.shift_kinds[s.kind].paid_min * problem.cost_per_paid_min[s.group] for s in sound)
    under, over, unmet = _against_rows(problem, on_queue)
    missing = max(0.0, problem.paid_time.least - paid_min) if problem.paid_time else 0.0
    missing_time = missing * problem.price_of_missing_minute
    objective = payroll + under + over + missing_time
    found += _limit_violations(problem, sound, paid_min, payroll)
    found += _claim_violations(problem, plan, objective, unmet)
    return Audit(
        tuple(found), objective, payroll, under, over, missing_time, paid_min, on_queue, tuple(unmet)
    )


def shift_violations(problem: CoverProblem, shift: Shift) -> list[Violation]:
    """The rules a single shift breaks."""
    if not 0 <= shift.kind < len(problem.shift_kinds):
        return [Violation("kind", f"no shift kind {shift.kind}")]
    kind = problem.shift_kinds[shift.kind]
    found: list[Violation] = []
    if not 0 <= shift.group < len(problem.group_names):
        found.append(Violation("group", f"no group {shift.group}"))
    elif shift.group not in kind.groups:
        found.append(Violation("group of kind", f"{kind.name} is not for {problem.group_names[shift.group]}"))
    if not 0 <= shift.day < problem.n_days:
        found.append(Violation("day", f"no day {shift.day}"))
    elif shift.day not in kind.days:
        found.append(Violation("day of kind", f"{kind.name} may not start on day {shift.day}"))
    if shift.start_min not in kind.starts:
        found.append(Violation("start", f"{kind.name} may not start at minute {shift.start_min}"))
    if shift.start_min % problem.grid_min:
        found.append(Violation("grid", f"start {shift.start_min} is off the grid"))
    return found + _break_violations(problem, kind, shift)


def _break_violations(problem: CoverProblem, kind: ShiftKind, shift: Shift) -> list[Violation]:
    if [index for index, _ in shift.breaks] != list(range(len(kind.breaks))):
        return [
            Violation(
                "break set", f"breaks {[index for index, _ in shift.breaks]} are not those of {kind.name}"
            )
        ]
    found: list[Violation] = []
    end = shift.start_min + kind.length_min
    free_from = shift.start_min
    for index, start in shift.breaks:
        rule = kind.breaks[index]
        into = start - shift.start_min
        if start % problem.grid_min:
            found.append(Violation("grid", f"{rule.name} at {start} is off the grid"))
        if not rule.earliest_min <= into <= rule.latest_min:
            found.append(Violation("break window", f"{rule.name} starts {into} minutes into the shift"))
        if start < shift.start_min or start + rule.minutes > end:
            found.append(Violation("break inside", f"{rule.name} at {start} leaves the shift"))
        if start < free_from:
            found.append(
                Violation("break order", f"{rule.name} at {start} begins before the one before it ends")
            )
        free_from = start + rule.minutes
    return found


def _limit_violations(
    problem: CoverProblem, shifts: list[Shift], paid_min: int, payroll: float
) -> list[Violation]:
    found: list[Violation] = []
    per_group: dict[int, int] = defaultdict(int)
    per_day: dict[tuple[int, int], int] = defaultdict(int)
    for shift in shifts:
        per_group[shift.group] += 1
        per_day[shift.group, shift.day] += 1
    for group, cap in enumerate(problem.max_shifts):
        if cap is not None and per_group[group] > cap:
            text = f"{problem.group_names[group]}: {per_group[group]} shifts, at most {cap}"
            found.append(Violation("max shifts", text))
    for group, caps in enumerate(problem.max_shifts_per_day):
        for day, most in enumerate(caps or ()):
            if per_day[group, day] > most:
                text = (
                    f"{problem.group_names[group]}: {per_day[group, day]} shifts on day {day}, at most {most}"
                )
                found.append(Violation("max shifts per day", text))
    if problem.paid_time is not None:
        if paid_min > problem.paid_time.most + TOLERANCE:
            found.append(
                Violation("paid time", f"{paid_min} paid minutes, at most {problem.paid_time.most:g}")
            )
        if paid_min < problem.paid_time.least - TOLERANCE:
            text = f"{paid_min} paid minutes, at least {problem.paid_time.least:g}"
            found.append(Violation("paid time missing", text))
    if problem.budget is not None and payroll > problem.budget * (1 + TOLERANCE) + TOLERANCE:
        found.append(Violation("budget", f"payroll {payroll:g}, at most {problem.budget:g}"))
    return found


def _claim_violations(
    problem: CoverProblem, plan: Plan, objective: float, unmet: list[Unmet]
) -> list[Violation]:
    """What the plan says of itself against what is so."""
    found: list[Violation] = []
    slack = TOLERANCE * max(1.0, abs(objective))
    if abs(plan.objective - objective) > slack:
        found.append(Violation("objective", f"reported {plan.objective!r}, recomputed {objective!r}"))
    if plan.bound > objective + slack:
        found.append(Violation("bound", f"bound {plan.bound!r} above the objective {objective!r}"))
    if plan.prices is not None:
        proven = proven_bound(problem, plan.prices)
        if plan.bound > proven + slack:
            found.append(Violation("bound", f"bound {plan.bound!r}, but its prices prove {proven!r}"))
    expected = {(u.interval, frozenset(u.groups)): u for u in unmet}
    claimed = {(u.interval, frozenset(u.groups)): u for u in plan.unmet}
    for key in expected.keys() ^ claimed.keys():
        text = f"interval {key[0]}, groups {sorted(key[1])}: " + (
            "not listed" if key in expected else "not short"
        )
        found.append(Violation("unmet", text))
    for key in expected.keys() & claimed.keys():
        ours, theirs = expected[key], claimed[key]
        if max(abs(ours.short - theirs.short), abs(ours.person_slots - theirs.person_slots)) > 1e-4:
            found.append(
                Violation("unmet", f"interval {key[0]}: listed {theirs.short}, recomputed {ours.short}")
            )
    return found


def cover(problem: CoverProblem, shifts: list[Shift]) -> tuple[tuple[int, ...], ...]:
    """People on the queue per group and slot: those within a shift and not on a break."""
    grid, slots = problem.grid_min, problem.n_slots
    people = [[0] * slots for _ in problem.group_names]

    def mark(group: int, start_min: int, minutes: int, step: int) -> None:
        for minute in range(start_min, start_min + minutes, grid):
            slot = minute // grid
            if problem.cyclic:
                people[group][slot % slots] += step
            elif slot < slots:
                people[group][slot] += step

    for shift in shifts:
        kind = problem.shift_kinds[shift.kind]
        midnight = shift.day * DAY_MIN
        mark(shift.group, midnight + shift.start_min, kind.length_min, 1)
        for index, start in shift.breaks:
            mark(shift.group, midnight + start, kind.breaks[index].minutes, -1)
    return tuple(tuple(row) for row in people)


def _against_rows(
    problem: CoverProblem, on_queue: tuple[tuple[int, ...], ...]
) -> tuple[float, float, list[Unmet]]:
    under = over = 0.0
    unmet: list[Unmet] = []
    for row, wide in zip(problem.rows, wide_rows(problem), strict=True):
        first = row.interval * problem.interval_slots
        worst = total = 0.0
        for slot in range(first, first + problem.interval_slots):
            short = row.people - sum(on_queue[g][slot] for g in row.groups)
            if short > 0:
                worst, total = max(worst, short), total + short
            elif wide:
                over -= short * problem.over_cost
        under += total * problem.under_cost * row.weight
        if worst > TOLERANCE and not row.wish:
            unmet.append(Unmet(row.interval, row.groups, worst, total))
    return under, over, unmet


def proven_bound(problem: CoverProblem, prices: Prices) -> float:
    """The most that these prices prove any plan must cost, scaled until no shift is a bargain.

    With row prices p clipped to what shortage and surplus cost, prices q for limits, and c the cost of a
    shift with q added, the largest f in 0..1 with f x worth(shift) <= c for every shift gives the bound
    f x (sum p x people + paid_least x least) - sum q x limit.
    """
    groups, slots = len(problem.group_names), problem.n_slots
    worth = [[0.0] * slots for _ in range(groups)]
    gain = 0.0
    for row, wide, priced in zip(problem.rows, wide_rows(problem), prices.rows, strict=True):
        first = row.interval * problem.interval_slots
        for slot, price in zip(range(first, first + problem.interval_slots), priced, strict=True):
            fair = min(max(price, -problem.over_cost if wide else 0.0), problem.under_cost * row.weight)
            gain += fair * row.people
            for group in row.groups:
                worth[group][slot] += fair
    per_group = [max(0.0, p) for p in prices.max_shifts] or [0.0] * groups
    per_day = [[max(0.0, p) for p in ps] for ps in prices.max_shifts_per_day] or [
        [0.0] * problem.n_days
    ] * groups
    loss = 0.0
    for group, cap in enumerate(problem.max_shifts or (None,) * groups):
        per_group[group] = per_group[group] if cap is not None else 0.0
        loss += per_group[group] * (cap or 0)
    for group, caps in enumerate(problem.max_shifts_per_day or (None,) * groups):
        per_day[group] = per_day[group] if caps is not None else [0.0] * problem.n_days
        loss += sum(p * cap for p, cap in zip(per_day[group], caps or (), strict=False))
    least = most = 0.0
    if problem.paid_time is not None:
        least = min(max(0.0, prices.paid_least), problem.price_of_missing_minute)
        most = max(0.0, prices.paid_most)
        gain += least * problem.paid_time.least
        loss += most * problem.paid_time.most
    dearer = max(0.0, prices.budget) if problem.budget is not None else 0.0
    loss += dearer * (problem.budget or 0.0)

    scale = 1.0
    for kind in problem.shift_kinds:
        for group in kind.groups:
            rate = problem.cost_per_paid_min[group] * (1 + dearer) + most
            for day in kind.days:
                cost = kind.paid_min * rate + per_group[group] + per_day[group][day]
                for start in kind.starts:
                    value = _best_worth(problem, kind, worth[group], day, start) + kind.paid_min * least
                    if scale * value > cost:
                        scale = cost / value
    # Prices of surplus are negative: scaled to nothing they prove 0, and no plan ever costs less than that.
    return max(0.0, scale * gain - loss)


def _best_worth(problem: CoverProblem, kind: ShiftKind, worth: list[float], day: int, start: int) -> float:
    """What a shift is worth with its breaks where they cost least, in order and without overlap."""
    grid, slots = problem.grid_min, problem.n_slots
    first = (day * DAY_MIN + start) // grid
    length = kind.length_min // grid
    if problem.cyclic:
        along = [worth[(first + k) % slots] for k in range(length)]
    else:
        along = [worth[first + k] if first + k < slots else 0.0 for k in range(length)]
    total = [0.0]
    for value in along:
        total.append(total[-1] + value)
    cheapest = [0.0] * (length + 1)  # of the breaks so far, all of them ended by this slot
    for rule in kind.breaks:
        span = rule.minutes // grid
        best = [float("inf")] * (length + 1)
        for at in range(-(-rule.earliest_min // grid), min(rule.latest_min // grid, length - span) + 1):
            best[at + span] = cheapest[at] + total[at + span] - total[at]
        for slot in range(1, length + 1):
            best[slot] = min(best[slot], best[slot - 1])
        cheapest = best
    return total[length] - cheapest[length]


def validate_people(
    problem: CoverProblem,
    plan: Plan,
    agents: tuple[int, ...],
    *,
    rest_h: float = 11.0,
    days_per_week: int = 5,
) -> tuple[Violation, ...]:
    """Re-check who works what: one shift a day, rest, and days in any seven, across the seam when cyclic."""
    if len(agents) != len(plan.shifts):
        return (Violation("agents", f"{len(agents)} agents for {len(plan.shifts)} shifts"),)
    found: list[Violation] = []
    horizon = problem.n_days * DAY_MIN
    work: dict[tuple[int, int], list[Shift]] = defaultdict(list)
    for shift, agent in zip(plan.shifts, agents, strict=True):
        work[shift.group, agent].append(shift)
    for (group, agent), shifts in work.items():
        who = f"{problem.group_names[group]} {agent}"
        days = sorted(shift.day for shift in shifts)
        if len(set(days)) < len(days):
            found.append(Violation("one shift a day", who))
        spans = sorted(
            (s.day * DAY_MIN + s.start_min, problem.shift_kinds[s.kind].length_min) for s in shifts
        )
        if problem.cyclic and len(spans) > 1:
            spans.append((spans[0][0] + horizon, spans[0][1]))
        for (start, length), (following, _) in pairwise(spans):
            if following - start - length < rest_h * 60:
                found.append(
                    Violation("rest", f"{who}: {following - start - length} minutes before {following}")
                )
        wraps = problem.cyclic and problem.n_days >= 7
        laps = (0, problem.n_days) if wraps else (0,)
        worked = [day + lap for lap in laps for day in days]
        for first in range(problem.n_days):
            n = sum(first <= day < first + 7 for day in worked)
            if n > days_per_week:
                found.append(Violation("days per week", f"{who}: {n} days from day {first}"))
    return tuple(found)
