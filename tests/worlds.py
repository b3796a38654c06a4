"""Small random worlds for the tests of engines: every feature can be switched on and off, alone or not."""

from __future__ import annotations

import numpy as np

from sim import draws as d
from sim import world as w
from sim.draws import Draws
from sim.plain import anonymous_staffing, plain_behaviour
from sim.world import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
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
    Traits,
    Types,
    World,
    frozen,
    no_traits,
)  # fmt: skip

FEATURES = (
    "types", "groups", "segments", "overlap", "priority", "overflow", "max_queue", "by_load", "bot",
    "way_out", "bot_hours", "outages", "detectors", "specialists", "scripts", "authority", "targets",
    "hurry", "rest", "budget", "shifts", "activities", "absence", "lateness", "exhaustion", "day_factor",
    "opening_hours", "send_away", "call_back", "families", "balk", "impatience", "returns", "redials",
    "escalations", "passed_on", "edges", "closed_day", "past_midnight", "fixed", "load", "spread",
    "busy", "doubles", "back_to_back", "chat", "crowded_chats", "silent", "deferred", "messages", "reserved",
    "offers", "no_reply", "concurrency", "no_slowing", "traits", "same_agent", "steady",
    "rotation",
)  # fmt: skip

SECOND = 1000


def small_world(seed: int, on: frozenset[str]) -> World:
    """A world of one to four days and some hundred contacts with these features."""
    rng = np.random.default_rng(seed)
    n_types = int(rng.integers(2, 4)) if "types" in on else 1
    n_groups = int(rng.integers(2, 4)) if "groups" in on else 1
    n_segments = 2 if "segments" in on else 1
    clock = _clock(rng, on)
    n_intervals = DAY_MS // clock.interval_ms
    routing = _routing(rng, on, n_types, n_groups)
    world = frozen(
        World(
            clock=clock,
            demand=_demand(rng, on, clock, n_types, n_segments),
            types=_types(rng, on, n_types, n_intervals),
            bot=_bot(rng, on, clock, n_types, n_segments),
            detectors=_detectors(rng, on, n_types),
            groups=_groups(rng, on, n_groups, n_types),
            routing=routing,
            levers=_levers(rng, on, n_types),
            behaviour=_behaviour(rng, on),
            staffing=_shifts(rng, on, clock, n_groups)
            if "shifts" in on
            else _anonymous(rng, on, clock, n_groups),
            traits=_traits(rng, n_groups) if "traits" in on else no_traits(n_groups),
        )
    )
    world = _with_channels(np.random.default_rng([seed, 1]), on, world)
    if "rotation" in on:
        world = _with_posts(np.random.default_rng([seed, 2]), world)
    return frozen(world)  # type: ignore[no-any-return]


def _with_posts(rng: np.random.Generator, world: World) -> World:
    """The same world, in which people rotate between posts with some of their group's queues, or none."""
    routing, staffing, n_groups = world.routing, world.staffing, len(world.groups.slots)
    home = np.concatenate([np.arange(n_groups), np.repeat(np.arange(n_groups), rng.integers(1, 4, n_groups))])
    delay = routing.delay_of_group[:, home].copy()
    delay[:, n_groups:][rng.random(delay[:, n_groups:].shape) < 0.4] = -1
    queues = np.full((len(home), len(delay)), -1)
    for post in range(len(home)):
        mine = np.flatnonzero(delay[:, post] >= 0)
        queues[post, : len(mine)] = mine

    def some(groups: w.Ints) -> w.Ints:
        which = [rng.choice([-1, *np.flatnonzero(home == g)]) for g in groups.tolist()]
        return np.array(which, np.int64).reshape(len(groups))

    group = staffing.group_of[staffing.agent]
    return world._replace(
        routing=routing._replace(
            home_of=home, delay_of_group=delay, queues=queues, priority=routing.priority[home]
        ),
        staffing=staffing._replace(
            shift_post=some(group), act_post=some(np.repeat(group, np.diff(staffing.act_from)))
        ),
    )


def _with_channels(rng: np.random.Generator, on: frozenset[str], world: World) -> World:
    """The same world, with its types on several channels; the first of several stays on the phone."""
    n_types, n_groups = len(world.types.channel), len(world.groups.slots)
    channel = np.full(n_types, w.VOICE)
    others = [c for name, c in (("chat", w.CHAT), ("deferred", w.DEFERRED)) if name in on]
    for t in range(min(1, n_types - 1), n_types):
        if others:
            channel[t] = rng.choice(others)
    types = world.types._replace(
        channel=channel, silent=np.full(n_types, 0.25 if "silent" in on else 0.0),
        silent_ms=rng.integers(30, 200, n_types) * SECOND,
    )  # fmt: skip
    slots = rng.integers(1, 5, n_groups) if "chat" in on else np.ones(n_groups, np.int64)
    most = int(slots.max())
    extra = np.cumsum(rng.uniform(-0.05, 0.6, (n_groups, most + 1)), axis=1) * ("no_slowing" not in on)
    extra[:, :2] = 0.0
    groups = world.groups._replace(
        slots=slots, slowing=1.0 + np.maximum(extra, -0.5),
        reserved=rng.uniform(0.1, 0.7, n_groups) if "reserved" in on else np.zeros(n_groups),
    )  # fmt: skip
    offered = np.where(channel != w.DEFERRED, rng.choice([0, 15, 40], n_types) * SECOND, -1)
    levers = world.levers._replace(
        call_back_after_ms=offered if "offers" in on else np.full(n_types, -1),
        call_back_accepts=rng.uniform(0.3, 1.0, n_types),
        call_back_unanswered=0.3 if "no_reply" in on else 0.0, call_back_dial_ms=40 * SECOND,
    )  # fmt: skip
    clock, behaviour, demand = world.clock, world.behaviour, world.demand
    if "messages" in on:
        clock = clock._replace(out_of_hours=w.MESSAGE)
    if "concurrency" in on:
        behaviour = behaviour._replace(heard_concurrency=-0.3, resolved_concurrency=-0.2)
    if "crowded_chats" in on:
        demand = demand._replace(
            expected=demand.expected * np.where(channel == w.CHAT, 2.5, 1.0)[:, None, None]
        )
    return world._replace(
        clock=clock, demand=demand, types=types, groups=groups, levers=levers, behaviour=behaviour
    )


def _clock(rng: np.random.Generator, on: frozenset[str]) -> Clock:
    days = int(rng.integers(1, 3))
    edge = 1 if "edges" in on else 0
    start = np.arange(days + 2 * edge) * DAY_MS
    if "opening_hours" in on:
        open_ms = start + 9 * HOUR_MS
        close_ms = start + (25 if "past_midnight" in on else 15) * HOUR_MS
        if "closed_day" in on and len(start) > 1:
            which = int(rng.integers(len(start)))
            open_ms[which] = close_ms[which] = NEVER
    else:
        open_ms, close_ms = start, start + DAY_MS
    return Clock(
        interval_ms=int(rng.choice([5, 30, 60])) * MINUTE_MS, warm_days=edge, days=days, follow_days=edge,
        open_ms=open_ms, close_ms=close_ms, at_close=w.SEND_AWAY if "send_away" in on else w.SERVE_OUT,
        out_of_hours=w.CALL_BACK if "call_back" in on else w.LOST, always_open=int("opening_hours" not in on),
    )  # fmt: skip


def _demand(
    rng: np.random.Generator, on: frozenset[str], clock: Clock, n_types: int, n_segments: int
) -> Demand:
    hour = np.arange(DAY_MS // clock.interval_ms) * clock.interval_ms / HOUR_MS
    per_hour = np.where((hour >= 8) & (hour < 17), 40.0, 5.0) * (1.7 if "busy" in on else 1.0) / n_types
    shape = (n_types, clock.n_days, 1)
    return Demand(
        expected=per_hour * clock.interval_ms / HOUR_MS * rng.uniform(0.7, 1.3, shape),
        factor_shape=20.0 if "day_factor" in on else 0.0, factor_memory=float(rng.choice([0.0, 0.5])),
        factor_shared=int(rng.integers(2)),
        segment_share=np.tile(np.array([0.6, 1.0]) if n_segments == 2 else np.ones(1), (n_types, 1)),
        vulnerable=rng.uniform(0.05, 0.3, n_segments), keyword=rng.uniform(0.0, 0.3, n_types),
        intensity_shift=rng.uniform(-0.3, 0.5, (n_types, clock.n_days)), id_of_type=np.arange(n_types) + 3,
    )  # fmt: skip


def _types(rng: np.random.Generator, on: frozenset[str], n_types: int, n_intervals: int) -> Types:
    kinds = [w.EXPONENTIAL, w.LOGNORMAL, w.GAMMA, w.FIXED]
    patiences = [w.EXPONENTIAL, w.LOGNORMAL, w.FIXED, w.WEIBULL, w.HAZARD]
    some = "families" in on
    talk_family = rng.choice(kinds, n_types) if some else np.full(n_types, w.LOGNORMAL)
    acw_family = rng.choice(kinds, n_types) if some else np.full(n_types, w.EXPONENTIAL)
    patience_family = rng.choice(patiences, n_types) if some else np.full(n_types, w.EXPONENTIAL)
    if "fixed" in on:
        talk_family, acw_family = np.full(n_types, w.FIXED), np.full(n_types, w.FIXED)
    if "fixed" in on and not some:
        patience_family = np.full(n_types, w.FIXED)
    patience = rng.integers(20, 90 if "impatience" in on else 600, (n_types, 1)) * float(SECOND)
    patience = np.where((patience_family == w.HAZARD)[:, None], 1.0, patience)
    return Types(
        talk_ms=np.repeat(rng.integers(60, 400, (n_types, 1)) * float(SECOND), n_intervals, axis=1),
        talk_family=talk_family, talk_cv=rng.uniform(0.4, 1.2, n_types),
        acw_ms=rng.integers(0, 60, n_types) * float(SECOND), acw_family=acw_family,
        acw_cv=rng.uniform(0.3, 1.0, n_types),
        patience_ms=np.repeat(patience, n_intervals, axis=1), patience_family=patience_family,
        patience_shape=rng.uniform(0.7, 1.5, n_types),
        hazard_ms=np.tile([20.0 * SECOND, 90.0 * SECOND, np.inf], (n_types, 1)),
        hazard_rate=np.tile([0.01, 0.002, 0.004], (n_types, 1)) / SECOND,
        balk=np.full(n_types, 0.1 if "balk" in on else 0.0),
        resolved=rng.uniform(0.3, 1.5, n_types), heard=rng.uniform(0.0, 1.0, n_types),
        intensity_mean=rng.uniform(-1.0, 0.8, n_types), intensity_spread=rng.uniform(0.8, 1.3, n_types),
        intensity_loading=rng.uniform(0.0, 0.6, n_types), containment_loading=rng.uniform(0.0, 0.6, n_types),
        talk_loading=np.where(rng.random(n_types) < 0.5, 0.0, 0.4) * ("fixed" not in on),
        churn_scale=np.ones(n_types), channel=np.full(n_types, w.VOICE), silent=np.zeros(n_types),
        silent_ms=np.zeros(n_types, np.int64),
    )  # fmt: skip


def _bot(rng: np.random.Generator, on: frozenset[str], clock: Clock, n_types: int, n_segments: int) -> Bot:
    shape = (n_types, n_segments)
    downs = np.sort(rng.integers(0, clock.stop_ms, 2)) if "outages" in on else np.zeros(0, np.int64)
    return Bot(
        offered=rng.uniform(0.5, 1.0, shape) * ("bot" in on), containment=rng.uniform(0.2, 0.5, shape),
        false_logit=rng.uniform(-1.5, 0.0, shape), false_slope=0.5, asks=rng.uniform(0.1, 0.4, shape),
        hangs_up=rng.uniform(0.05, 0.2, shape), session_ms=rng.integers(30, 600, shape) * float(SECOND),
        ask_ms=np.full(n_types, 5.0 * SECOND), context=rng.uniform(0.3, 1.0, n_types),
        early_way_out=int("way_out" in on),
        from_ms=np.full(n_types, 7 * HOUR_MS if "bot_hours" in on else 0),
        to_ms=np.full(n_types, 14 * HOUR_MS if "bot_hours" in on else DAY_MS),
        outage_from=downs, outage_to=downs + 3 * HOUR_MS * (len(downs) > 0),
    )  # fmt: skip


def _detectors(rng: np.random.Generator, on: frozenset[str], n_types: int) -> Detectors:
    n = 3 if "detectors" in on else 0
    return Detectors(
        target=np.arange(n), above=np.full(n, 0.6), sensitivity=rng.uniform(0.5, 0.9, n),
        specificity=rng.uniform(0.7, 0.95, n), listens=(rng.random((n, n_types)) < 0.8).astype(np.int64),
    )  # fmt: skip


def _groups(rng: np.random.Generator, on: frozenset[str], n_groups: int, n_types: int) -> Groups:
    spread = float("spread" in on) * ("fixed" not in on)
    return Groups(
        specialist=(rng.random(n_groups) < 0.5).astype(float) * ("specialists" in on),
        empathy=rng.uniform(0.1, 0.9, n_groups), heard=rng.uniform(0.0, 0.4, n_groups),
        resolved=rng.uniform(0.0, 0.4, n_groups),
        speed=1.0 + spread * rng.uniform(-0.3, 0.3, (n_groups, n_types)),
        speed_cv=np.full(n_groups, 0.2 * spread), absorption=np.ones(n_groups),
        absorption_sd=np.full(n_groups, 0.4 * spread),
        absence=np.full(n_groups, 0.2 if "absence" in on else 0.0),
        late=np.full(n_groups, 0.4 if "lateness" in on else 0.0), late_ms=np.full(n_groups, 10.0 * MINUTE_MS),
        exhaustion=np.full(n_groups, 0.4 if "exhaustion" in on else 0.0),
        slots=np.ones(n_groups, np.int64), slowing=np.ones((n_groups, 2)), reserved=np.zeros(n_groups),
    )  # fmt: skip


def _traits(rng: np.random.Generator, n_groups: int) -> Traits:
    """Two traits of one lot that exclude one another, and one of another."""
    shape = (3, n_groups)
    middle = rng.uniform(0.3, 0.7, n_groups)
    return Traits(
        lot=np.array([0, 0, 3]), low=np.stack([np.zeros(n_groups), middle, np.full(n_groups, 0.2)]),
        high=np.stack([middle, np.ones(n_groups), np.full(n_groups, 0.8)]), speed=rng.uniform(0.7, 1.4, shape),
        talk=rng.uniform(0.9, 1.2, shape), heard=rng.uniform(-0.3, 0.5, shape), resolved=rng.uniform(-0.3, 0.5, shape),
        empathy=rng.uniform(-0.6, 0.6, shape), absorption=rng.uniform(0.5, 1.2, shape),
        spread=rng.uniform(0.5, 2.0, shape),
    )  # fmt: skip


def _routing(rng: np.random.Generator, on: frozenset[str], n_types: int, n_groups: int) -> Routing:
    n_queues = 4 * n_types
    serves = np.arange(n_queues)[:, None] % n_groups == np.arange(n_groups)[None, :]
    if "overlap" in on:
        serves |= rng.random((n_queues, n_groups)) < 0.6
    waits = np.array([0, 20, 20, 45, 90]) * SECOND
    order = np.full((n_queues, n_groups), -1)
    delay = np.zeros((n_queues, n_groups), np.int64)
    of_group = np.full((n_queues, n_groups), -1)
    queues = np.full((n_groups, n_queues), -1)
    for q in range(n_queues):
        mine = rng.permutation(np.flatnonzero(serves[q]))
        order[q, : len(mine)] = mine
        if "overflow" in on:
            delay[q, 1 : len(mine)] = rng.choice(waits, max(0, len(mine) - 1))
        of_group[q, mine] = delay[q, : len(mine)]
    for g in range(n_groups):
        mine = np.flatnonzero(serves[:, g])
        queues[g, : len(mine)] = mine
    return Routing(
        order=order, delay=delay, delay_of_group=of_group,
        priority=rng.integers(0, 3, (n_groups, n_queues)) * ("priority" in on), queues=queues, home_of=np.arange(n_groups),
        max_queue=int(rng.integers(2, 8)) if "max_queue" in on else 0, by_load=int("by_load" in on),
    )  # fmt: skip


def _levers(rng: np.random.Generator, on: frozenset[str], n_types: int) -> Levers:
    rest = "rest" in on
    return Levers(
        target_ms=np.where(rng.random(n_types) < 0.8, 150.0 * SECOND, 0.0) * ("targets" in on),
        cut=rng.uniform(0.4, 0.9, n_types), scripts=int("scripts" in on), authority=int("authority" in on),
        rest_on_type=rng.integers(0, 2, n_types), rest_over_ms=int(rng.choice([0, 300])) * SECOND,
        rest_on_flag=int(rng.integers(2)), rest_on_button=int(rng.integers(2)),
        rest_on_intensity=float(rng.choice([0.7, 2.0])), rest_ms=90 * SECOND if rest else 0,
        rest_hardest_ms=240 * SECOND if rest else 0, rest_share=float(rng.choice([0.2, 0.5, 1.0])),
        rest_queue=int(rng.choice([0, 2, 1000])), rest_budget_ms=(10 if "budget" in on else 1000) * MINUTE_MS,
        call_back_after_ms=np.full(n_types, -1), call_back_accepts=np.zeros(n_types), call_back_unanswered=0.0,
        call_back_dial_ms=0, same_agent=int("same_agent" in on),
    )  # fmt: skip


def _behaviour(rng: np.random.Generator, on: frozenset[str]) -> Behaviour:
    change: dict[str, float] = {
        "handover_ms": 25.0 * SECOND, "slack": 0.1, "resolved_difficulty": -0.5, "resolved_unmet": -2.0,
        "resolved_not_heard": -1.0, "heard_intensity": -1.2, "heard_empathy": 1.0, "heard_unmet": -1.5,
        "heard_repeat": -0.5, "heard_wait_per_min": -0.08, "heard_scripts": -0.4, "heard_specialist": 0.5,
        "resolved_specialist": 0.4, "resolved_authority": 0.3,
        "return_median_ms": float(rng.integers(1, 9) * HOUR_MS),
        "return_intensity": 0.1, "bot_loop_intensity": 0.15, "button_uptake": 0.5,
        "max_attempts": int(rng.integers(2, 5)),
    }  # fmt: skip
    if "hurry" in on:
        change |= {"queue_speed_up": 0.03, "queue_speed_up_most": 0.2}
    if "load" in on:
        change |= {"load_on_talk": 0.03, "resolved_load": -0.1, "heard_load": -0.15, "strain": 0.5}
        change |= {"fatigue_per_hour": 0.01, "listening_on_talk": 0.1, "load_threshold": 1.0}
    if "exhaustion" in on:
        change |= {"exhaustion_share": 0.2, "absence_per_exhaustion": 2.0}
    if "returns" in on:
        change |= {"return_sorted_heard": 0.05, "return_sorted": 0.15, "return_warm": 0.4, "return_cold": 0.6}
    if "escalations" in on:
        change |= {"escalate_sorted": 0.05, "escalate_warm": 0.15, "escalate_cold": 0.3}
    if "redials" in on:
        change |= {"redial": 0.6}
    if "same_agent" in on:
        change |= {"same_agent_heard": 0.4, "same_agent_resolved": 0.5, "same_agent_talk": -0.08}
    if "passed_on" in on:
        change |= {"passed_on": 0.4}
    return plain_behaviour(**change)


def _anonymous(rng: np.random.Generator, on: frozenset[str], clock: Clock, n_groups: int) -> Staffing:
    hour = np.arange(DAY_MS // clock.interval_ms) * clock.interval_ms // HOUR_MS
    per_hour = rng.integers(1, 4, (n_groups, clock.n_days, 24)) * (
        (np.arange(24) >= 8) & (np.arange(24) < 18)
    )
    if "steady" in on:
        per_hour = per_hour[:, :, 12:13] * (per_hour > 0)
    staffing = anonymous_staffing(clock, per_hour[:, :, hour])
    return staffing._replace(
        unseen_rest=rng.uniform(0.0, 0.3, n_groups) if "load" in on else staffing.unseen_rest
    )


def _shifts(rng: np.random.Generator, on: frozenset[str], clock: Clock, n_groups: int) -> Staffing:
    """Named people: each works every day, some twice a day, past midnight, or in overlapping shifts."""
    n = 3 * n_groups + 2
    shifts: list[tuple[int, int, int, int]] = []
    for day in range(clock.n_days):
        for agent in range(n):
            start = day * DAY_MS + int(rng.integers(14, 24)) * HOUR_MS // 2
            end = start + int(rng.integers(6, 13)) * HOUR_MS // 2
            shifts.append((start, agent, end, day))
            if "doubles" in on and rng.random() < 0.3:
                again = end + int(rng.integers(-1, 4)) * HOUR_MS // 4
                shifts.append((again, agent, again + 3 * HOUR_MS, day))
            if "back_to_back" in on and rng.random() < 0.3:
                shifts.append((end, agent, end + 2 * HOUR_MS, day))
    shifts.sort()
    act_from, acts = [0], []
    for start, _, end, _ in shifts:
        if "activities" in on:
            for k in range(int(rng.integers(0, 4))):
                at = start + (k + 1) * HOUR_MS // 2 + int(rng.integers(0, 3)) * 5 * MINUTE_MS
                if at < end:
                    length = int(rng.integers(5, 40)) * MINUTE_MS
                    acts.append((at, length, int(rng.integers(4)), int(rng.integers(2))))
        act_from.append(len(acts))
    columns = np.array(acts, np.int64).reshape(-1, 4).T
    return Staffing(
        group_of=np.arange(n) % n_groups, person=np.arange(n) + 100, agent=np.array([s[1] for s in shifts]),
        start_ms=np.array([s[0] for s in shifts]), end_ms=np.array([s[2] for s in shifts]),
        day=np.array([s[3] for s in shifts]), act_from=np.array(act_from), act_ms=columns[0],
        act_length_ms=columns[1], act_kind=columns[2], act_paid=columns[3],
        shift_post=np.full(len(shifts), -1), act_post=np.full(len(acts), -1), slot_ms=np.zeros(0, np.int64),
        slot_group=np.zeros(0, np.int64), slot_change=np.zeros(0, np.int64), unseen_rest=np.zeros(n_groups),
        absence_factor=np.ones(len(shifts)), late_factor=np.ones(len(shifts)),
    )  # fmt: skip


def coarse(draws: Draws, grain_ms: int) -> Draws:
    """The same draws with every time rounded down to a grain, so that many events fall together."""

    def rounded(times: w.Ints) -> w.Ints:
        return times // grain_ms * grain_ms

    rows = draws.rows._replace(
        bot_ms=rounded(draws.rows.bot_ms), return_ms=rounded(draws.rows.return_ms),
        redial_ms=rounded(draws.rows.redial_ms), call_back_ms=rounded(draws.rows.call_back_ms),
    )  # fmt: skip
    return Draws(
        draws.needs._replace(birth_ms=rounded(draws.needs.birth_ms)),
        rows,
        draws.people._replace(late_ms=rounded(draws.people.late_ms)),
    )


def small_run(seed: int, on: frozenset[str]) -> tuple[World, Draws]:
    """A small world and its draws; on a grain of up to a minute where durations are fixed."""
    world = small_world(seed, on)
    draws = d.draw(world, seed, 0)
    return world, coarse(draws, (SECOND, 30 * SECOND, MINUTE_MS)[seed % 3]) if "fixed" in on else draws


def some_features(seed: int) -> frozenset[str]:
    """About two thirds of the features, by number."""
    keep = np.random.default_rng(seed + 1_000_000).random(len(FEATURES)) < 0.66
    return frozenset(name for name, yes in zip(FEATURES, keep, strict=True) if yes)
