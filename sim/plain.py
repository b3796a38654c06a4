"""The plainest centre: one type, one group, no bot, no returns, nobody gets tired. Start here and replace parts.

It is what the closed forms describe, and so what theory, benchmarks and tests start from.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim import world as w
from sim.world import (
    DAY_MS,
    HOUR_MS,
    NEVER,
    Behaviour,
    Bot,
    Clock,
    Demand,
    Detectors,
    Groups,
    Levers,
    Routing,
    Staffing,
    Types,
    World,
    frozen,
)  # fmt: skip


def plain_behaviour(**changes: float) -> Behaviour:
    """Coefficients under which nothing human happens: no load effects, no returns, no churn."""
    zero = dict.fromkeys(Behaviour._fields, 0.0)
    neutral = {
        "return_median_ms": float(DAY_MS), "return_sigma": 1.2, "redial_soon": 0.57, "intense_above": 0.6,
        "load_half_life_ms": float(HOUR_MS), "rest_half_life_ms": 720_000.0, "off_half_life_ms": 720_000.0,
        "load_minutes": 10.0, "load_threshold": 2.0, "exhaustion_half_life_days": 5.0,
        "absence_per_exhaustion": 1.0, "max_attempts": 1,
    }  # fmt: skip
    return Behaviour(**{**zero, **neutral, **changes})  # type: ignore[arg-type]


def anonymous_staffing(clock: Clock, agents: Any) -> Staffing:
    """Staffing from (G, days simulated, I) agents on duty; whoever is idle leaves first when the number drops.

    At midnight those on duty are relieved by as many others, which changes nobody's capacity and ends their spells.
    """
    agents = np.asarray(agents, np.int64)
    n_groups, _, n_intervals = agents.shape
    flat = agents.reshape(n_groups, -1)
    whens: list[int] = []
    groups: list[int] = []
    changes: list[int] = []
    for g in range(n_groups):
        step = np.diff(np.concatenate([[0], flat[g]]))
        for i in np.flatnonzero(step).tolist():
            when = (i // n_intervals) * DAY_MS + (i % n_intervals) * clock.interval_ms
            whens += [when] * abs(int(step[i]))
            groups += [g] * abs(int(step[i]))
            changes += [1 if step[i] > 0 else -1] * abs(int(step[i]))
        for i in range(n_intervals, len(flat[g]), n_intervals):
            stay = int(min(flat[g][i - 1], flat[g][i]))
            whens += [i // n_intervals * DAY_MS] * (2 * stay)
            groups += [g] * (2 * stay)
            changes += [1, -1] * stay
    order = (
        np.lexsort((-np.array(changes, np.int64), np.array(whens, np.int64)))
        if whens
        else np.zeros(0, np.int64)
    )
    # Capacity that moves between groups in the same instant may need every agent of both at once.
    most = [int(flat[g].max(initial=0)) * 2 for g in range(n_groups)]
    group_of = np.repeat(np.arange(n_groups), most)
    person = (
        np.concatenate([g * (1 << 20) + np.arange(m) for g, m in enumerate(most)]) if n_groups else group_of
    )
    none = np.zeros(0, np.int64)
    return Staffing(
        group_of=group_of, person=person, agent=none, start_ms=none, end_ms=none, day=none,
        absence_factor=np.zeros(0), late_factor=np.zeros(0), act_from=np.zeros(1, np.int64), act_ms=none, act_length_ms=none, act_kind=none, act_paid=none,
        shift_post=none, act_post=none, slot_ms=np.array(whens, np.int64)[order], slot_group=np.array(groups, np.int64)[order],
        slot_change=np.array(changes, np.int64)[order], unseen_rest=np.zeros(n_groups),
    )  # fmt: skip


def plain_world(
    *,
    arrivals_per_hour: float = 250.0,
    talk_s: float = 120.0,
    agents: int = 12,
    patience_s: float = 60.0,
    open_hours: tuple[float, float] = (0.0, 8.0),
    days: int = 1,
    interval_min: int = 30,
    types: int = 1,
    groups: int = 1,
    **behaviour: float,
) -> World:
    """`types` like types (each with these arrivals), `groups` like groups of `agents`, exponential throughout.

    `patience_s` infinite means that nobody leaves. Open every day from and to these hours; queues are served out.
    """
    interval_ms = interval_min * 60_000
    n_intervals = DAY_MS // interval_ms
    start = np.arange(n_intervals) * interval_ms / HOUR_MS
    is_open = (start >= open_hours[0]) & (start < open_hours[1])
    all_day = open_hours == (0.0, 24.0)
    day0 = np.arange(days) * DAY_MS
    clock = Clock(
        interval_ms=interval_ms, warm_days=0, days=days, follow_days=0,
        open_ms=day0 + int(open_hours[0] * HOUR_MS), close_ms=day0 + int(open_hours[1] * HOUR_MS),
        at_close=w.SERVE_OUT, out_of_hours=w.LOST, always_open=int(all_day),
    )  # fmt: skip
    expected = np.zeros((types, days, n_intervals))
    expected[:, :, is_open] = arrivals_per_hour * interval_min / 60
    one = np.ones(types)
    zero = np.zeros(types)
    g_one, g_zero = np.ones(groups), np.zeros(groups)
    none = np.zeros(0, np.int64)
    patient = np.isfinite(patience_s)
    n_queues = 4 * types
    on_duty = np.zeros((groups, days, n_intervals), np.int64)
    on_duty[:, :, is_open] = agents
    world = World(
        clock=clock,
        demand=Demand(
            expected=expected, factor_shape=0.0, factor_memory=0.0, factor_shared=1,
            segment_share=np.ones((types, 1)), vulnerable=np.zeros(1), keyword=zero,
            intensity_shift=np.zeros((types, days)), id_of_type=np.arange(types),
        ),
        types=Types(
            talk_ms=np.full((types, n_intervals), talk_s * 1000.0), talk_family=np.full(types, w.EXPONENTIAL),
            talk_cv=one, acw_ms=zero, acw_family=np.full(types, w.FIXED), acw_cv=zero,
            patience_ms=np.full((types, n_intervals), patience_s * 1000.0 if patient else float(NEVER)),
            patience_family=np.full(types, w.EXPONENTIAL if patient else w.FIXED), patience_shape=one,
            hazard_ms=np.full((types, 1), np.inf), hazard_rate=np.ones((types, 1)), balk=zero,
            resolved=zero, heard=zero, intensity_mean=zero - 2.0, intensity_spread=one, intensity_loading=zero,
            containment_loading=zero, talk_loading=zero, churn_scale=one,
            channel=np.full(types, w.VOICE), silent=zero, silent_ms=np.zeros(types, np.int64),
        ),
        bot=Bot(
            offered=np.zeros((types, 1)), containment=np.zeros((types, 1)), false_logit=np.full((types, 1), -50.0),
            false_slope=0.0, asks=np.zeros((types, 1)), hangs_up=np.zeros((types, 1)), session_ms=np.zeros((types, 1)),
            ask_ms=zero, context=one, early_way_out=1,
            from_ms=np.zeros(types, np.int64), to_ms=np.full(types, DAY_MS), outage_from=none, outage_to=none,
        ),
        detectors=Detectors(
            target=none, above=np.zeros(0), sensitivity=np.zeros(0), specificity=np.zeros(0),
            listens=np.zeros((0, types), np.int64),
        ),
        groups=Groups(
            specialist=g_zero, empathy=g_zero, heard=g_zero, resolved=g_zero, speed=np.ones((groups, types)),
            speed_cv=g_zero, absorption=g_one, absorption_sd=g_zero, absence=g_zero, late=g_zero, late_ms=g_zero,
            exhaustion=g_zero, slots=np.ones(groups, np.int64), slowing=np.ones((groups, 2)), reserved=g_zero,
        ),
        routing=Routing(
            order=np.tile(np.arange(groups), (n_queues, 1)), delay=np.zeros((n_queues, groups), np.int64),
            delay_of_group=np.zeros((n_queues, groups), np.int64),
            priority=np.zeros((groups, n_queues), np.int64), queues=np.tile(np.arange(n_queues), (groups, 1)),
            home_of=np.arange(groups), max_queue=0, by_load=0,
        ),
        levers=Levers(
            target_ms=zero, cut=zero, scripts=0, authority=0, rest_on_type=np.zeros(types, np.int64),
            rest_over_ms=0, rest_on_flag=0, rest_on_button=0, rest_on_intensity=2.0, rest_ms=0,
            rest_hardest_ms=0, rest_share=1.0, rest_queue=1_000_000, rest_budget_ms=DAY_MS,
            call_back_after_ms=np.full(types, -1), call_back_accepts=zero, call_back_unanswered=0.0, call_back_dial_ms=0,
        ),
        behaviour=plain_behaviour(**behaviour),
        staffing=anonymous_staffing(clock, on_duty),
    )  # fmt: skip
    return frozen(world)  # type: ignore[no-any-return]
