"""Bare numbers as people who come and go, so that a requirement is measured on people like those of a roster.

Seat k of a group is taken whenever k or more are asked for; who sits there is relieved after a shift of usual length,
finishes the contact in progress before leaving, as on a roster, and takes breaks while others sit in (`unseen_rest`).
"""

from __future__ import annotations

import numpy as np

from planner.scenario import compile as c
from planner.scenario.schema import Scenario
from planner.shifts import Usual
from sim import world as w
from sim.world import DAY_MS, HOUR_MS, Ints

_NUMBER = 1 << 20
"""Persons of a group are numbered from here times the group on."""


def seats_of(duty: Ints, scenario: Scenario, clock: w.Clock, usual: Usual) -> w.Staffing:
    """Staffing from (G, days x I) people on the queue, over all simulated days; nobody is absent or late.

    Two persons share a seat in turn, so that whoever overstays is not missed at the next start.
    """
    n_groups, days, n = len(duty), scenario.horizon.days, c.n_intervals(scenario)
    which = (np.arange(clock.n_days) - clock.warm_days) % days
    levels = duty.reshape(n_groups, days, n)[:, which].reshape(n_groups, -1)
    sittings = [
        _sittings(level, clock.interval_ms, hours * HOUR_MS)
        for level, hours in zip(levels, usual.hours, strict=True)
    ]
    most = [int(level.max(initial=0)) for level in levels]
    first = np.concatenate([[0], np.cumsum(2 * np.array(most, np.int64))])
    agent = np.concatenate([
        first[g] + seat + most[g] * turn for g, (seat, turn, _, _) in enumerate(sittings)
    ]).astype(np.int64)  # fmt: skip
    start = np.concatenate([start for _, _, start, _ in sittings])
    end = np.concatenate([end for _, _, _, end in sittings])
    order = np.lexsort((agent, start))
    group_of = np.repeat(np.arange(n_groups), np.diff(first))
    number = np.arange(first[-1]) - first[group_of]
    none = np.zeros(0, np.int64)
    return w.Staffing(
        group_of=group_of, person=group_of * _NUMBER + number, agent=agent[order], start_ms=start[order],
        end_ms=end[order], day=start[order] // DAY_MS, absence_factor=np.ones(len(order)),
        late_factor=np.ones(len(order)),
        act_from=np.zeros(len(order) + 1, np.int64), act_ms=none, act_length_ms=none, act_kind=none,
        act_paid=none, shift_post=np.full(len(order), -1), act_post=none, slot_ms=none, slot_group=none, slot_change=none,
        unseen_rest=np.array(usual.rest, np.float64),
    )  # fmt: skip


def _sittings(level: Ints, interval_ms: int, usual_ms: float) -> tuple[Ints, Ints, Ints, Ints]:
    """Seat, whose turn it is, start and end (ms) of every sitting, from numbers by interval."""
    step = np.diff(np.concatenate([[0], level, [0]]))
    moved = np.flatnonzero(step)
    size = np.abs(step[moved])
    before = np.concatenate([[0], level])[moved]
    # A step from a to b concerns seats min(a, b) .. max(a, b) - 1.
    base = np.minimum(before, before + step[moved])
    seat = np.repeat(base, size) + np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    when = np.repeat(moved * interval_ms, size)
    order = np.lexsort((when, seat))
    seat, start, end = seat[order][::2], when[order][::2], when[order][1::2]
    parts = np.ceil((end - start) / usual_ms).astype(np.int64)
    owner = np.repeat(np.arange(len(seat)), parts)
    part = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
    length = (end - start)[owner]
    from_ms = start[owner] + length * part // parts[owner]
    to_ms = start[owner] + length * (part + 1) // parts[owner]
    seat = seat[owner]
    # The seat's sittings in order; two persons alternate.
    earlier = np.concatenate([[0], np.flatnonzero(np.diff(seat)) + 1]) if len(seat) else np.zeros(0, np.int64)
    nth = np.arange(len(seat)) - np.repeat(earlier, np.diff(np.concatenate([earlier, [len(seat)]])))
    return seat, nth % 2, from_ms, to_ms
