"""The shift catalogue as the scheduler sees it: kinds of shift with their breaks, off-phone time and decompression."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from planner.scenario import compile as c
from planner.scenario.schema import Scenario, days_of
from planner.schedule.problem import BreakRule, ShiftKind
from planner.shrinkage import off_phone_minutes

GRID_MIN = 15


def shift_kinds(scenario: Scenario, policy: str, groups: list[int]) -> tuple[ShiftKind, ...]:
    """The shift catalogue for these groups, off-phone time and decompression put into it.

    Group numbers in the result are positions in `groups`.
    """
    names = list(scenario.groups)
    kinds = []
    for place, g in enumerate(groups):
        allowed = scenario.groups[names[g]].shifts or tuple(scenario.shifts)
        block = c.decompression_of(scenario, policy, names[g])
        for name in allowed:
            shift = scenario.shifts[name]
            length = round(shift.hours * 60)
            rules = [BreakRule(b.name, b.minutes, b.paid, b.earliest, b.latest, b.kind) for b in shift.breaks]
            paid = length - sum(b.minutes for b in shift.breaks if not b.paid)
            off_phone = off_phone_minutes(scenario, paid, GRID_MIN)
            if block:
                rules = _with_block(rules, "decompression", block, length, "decompression")
            if off_phone:
                rules = _with_block(rules, "off the phone", off_phone, length, "offline")
            first, last = shift.starts
            starts = tuple(m % 1440 for m in range(first, last + 1, shift.every_min))
            wanted = days_of(shift.days)
            days = tuple(d for d in range(scenario.horizon.days) if c.weekday_of(scenario, d) in wanted)
            kinds.append(ShiftKind(name, length, starts, days, tuple(rules), (place,)))
    return tuple(kinds)


def _with_block(rules: list[BreakRule], name: str, minutes: int, length: int, kind: str) -> list[BreakRule]:
    """The rules with one more paid block, after lunch (or the first break), its window as wide as its neighbours allow."""
    place = next((i + 1 for i, r in enumerate(rules) if r.kind == "lunch"), min(1, len(rules)))
    before, after = rules[:place], rules[place:]
    earliest = before[-1].earliest_min + before[-1].minutes if before else 30
    latest = (after[0].latest_min if after else length - 15) - minutes
    if latest < earliest:
        latest = earliest
    block = BreakRule(name, minutes, True, earliest, min(latest, length - minutes), kind)  # type: ignore[arg-type]
    return [*before, block, *after]


def with_decompression(kind: ShiftKind, minutes: int, n: int) -> ShiftKind | None:
    """The shift with n more paid pauses, which part it as evenly as its other breaks let them; None where they do not fit.

    Among the other breaks only their place in the order is fixed: each may start as soon as those before it can have ended, and
    as late as those after it can still follow.
    """
    usual = [(rule.earliest_min + rule.latest_min + rule.minutes) / 2 for rule in kind.breaks]
    rules = list(kind.breaks)
    for k in range(n, 0, -1):
        place = sum(at < kind.length_min * k / (n + 1) for at in usual)
        rules.insert(place, BreakRule("decompression", minutes, True, 0, kind.length_min, "decompression"))
    earliest, latest = [], []
    free, end = GRID_MIN, kind.length_min - GRID_MIN
    for rule in rules:
        earliest.append(
            max(free, rule.earliest_min) if rule in kind.breaks else -(-free // GRID_MIN) * GRID_MIN
        )
        free = earliest[-1] + rule.minutes
    for rule in reversed(rules):
        end = min(end - rule.minutes, rule.latest_min)
        latest.append(end)
    windows = list(zip(rules, earliest, reversed(latest), strict=True))
    if any(first > last for _, first, last in windows):
        return None
    breaks = tuple(
        rule if rule in kind.breaks else replace(rule, earliest_min=first, latest_min=last)
        for rule, first, last in windows
    )
    return replace(kind, breaks=breaks)


def on_queue_share(kinds: tuple[ShiftKind, ...]) -> float:
    """Share of paid time that these kinds of shift spend on the queue."""
    shares = [(k.length_min - sum(b.minutes for b in k.breaks)) / max(k.paid_min, 1) for k in kinds]
    return float(np.mean(shares)) if shares else 1.0


class Usual(NamedTuple):
    """What a usual shift of each group is like, (G,): what plain numbers on duty do not show."""

    hours: tuple[float, ...]
    rest: tuple[float, ...]
    """Minutes off the queue for each minute on it."""


def usual_shifts(scenario: Scenario, policy: str) -> Usual:
    """Means over the shift catalogue of each group; eight hours without a break where there is none."""
    hours, rest = [], []
    for g in range(len(scenario.groups)):
        kinds = shift_kinds(scenario, policy, [g]) if scenario.shifts else ()
        away = float(np.mean([sum(b.minutes for b in k.breaks) / k.length_min for k in kinds] or [0.0]))
        hours.append(float(np.mean([k.length_min / 60 for k in kinds] or [8.0])))
        rest.append(away / (1 - away))
    return Usual(tuple(hours), tuple(rest))
