"""Shrinkage by item: from people on the queue to people rostered, and on to people paid.

What the schedule places itself (breaks, coaching, meetings, training, decompression) is not divided out; unplanned
absence, lateness and adherence are, by weekday; leave comes last, when hours become headcount.
"""

from __future__ import annotations

import numpy as np

from planner.scenario.compile import weekday_of
from planner.scenario.schema import OFF_PHONE, Scenario, days_of
from sim.world import Floats

UNPLANNED = ("absence", "lateness", "adherence")


def share_of(scenario: Scenario, *kinds: str) -> float:
    """Summed shares of the items of these kinds."""
    return sum(item.share for item in scenario.shrinkage if item.kind in kinds)


def rostered_per_present(scenario: Scenario) -> Floats:
    """(days of the horizon,) people to roster for each one present, by weekday."""
    lost = np.zeros((len(UNPLANNED), 7))
    for item in scenario.shrinkage:
        if item.kind in UNPLANNED:
            weights = np.ones(7)
            for key, weight in item.weekdays.items():
                weights[list(days_of(key))] = weight
            lost[UNPLANNED.index(item.kind)] += item.share * weights / (weights.mean() or 1.0)
    lost[0] *= scenario.what_if.absence
    factor = 1 / np.prod(1 - np.clip(lost, 0, 0.9), axis=0)
    days = [weekday_of(scenario, day) for day in range(scenario.horizon.days)]
    return np.asarray(factor[days], np.float64)


def off_phone_minutes(scenario: Scenario, paid_minutes: int, grid_min: int) -> int:
    """Off-phone time in a shift of so many paid minutes, whole grid steps, nearest."""
    share = share_of(scenario, *OFF_PHONE)
    return round(share * paid_minutes / grid_min) * grid_min


def worked_share(scenario: Scenario) -> float:
    """Share of contract hours that is not leave."""
    return 1 - share_of(scenario, "leave")
