"""From a scenario, its natural values, a policy and a roster to the `World` that an engine runs.

Evidence defaults are resolved here, names become numbers here, and the horizon is repeated on both sides here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from planner import evidence
from planner.natural import NOBODY, NaturalValues
from planner.roster import Roster, RosteredShift
from planner.scenario.schema import (
    AssistLever,
    CallBackLever,
    ContactType,
    DayFactor,
    DecompressionLever,
    Group,
    HiringLever,
    OutsourceLever,
    Policy,
    ProactiveLever,
    RecoveryLever,
    Scenario,
    SelfServiceLever,
    SpecialistLever,
    SupportLever,
    TargetLever,
    TrainingLever,
    days_of,
)
from sim import draws
from sim import world as w
from sim.world import DAY_MS, MINUTE_MS, NEVER, Floats, Ints, World

FAMILY = {"exponential": w.EXPONENTIAL, "lognormal": w.LOGNORMAL, "gamma": w.GAMMA, "fixed": w.FIXED}
PATIENCE = {
    "exponential": w.EXPONENTIAL, "weibull": w.WEIBULL, "lognormal": w.LOGNORMAL, "hazard": w.HAZARD,
    "infinite": w.FIXED,
}  # fmt: skip
LATE_SHARE = 0.25
"""One shift in four starts late; how late follows from the lateness item."""
CHANNEL = {"voice": w.VOICE, "chat": w.CHAT, "messaging": w.DEFERRED, "email": w.DEFERRED}
OUT_OF_HOURS = {"call_back": w.CALL_BACK, "lost": w.LOST, "message": w.MESSAGE}
AFTER_LIVE = 2_000
"""Added to the priority of deferred work: more than any live contact has."""
ACTIVITY = {"break": w.BREAK, "lunch": w.LUNCH, "offline": w.OFFLINE, "decompression": w.DECOMPRESSION}


def logit(p: float) -> float:
    """Log-odds of a share, kept off the ends."""
    p = min(max(p, 1e-9), 1 - 1e-9)
    return math.log(p / (1 - p))


def n_intervals(scenario: Scenario) -> int:
    """Intervals in a day."""
    return 1440 // scenario.horizon.interval_min


def by_interval(values: float | Mapping[int, float], scenario: Scenario) -> Floats:
    """(I,) values by interval of the day; each time's value holds until the next, the last one past midnight."""
    n = n_intervals(scenario)
    if not isinstance(values, Mapping):
        return np.full(n, float(values))
    if not values:
        return np.zeros(n)
    times = np.array(sorted(values), np.int64)
    at = np.arange(n) * scenario.horizon.interval_min
    place = np.searchsorted(times, at, side="right") - 1
    ordered = np.array([values[int(t)] for t in times])
    return ordered[place]


def return_delay_days(scenario: Scenario) -> int:
    """The 99th percentile of the return delay, whole days."""
    median, sigma = scenario.coefficient("return_median_days"), scenario.coefficient("return_sigma")
    returns = max(scenario.coefficient(f"return_{e}") for e in ("sorted_heard", "sorted", "warm", "cold"))
    if returns <= 0 or scenario.coefficient("max_attempts") < 2:
        return 0
    return math.ceil(median * math.exp(float(ndtri(0.99)) * sigma))


def weekday_of(scenario: Scenario, day: int) -> int:
    """Weekday (0 is Monday) of a day counted from the first of the horizon; outside it the horizon repeats."""
    return (scenario.horizon.start.weekday() + day % scenario.horizon.days) % 7


def open_intervals(scenario: Scenario) -> NDArray[np.bool_]:
    """(days of the horizon, I) whether the doors are open when the interval begins."""
    hours = scenario.opening.by_weekday()
    at = np.arange(n_intervals(scenario)) * scenario.horizon.interval_min
    week = [(at >= opening[0]) & (at < opening[1]) if opening else at < 0 for opening in hours]
    return np.stack([week[weekday_of(scenario, day)] for day in range(scenario.horizon.days)])


def offered_by_interval(scenario: Scenario) -> Floats:
    """(T, days of the horizon, I) observed contacts offered, without events."""
    hours = scenario.opening.by_weekday()
    result = np.zeros((len(scenario.types), scenario.horizon.days, n_intervals(scenario)))
    at = np.arange(n_intervals(scenario)) * scenario.horizon.interval_min
    for t, kind in enumerate(scenario.types.values()):
        weights = np.array([1.0 if opening else 0.0 for opening in hours])
        if kind.weekdays:
            weights = np.zeros(7)
            for key, weight in kind.weekdays.items():
                for day in days_of(key):
                    weights[day] = weight
        profiles: list[Floats] = []
        for day in range(7):
            profile = by_interval(kind.profile, scenario) if kind.profile else None
            for key, special in kind.profile_by_day.items():
                if day in days_of(key):
                    profile = by_interval(special, scenario)
            if profile is None:
                opening = hours[day] or (0, 1440)
                profile = ((at >= opening[0]) & (at < opening[1])).astype(float)
            profiles.append(profile / profile.sum() if profile.sum() > 0 else profile)
        for day in range(scenario.horizon.days):
            weekday = weekday_of(scenario, day)
            result[t, day] = kind.offered_per_week * weights[weekday] / weights.sum() * profiles[weekday]
    return result


def clock_of(scenario: Scenario, *, follow: bool = True) -> w.Clock:
    """Warm-up, horizon and follow-up with opening hours."""
    horizon = scenario.horizon
    week = scenario.opening.by_weekday()
    always_open = all(opening == (0, 1440) for opening in week)
    default = return_delay_days(scenario)
    # Where the doors never close, the horizon starts in mid-flow even if nobody ever comes back.
    warm = max(default, int(always_open)) if horizon.warm_up_days is None else horizon.warm_up_days
    after = default if horizon.follow_up_days is None else horizon.follow_up_days
    if scenario.has_deferred() and horizon.warm_up_days is None:
        warm = max(
            warm, min(horizon.days, 7)
        )  # a backlog over a weekend is there from the first measured day
    if not follow:
        after = min(after, 1)
    hours = max((target.within_h or 0.0 for target in scenario.targets), default=0.0)
    after = max(after, math.ceil(hours / 24))  # what arrives last must have had its time
    n_days = warm + horizon.days + after
    opens, closes = np.full(n_days, NEVER, np.int64), np.full(n_days, NEVER, np.int64)
    for day in range(n_days):
        opening = week[weekday_of(scenario, day - warm)]
        if opening:
            opens[day] = day * DAY_MS + opening[0] * MINUTE_MS
            closes[day] = day * DAY_MS + opening[1] * MINUTE_MS
    return w.Clock(
        interval_ms=horizon.interval_min * MINUTE_MS,
        warm_days=warm,
        days=horizon.days,
        follow_days=after,
        open_ms=opens,
        close_ms=closes,
        at_close={"serve_out": w.SERVE_OUT, "send_away": w.SEND_AWAY}[scenario.opening.at_close],
        out_of_hours=OUT_OF_HOURS[scenario.opening.out_of_hours],
        always_open=int(always_open),
    )


def _event_days(scenario: Scenario, kind: str, warm: int) -> list[tuple[Any, list[int]]]:
    found = []
    for event in scenario.events:
        if event.kind == kind:
            last = event.to_day or event.from_day
            found.append((event, [warm + d - 1 for d in range(event.from_day, last + 1)]))
    return found


def still_called(scenario: Scenario, policy: Policy) -> Floats:
    """(T,) needs that still become calls where messages go out before, per need that arises as today."""

    def left(one: Policy) -> Floats:
        lever, share = one.proactive_contact, np.ones(len(scenario.types))
        if isinstance(lever, ProactiveLever):
            reached = either(scenario, lever.reached, "proactive_reached")
            helped = either(scenario, lever.helped, "proactive_helped")
            share[_type_numbers(lever.types, list(scenario.types))] = 1 - reached * helped
        return share

    # What is observed today has today's own messages in it.
    return np.asarray(left(policy) / np.maximum(left(scenario.policies["as_is"]), 1e-9), np.float64)


def either(scenario: Scenario, value: float | None, key: str) -> float:
    """A field's value, or the evidence table's where it is left out."""
    return scenario.coefficient(key) if value is None else value


def demand_of(
    scenario: Scenario, natural: NaturalValues, clock: w.Clock, policy: Policy | None = None
) -> w.Demand:
    """Natural needs by type, day and interval; of a policy that removes some, those that are left."""
    offered = (
        offered_by_interval(scenario) * natural.needs_per_contact[:, None, None] * scenario.what_if.volume
    )
    if policy is not None and policy.proactive_contact != scenario.policies["as_is"].proactive_contact:
        offered = offered * still_called(scenario, policy)[:, None, None]
    days = (np.arange(clock.n_days) - clock.warm_days) % clock.days
    expected = offered[:, days, :].copy()
    names = list(scenario.types)
    at = np.arange(n_intervals(scenario)) * scenario.horizon.interval_min
    for event, when in _event_days(scenario, "surge", clock.warm_days):
        start, end = event.hours or (0, 0)
        inside = (at >= start) & (at < end)
        for t in _type_numbers(event.types, names):
            for day in when:
                expected[t, day, inside] *= event.factor
    shift = np.zeros((len(names), clock.n_days))
    for event, when in _event_days(scenario, "intensity_up", clock.warm_days):
        for t in _type_numbers(event.types, names):
            shift[t, when] += event.add
    segments = list(scenario.segments.items())
    share = np.zeros((len(names), len(segments)))
    for t, kind in enumerate(scenario.types.values()):
        row = np.array([kind.segments.get(n, 0.0) if kind.segments else s.share for n, s in segments])
        share[t] = np.cumsum(row / row.sum())
    factor: DayFactor = scenario.day_factor
    return w.Demand(
        expected=expected,
        factor_shape=factor.shape,
        factor_memory=factor.memory,
        factor_shared=int(factor.shared),
        segment_share=share,
        vulnerable=np.array([s.vulnerable for _, s in segments]),
        keyword=np.array([kind.keyword for kind in scenario.types.values()]),
        intensity_shift=shift,
        id_of_type=np.array([_stable_number(name) for name in names], np.int64),
    )


def _stable_number(name: str) -> int:
    """A number for a name that stays when others are added: 48 bits of FNV-1a."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) % (1 << 64)
    return h >> 16


def _type_numbers(chosen: tuple[str, ...], names: list[str]) -> list[int]:
    return [names.index(name) for name in chosen] if chosen else list(range(len(names)))


def types_of(scenario: Scenario, natural: NaturalValues) -> w.Types:
    """What contacts carry by themselves."""
    kinds = list(scenario.types.values())
    n = n_intervals(scenario)
    pieces = max([1, *(len(kind.patience.pieces) for kind in kinds)])
    hazard_ms, hazard_rate = np.full((len(kinds), pieces), np.inf), np.ones((len(kinds), pieces))
    patience = np.zeros((len(kinds), n))
    # Whoever writes waits for as long as it takes, unless the file says how long.
    family = [
        PATIENCE["infinite" if k.deferred and not k.says_patience else k.patience.family] for k in kinds
    ]
    for t, kind in enumerate(kinds):
        for k, piece in enumerate(kind.patience.pieces):
            last = k == len(kind.patience.pieces) - 1
            hazard_ms[t, k] = np.inf if last else piece.to_s * 1000
            hazard_rate[t, k:] = piece.per_min / 60_000
        if family[t] == PATIENCE["infinite"]:
            patience[t] = NEVER
        elif kind.patience.family == "hazard":
            patience[t] = scenario.what_if.patience
        else:
            patience[t] = by_interval(kind.patience.mean_s, scenario) * 1000 * scenario.what_if.patience
    talk = np.stack([by_interval(kind.handle.talk_s, scenario) * 1000 for kind in kinds])
    return w.Types(
        talk_ms=talk * natural.talk_factor[:, None] * scenario.what_if.handle,
        talk_family=np.array([FAMILY[kind.handle.family] for kind in kinds]),
        talk_cv=np.array([talk_cv(scenario, kind.handle.cv, kind.handle.family) for kind in kinds]),
        acw_ms=np.array([kind.handle.acw_s * 1000.0 for kind in kinds]) * natural.acw_factor,
        acw_family=np.array(
            [FAMILY[kind.handle.acw_family if kind.handle.acw_s else "fixed"] for kind in kinds]
        ),
        acw_cv=np.array([kind.handle.acw_cv for kind in kinds]),
        patience_ms=patience,
        patience_family=np.array(family),
        patience_shape=np.array([kind.patience.shape for kind in kinds]),
        hazard_ms=hazard_ms,
        hazard_rate=hazard_rate,
        balk=np.array([kind.patience.balk for kind in kinds]),
        resolved=natural.resolved,
        heard=natural.heard,
        intensity_mean=natural.intensity_mean,
        intensity_spread=np.where(
            natural.intensity_mean > NOBODY, scenario.coefficient("intensity_spread"), 0.0
        ),
        intensity_loading=natural.intensity_loading,
        containment_loading=np.full(len(kinds), scenario.coefficient("containment_loading")),
        talk_loading=np.array([talk_loading(scenario, kind.handle.family) for kind in kinds]),
        churn_scale=np.array([kind.churn_scale for kind in kinds]) * scenario.what_if.churn,
        channel=np.array([CHANNEL[kind.channel] for kind in kinds], np.int64),
        silent=np.array([silent_share(scenario, kind) for kind in kinds]),
        silent_ms=np.array([round(silent_s(scenario, kind) * 1000) for kind in kinds], np.int64),
    )


def observed_handle_s(scenario: Scenario, name: str) -> float:
    """Mean talk and after-contact work of a type as stated, seconds."""
    handle = scenario.types[name].handle
    return float(by_interval(handle.talk_s, scenario).mean()) + handle.acw_s


def silent_share(scenario: Scenario, kind: ContactType) -> float:
    """Share of answered chats whose customer is gone already; of other channels none."""
    if kind.channel != "chat":
        return 0.0
    return scenario.coefficient("silent_abandonment") if kind.silent is None else kind.silent


def silent_s(scenario: Scenario, kind: ContactType) -> float:
    """Seconds that such a chat holds its slot; 0 for other channels."""
    if kind.channel != "chat":
        return 0.0
    return scenario.coefficient("silent_timeout_s") if kind.silent_s is None else kind.silent_s


def slowing_of(scenario: Scenario, group: str) -> Floats:
    """(K + 1,) handle time of a chat by chats at once, over that of one alone, up to the most that any policy allows."""
    given = scenario.groups[group].chat_handle_by_level
    each = scenario.coefficient("chat_slowing")
    most = scenario.most_chats(group)
    return np.array([1.0, *(given.get(n, 1.0) if given else 1 + each * (n - 1) for n in range(1, most + 1))])


def talk_cv(scenario: Scenario, cv: float | None, family: str) -> float:
    """The CV of talk: the scenario's, the family's, or the evidence table's."""
    if family == "exponential":
        return 1.0
    return scenario.coefficient("talk_cv") if cv is None else cv


def talk_loading(scenario: Scenario, family: str) -> float:
    """How strongly difficulty drives talk; fixed talk cannot be driven."""
    return 0.0 if family == "fixed" else scenario.coefficient("talk_loading")


def bot_of(scenario: Scenario, natural: NaturalValues, policy: Policy, clock: w.Clock) -> w.Bot:
    """The automated front under a policy."""
    kinds, segments = list(scenario.types.items()), list(scenario.segments)
    shape = (len(kinds), len(segments))
    offered, contained, false = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    asks, hangs, session_s = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    context = np.zeros(len(kinds))
    hours = np.zeros((2, len(kinds)), np.int64)
    today_out = scenario.policies["as_is"].early_way_out is not False
    for t, (name, kind) in enumerate(kinds):
        context[t] = kind.automation.context if policy.context is None else policy.context
        hours[:, t] = [m * MINUTE_MS for m in (kind.automation.hours or (0, 0))]
        for s, segment in enumerate(segments):
            bot = kind.automation.of(segment)
            asks[t, s] = scenario.coefficient("asks_for_person") if bot.asks is None else bot.asks
            hangs[t, s] = scenario.coefficient("hang_up") if bot.hangs_up is None else bot.hangs_up
            through = (1 - (asks[t, s] if today_out else 0.0)) * (1 - hangs[t, s])
            offered[t, s], session_s[t, s], gross = bot.offered, bot.session_s, bot.contained
            more, weaker = opened(scenario, policy, name, bot.offered)
            offered[t, s] = bot.offered + more
            if policy.contained is not None and name in policy.contained:
                gross = policy.contained[name]
            changed = scenario.what_if.contained
            if isinstance(changed, Mapping):
                gross = changed.get(name, gross)
            elif changed is not None and bot.contained > 0:
                gross = changed
            raw = gross if "contained" in kind.natural else min(gross / through, 0.999)
            if 0 < raw < 1:
                raw = float(ndtr(ndtri(raw) + natural.contained_shift[t]))
            if more > 0:
                # Those who come on top are contained less well, or better.
                raw = raw * (bot.offered + more * weaker) / (bot.offered + more)
                raw = min(raw, 0.999)
            contained[t, s] = raw
            false[t, s] = logit(scenario.coefficient("false_share") if bot.false is None else bot.false)
    start, end = [], []
    for event, days in _event_days(scenario, "bot_outage", clock.warm_days):
        opening = event.hours or (0, 0)
        start.append(days[0] * DAY_MS + opening[0] * MINUTE_MS)
        end.append(days[-1] * DAY_MS + opening[1] * MINUTE_MS)
    return w.Bot(
        offered=offered,
        containment=contained,
        false_logit=false,
        false_slope=scenario.coefficient("false_slope"),
        asks=asks,
        hangs_up=hangs,
        session_ms=session_s * 1000,
        ask_ms=np.array([kind.automation.ask_s * 1000.0 for _, kind in kinds]),
        context=context,
        early_way_out=int(policy.early_way_out is not False),
        from_ms=hours[0],
        to_ms=hours[1],
        outage_from=np.array(start, np.int64),
        outage_to=np.array(end, np.int64),
    )


def opened(scenario: Scenario, policy: Policy, name: str, today: float) -> tuple[float, float]:
    """Share of a type's contacts offered to automation beyond today's, and their containment over that of the others."""
    lever = policy.self_service
    if not isinstance(lever, SelfServiceLever) or name not in lever.offered:
        return 0.0, 1.0
    return max(0.0, lever.offered[name] - today), either(scenario, lever.contained, "self_service_contained")


def detectors_of(scenario: Scenario, policy: Policy) -> w.Detectors:
    """The detectors that a policy switches on."""
    names = list(scenario.types)
    chosen = [scenario.detectors[name] for name in policy.detectors or ()]
    target = {"intensity": w.SEES_INTENSITY, "vulnerable": w.SEES_VULNERABLE, "keyword": w.SEES_KEYWORD}
    listens = np.zeros((len(chosen), len(names)), np.int64)
    for i, detector in enumerate(chosen):
        listens[i, _type_numbers(detector.types, names)] = 1
    intense = scenario.coefficient("intense_above")

    return w.Detectors(
        target=np.array([target[d.target] for d in chosen], np.int64),
        above=np.array([intense if d.above is None else d.above for d in chosen], float),
        sensitivity=np.array([either(scenario, d.sensitivity, "sensitivity") for d in chosen], float),
        specificity=np.array([either(scenario, d.specificity, "specificity") for d in chosen], float),
        listens=listens,
    )


def specialist_groups(policy: Policy) -> set[str]:
    """Groups that work as specialists under a policy."""
    lever = policy.specialists
    return set(lever.groups) if isinstance(lever, SpecialistLever) else set()


def groups_of(scenario: Scenario, natural: NaturalValues, policy: Policy) -> w.Groups:
    """People."""
    items = list(scenario.groups.items())
    special = specialist_groups(policy)
    n = len(items)
    absence = (
        sum(item.share for item in scenario.shrinkage if item.kind == "absence") * scenario.what_if.absence
    )
    late = sum(item.share for item in scenario.shrinkage if item.kind == "lateness")
    changed, claims = policy.chats or {}, policy.reserved or {}
    by_level = [slowing_of(scenario, name) for name, _ in items]
    # Beyond a group's own levels nothing is read: its last one stands there.
    slowing = np.stack([np.pad(f, (0, max(map(len, by_level)) - len(f)), "edge") for f in by_level])
    mean_shift_ms = 480.0 * MINUTE_MS
    if scenario.shifts:
        mean_shift_ms = float(np.mean([s.hours for s in scenario.shifts.values()])) * 60 * MINUTE_MS
    return w.Groups(
        specialist=np.array([1.0 if name in special else 0.0 for name, _ in items]),
        empathy=np.array([group.empathy for _, group in items]),
        heard=np.array([group.heard for _, group in items], float),
        resolved=np.array([group.resolved for _, group in items], float),
        speed=np.array([[group.speed.get(t, 1.0) for t in scenario.types] for _, group in items]),
        speed_cv=np.array(
            [scenario.coefficient("agent_spread") if g.spread is None else g.spread for _, g in items]
        ),
        absorption=np.ones(n),
        absorption_sd=np.full(n, scenario.coefficient("absorption_sd")),
        absence=np.full(n, min(absence, 0.95)),
        late=np.full(n, LATE_SHARE if late else 0.0),
        late_ms=np.full(n, late * mean_shift_ms / LATE_SHARE),
        exhaustion=natural.exhaustion,
        slots=np.array([changed.get(name, group.chats or 1) for name, group in items], np.int64),
        slowing=slowing,
        reserved=np.array([claims.get(name, group.reserved) for name, group in items], float),
    )


TENURE, EMPATHY, BOUNDARIES, HIRED, PARTNER, SUPPORT = range(6)
"""Lots by which people have traits or not."""


def newcomers(scenario: Scenario, group: Group) -> float:
    """Share of a group's people who are new: as stated, or those whom attrition brings in the weeks of a ramp."""
    if group.newcomers is not None:
        return group.newcomers
    yearly = scenario.coefficient("attrition") if scenario.attrition is None else scenario.attrition
    return min(0.95, yearly * scenario.coefficient("ramp_weeks") * 7 / 365.25)


def hired_share(scenario: Scenario, lever: HiringLever) -> float:
    """Share of people who were hired in a new way: as stated, or those whom a year's attrition replaces."""
    yearly = scenario.coefficient("attrition") if scenario.attrition is None else scenario.attrition
    return 1 - math.exp(-yearly) if lever.share is None else lever.share


def lasting(months: float) -> float:
    """Mean over the year after a training of what is left of its effect."""
    rate = math.log(2) * 12 / months
    return -math.expm1(-rate) / rate


def traits_of(scenario: Scenario, policy: Policy) -> w.Traits:
    """What some people of a group have and others do not, by today's tenure and the policy's programmes."""
    groups = list(scenario.groups.items())
    rows: list[tuple[int, dict[str, Floats]]] = []

    def add(lot: int, low: list[float], high: list[float], **effects: float | list[float]) -> None:
        """A trait, unless nobody has it or it does nothing."""
        idle = {
            "speed": 1.0,
            "talk": 1.0,
            "heard": 0.0,
            "resolved": 0.0,
            "empathy": 0.0,
            "absorption": 1.0,
            "spread": 1.0,
        }
        columns = {
            name: np.array(np.broadcast_to(effects.get(name, value), len(groups)), float)
            for name, value in idle.items()
        }
        if np.less(low, high).any() and any((columns[name] != value).any() for name, value in idle.items()):
            rows.append((lot, {"low": np.array(low), "high": np.array(high), **columns}))

    def shares(share: float, chosen: tuple[str, ...], *, own: bool = False) -> list[float]:
        return [
            share if (not chosen or name in chosen) and not (own and group.outsourced) else 0.0
            for name, group in groups
        ]

    nobody = [0.0] * len(groups)
    told = [group.newcomers or 0.0 for _, group in groups]
    add(TENURE, nobody, told, speed=1 / scenario.coefficient("ramp_speed"))
    assist = policy.agent_assist
    if isinstance(assist, AssistLever):
        new = [
            newcomers(scenario, group) if use else 0.0
            for (_, group), use in zip(groups, shares(1, assist.groups), strict=True)
        ]
        add(
            TENURE,
            nobody,
            new,
            speed=1 - scenario.coefficient("assist_newcomer_speed"),
            resolved=scenario.coefficient("assist_newcomer_resolved"),
        )
        add(
            TENURE,
            new,
            [max(n, s) for n, s in zip(new, shares(1, assist.groups), strict=True)],
            speed=1 - scenario.coefficient("assist_experienced_speed"),
            resolved=scenario.coefficient("assist_experienced_resolved"),
        )
    feel = policy.empathy_training
    if isinstance(feel, TrainingLever):
        left = lasting(either(scenario, feel.half_life_months, "training_half_life_months"))
        add(
            EMPATHY,
            nobody,
            shares(feel.share, feel.groups),
            heard=left * scenario.coefficient("empathy_training_heard"),
            resolved=left * scenario.coefficient("empathy_training_resolved"),
            talk=1 + left * scenario.coefficient("empathy_training_talk"),
        )
    contain = policy.boundary_training
    if isinstance(contain, TrainingLever):
        left = lasting(either(scenario, contain.half_life_months, "training_half_life_months"))
        add(
            BOUNDARIES,
            nobody,
            shares(contain.share, contain.groups),
            absorption=1 - left * scenario.coefficient("boundary_training"),
        )
    hiring = policy.hiring
    if isinstance(hiring, HiringLever):
        share = hired_share(scenario, hiring)
        add(
            HIRED,
            nobody,
            shares(share, hiring.groups, own=True),
            empathy=scenario.coefficient("hiring_empathy"),
        )
    partner = policy.outsourcing
    if isinstance(partner, OutsourceLever):
        add(
            PARTNER,
            nobody,
            shares(partner.share, partner.groups, own=True),
            empathy=either(scenario, partner.empathy, "outsourced_empathy"),
            spread=either(scenario, partner.spread, "outsourced_spread"),
        )
    if isinstance(policy.team_support, SupportLever):
        add(SUPPORT, nobody, shares(1, ()), absorption=1 - scenario.coefficient("support_absorption"))
    if not rows:
        return w.no_traits(len(groups))
    names = w.Traits._fields[1:]
    return w.Traits(
        np.array([lot for lot, _ in rows]), *(np.stack([row[name] for _, row in rows]) for name in names)
    )


def leaving_factor(scenario: Scenario, policy: Policy) -> float:
    """Factor on the hazard of leaving per point of exhaustion above today's, under a policy."""
    factor = scenario.coefficient("leaving_per_exhaustion")
    if isinstance(policy.team_support, SupportLever):
        factor = 1 + (factor - 1) * (1 - scenario.coefficient("support_leaving"))
    return factor


def routing_of(scenario: Scenario, policy: Policy) -> w.Routing:
    """Who may serve which queue."""
    types, groups = list(scenario.types), list(scenario.groups)
    n_queues, n_groups = 4 * len(types), len(groups)
    position = np.full((n_groups, len(types)), -1, np.int64)
    for g, name in enumerate(groups):
        for place, item in enumerate(scenario.groups[name].skills):
            for skill in [item] if isinstance(item, str) else item:
                position[g, types.index(skill)] = place
    if policy.pooled:
        position[:] = np.where(position >= 0, 0, 0)
    special = {groups.index(name) for name in specialist_groups(policy)}
    lever = policy.specialists if isinstance(policy.specialists, SpecialistLever) else None
    tier_two = {g for g, name in enumerate(groups) if scenario.groups[name].second_tier}
    order = np.full((n_queues, n_groups), -1, np.int64)
    delay = np.zeros((n_queues, n_groups), np.int64)
    delay_of = np.full((n_queues, n_groups), -1, np.int64)
    for t, name in enumerate(types):
        able = [g for g in range(n_groups) if position[g, t] >= 0]
        able.sort(key=lambda g: (g in special, position[g, t], g))
        plain = [(g, 0) for g in able]
        route = scenario.types[name].route
        if route and not policy.pooled:
            steps = [(s, 0.0) if isinstance(s, str) else (s.group, s.after_s) for s in route]
            plain = [(groups.index(g), round(after * 1000)) for g, after in steps]
        experts = [(g, 0) for g, _ in plain if g in special]
        wait = round(lever.overflow_after_s * 1000) if lever else 0
        others = [(g, max(after, wait)) for g, after in plain if g not in special]
        first = [*experts, *others] if experts else plain
        upper = [(g, 0) for g, _ in plain if g in tier_two] or plain
        wanted = lever is not None and (not lever.types or name in lever.types)
        rows = {
            w.ORDINARY: first if wanted and lever and lever.types else plain,
            w.FLAGGED: first if lever is not None and lever.flagged else plain,
            w.SECOND_TIER: upper,
            w.MESSAGES: plain,
        }
        for form, steps_of in rows.items():
            q = form * len(types) + t
            for place, (g, after) in enumerate(steps_of):
                order[q, place], delay[q, place], delay_of[q, g] = g, after, after
    priority = np.zeros((n_groups, n_queues), np.int64)
    queues = np.full((n_groups, n_queues), -1, np.int64)
    own = np.array([scenario.types[name].priority for name in types])
    deferred = np.array([kind.deferred for kind in scenario.types.values()])
    for g in range(n_groups):
        for form in range(4):
            rank = own * 100 + np.maximum(position[g], 0)
            if form == w.FLAGGED and g in special:
                rank = rank - 50
            rank = rank + AFTER_LIVE * np.where(form == w.MESSAGES, True, deferred)
            priority[g, form * len(types) : (form + 1) * len(types)] = rank
        mine = np.flatnonzero(delay_of[:, g] >= 0)
        queues[g, : len(mine)] = mine
    return w.Routing(
        order=order,
        delay=delay,
        delay_of_group=delay_of,
        priority=priority,
        queues=queues,
        home_of=np.arange(n_groups),
        max_queue=policy.max_queue or 0,
        by_load=int(policy.routing == "least_loaded"),
    )


def with_posts(
    routing: w.Routing, types: Sequence[str], variants: Sequence[tuple[int, frozenset[str]]]
) -> tuple[w.Routing, list[int]]:
    """The routing of groups with a post for each of a roster's variants, and the number of each one's post.

    A variant with all types that its group serves is the group itself. A type's queues go together: who takes a type takes
    its flagged contacts, its second tier and its messages, as far as the group does. ValueError for what is no group or type.
    """
    n_groups, names = len(routing.home_of), np.array(types)
    known: dict[tuple[int, bytes], int] = {}
    columns: list[Ints] = []
    numbers: list[int] = []
    for group, wanted in variants:
        strange = sorted(wanted - set(types))
        if strange or not 0 <= group < n_groups:
            raise ValueError(
                f"a variant of group {group} of {n_groups} has the types {strange or sorted(wanted)}"
            )
        whole = routing.delay_of_group[:, group]
        delay = np.where(np.tile(np.isin(names, list(wanted)), 4), whole, -1)
        if np.array_equal(delay, whole):
            numbers.append(group)
            continue
        key = group, delay.tobytes()
        if key not in known:
            known[key] = n_groups + len(columns)
            columns.append(delay)
        numbers.append(known[key])
    home = np.concatenate([routing.home_of, np.array([group for group, _ in known], np.int64)])
    queues = np.full((len(home), routing.queues.shape[1]), -1, np.int64)
    queues[:n_groups] = routing.queues
    for post, delay in enumerate(columns, n_groups):
        mine = np.flatnonzero(delay >= 0)
        queues[post, : len(mine)] = mine
    posts = routing._replace(
        delay_of_group=np.column_stack([routing.delay_of_group, *columns]),
        priority=routing.priority[home],
        queues=queues,
        home_of=home,
    )
    return posts, numbers


def posts_of(scenario: Scenario, policy: str, roster: Roster) -> list[int]:
    """The number that each of a roster's variants has among the posts of its world."""
    return with_posts(routing_of(scenario, scenario.policy(policy)), list(scenario.types), roster.variants)[1]


def levers_of(scenario: Scenario, natural: NaturalValues, policy: Policy) -> w.Levers:
    """What the policy sets and engines read; the cut that achieves a target's drop is solved here."""
    names = list(scenario.types)
    target_ms, cut = np.zeros(len(names)), np.zeros(len(names))
    lever = policy.handle_time_target
    if isinstance(lever, TargetLever):
        drop = scenario.coefficient("pressure_drop") if lever.drop is None else lever.drop
        named = lever.seconds if isinstance(lever.seconds, Mapping) else dict.fromkeys(names, lever.seconds)
        under = [n for n in named if not lever.types or n in lever.types]
        for name in under:
            t = names.index(name)
            target_ms[t] = named[name] * 1000
            if scenario.types[name].channel == "chat" and "handle" not in scenario.types[name].natural:
                # A target is set on what a log shows; the engines hold it against the work of one chat at a time.
                target_ms[t] *= float(natural.handle_ms[t].mean()) / 1000 / observed_handle_s(scenario, name)
        cut[:] = cut_for_drop(natural.handle_ms, natural.handled, target_ms, drop)
    rest = policy.recovery if isinstance(policy.recovery, RecoveryLever) else None
    on_type = np.zeros(len(names), np.int64)
    minutes = hardest = 0.0
    if rest:
        on_type[_type_numbers(rest.after_types, names) if rest.after_types else []] = 1
        minutes = scenario.coefficient("recovery_min") if rest.minutes is None else rest.minutes
        hardest = (
            scenario.coefficient("recovery_hardest_min")
            if rest.minutes_hardest is None
            else rest.minutes_hardest
        )
    return w.Levers(
        target_ms=target_ms,
        cut=cut,
        scripts=int(bool(policy.scripts)),
        authority=int(bool(policy.authority)),
        rest_on_type=on_type,
        rest_over_ms=round((rest.after_minutes or 0) * MINUTE_MS) if rest else 0,
        rest_on_flag=int(bool(rest and rest.after_flag)),
        rest_on_button=int(bool(rest and rest.button)),
        rest_on_intensity=2.0 if rest is None or rest.after_intensity is None else rest.after_intensity,
        rest_ms=round(minutes * MINUTE_MS),
        rest_hardest_ms=round(max(hardest, minutes) * MINUTE_MS),
        rest_share=rest.at_most_share if rest else 1.0,
        rest_queue=rest.postpone_over if rest else 0,
        rest_budget_ms=round(rest.budget_min * MINUTE_MS) if rest else 0,
        **_call_back(scenario, policy),
        same_agent=int(bool(policy.same_agent)),
    )


def _call_back(scenario: Scenario, policy: Policy) -> dict[str, Any]:
    """The levers of a call-back offered instead of waiting."""
    kinds, lever = scenario.types, policy.call_back
    offer = lever if isinstance(lever, CallBackLever) else None
    offered: tuple[str, ...] = ()
    if offer is not None:
        offered = offer.types or tuple(name for name, kind in kinds.items() if kind.channel == "voice")

    def given(value: float | None, default: str) -> float:
        return scenario.coefficient(default) if value is None else value

    asked = np.array([name in offered for name in kinds])
    return {
        "call_back_after_ms": np.where(asked, round((offer.after_s if offer else 0) * 1000), -1),
        "call_back_accepts": np.where(asked, given(offer.accept, "call_back_accepts") if offer else 0.0, 0.0),
        "call_back_unanswered": given(offer.unanswered, "call_back_unanswered") if offer else 0.0,
        "call_back_dial_ms": round(given(offer.dial_s, "call_back_dial_s") * 1000) if offer else 0,
    }


def cut_for_drop(handle_ms: Floats, handled: Floats, target_ms: Floats, drop: float) -> Floats:
    """(T,) share of what exceeds the target that must go so that the mean handle time under it drops by `drop`.

    `handle_ms` (T, n) are equally likely handle times under as_is, `handled` (T,) how many contacts each type has.
    One share for all types under the target; at most 1, where the target cannot achieve the drop.
    """
    under = target_ms > 0
    if not under.any() or drop <= 0:
        return np.zeros(len(target_ms))
    mean = (handle_ms.mean(axis=1) * handled)[under].sum()
    over = (np.maximum(handle_ms - target_ms[:, None], 0).mean(axis=1) * handled)[under].sum()
    share = min(1.0, drop * mean / over) if over > 0 else 0.0
    return np.where(under, share, 0.0)


def behaviour_of(scenario: Scenario) -> w.Behaviour:
    """Coefficients, with the scenario's own values."""
    return evidence.behaviour(scenario.behaviour)


def staffing_of(scenario: Scenario, roster: Roster, clock: w.Clock, posts: Sequence[int] = ()) -> w.Staffing:
    """The roster over all simulated days, with the post of each of its variants (see `with_posts`).

    ValueError where a shift's posts do not fit its stretches or its group.
    """
    groups = list(scenario.groups)
    days = clock.days
    first = clock.warm_days - math.ceil(clock.warm_days / days) * days
    cycles = np.arange(first, clock.n_days, days)
    n_groups = len(groups)

    # plain numbers
    capacity = np.zeros((n_groups, clock.n_days, n_intervals(scenario)), np.int64)
    which = (np.arange(clock.n_days) - clock.warm_days) % days
    for group, duty in roster.on_duty.items():
        capacity[group] = duty[which]
    from sim.plain import anonymous_staffing

    slots = anonymous_staffing(clock, capacity)
    if not roster.shifts:
        return slots._replace(unseen_rest=np.array(roster.unseen_rest or np.zeros(n_groups), np.float64))

    persons = sorted({(s.group, s.person) for s in roster.shifts})
    number = {who: i for i, who in enumerate(persons)}
    shifts = roster.shifts
    agent = np.array([number[(s.group, s.person)] for s in shifts], np.int64)
    day = np.array([s.day for s in shifts], np.int64)
    start = np.array([s.start_min for s in shifts], np.int64) * MINUTE_MS
    length = np.array([s.minutes for s in shifts], np.int64) * MINUTE_MS
    at_post = [_posts(s, roster, posts) for s in shifts]
    acts = [_activities(scenario, s) for s in shifts]
    n_acts = np.array([len(a) for a in acts], np.int64)
    flat = [a for several in acts for a in several]
    act_start = np.array([a.start_min for a in flat], np.int64) * MINUTE_MS
    act_length = np.array([a.minutes for a in flat], np.int64) * MINUTE_MS
    act_kind = np.array([ACTIVITY[a.kind] for a in flat], np.int64)
    act_paid = np.array([int(a.paid) for a in flat], np.int64)
    shift_post = np.array([at[0] for at in at_post], np.int64)
    # Whatever lies between the roster's own activities leaves people where they are.
    act_post = np.full(len(flat), -1, np.int64)
    for first, mine, at, shift in zip(np.cumsum(n_acts) - n_acts, acts, at_post, shifts, strict=True):
        act_post[[first + mine.index(a) for a in shift.activities]] = at[1:]
    act_shift = np.repeat(np.arange(len(shifts)), n_acts)

    n = len(cycles)
    big_day = (day[None, :] + cycles[:, None]).ravel()
    big_agent = np.tile(agent, n)
    big_start = big_day * DAY_MS + np.tile(start, n)
    big_end = big_start + np.tile(length, n)
    keep = (big_day >= 0) & (big_day < clock.n_days)
    order = np.flatnonzero(keep)
    order = order[np.lexsort((big_agent[order], big_start[order]))]
    from_shift = np.concatenate([[0], np.cumsum(n_acts)])
    base_shift = order % len(shifts)
    counts = n_acts[base_shift]
    act_from = np.concatenate([[0], np.cumsum(counts)])
    which_act = np.repeat(from_shift[base_shift] - act_from[:-1], counts) + np.arange(int(act_from[-1]))
    owner = np.repeat(np.arange(len(order)), counts)
    del act_shift
    weekday = [weekday_of(scenario, int(d)) for d in (big_day[order] - clock.warm_days)]
    factor = _by_weekday(scenario, "absence")[weekday]
    for event, when in _event_days(scenario, "absence_spike", clock.warm_days):
        factor = factor * np.where(np.isin(big_day[order], when), event.factor, 1.0)
    return w.Staffing(
        group_of=np.array([g for g, _ in persons], np.int64),
        person=np.array([g * (1 << 20) + p for g, p in persons], np.int64),
        agent=big_agent[order],
        start_ms=big_start[order],
        end_ms=big_end[order],
        day=big_day[order],
        absence_factor=np.maximum(factor, 1e-9),
        late_factor=_by_weekday(scenario, "lateness")[weekday],
        act_from=act_from,
        act_ms=big_start[order][owner] + act_start[which_act],
        act_length_ms=act_length[which_act],
        act_kind=act_kind[which_act],
        act_paid=act_paid[which_act],
        shift_post=shift_post[base_shift],
        act_post=act_post[which_act],
        slot_ms=slots.slot_ms[:0],
        slot_group=slots.slot_group[:0],
        slot_change=slots.slot_change[:0],
        unseen_rest=np.zeros(n_groups),
    )


def _by_weekday(scenario: Scenario, kind: str) -> Floats:
    """(7,) factors on what shrinkage of a kind takes, Monday to Sunday, of mean one."""
    total, weighted = 0.0, np.zeros(7)
    for item in scenario.shrinkage:
        if item.kind == kind:
            weights = np.ones(7)
            for key, weight in item.weekdays.items():
                weights[list(days_of(key))] = weight
            weighted += item.share * weights / (weights.mean() or 1.0)
            total += item.share
    return weighted / total if total > 0 else np.ones(7)


def _posts(shift: RosteredShift, roster: Roster, posts: Sequence[int]) -> list[int]:
    """The number of the post in each stretch of a shift, -1 throughout where it says nothing."""
    n = len(shift.activities) + 1
    if not shift.posts:
        return [-1] * n
    if len(shift.posts) != n or any(k >= 0 and roster.variants[k][0] != shift.group for k in shift.posts):
        raise ValueError(
            f"the posts {shift.posts} do not fit a shift of group {shift.group} with {n} stretches"
        )
    return [posts[k] if k >= 0 else shift.group for k in shift.posts]


def _activities(scenario: Scenario, shift: Any) -> list[Any]:
    """The shift's own activities, and the time that adherence loses at an hour nobody knows beforehand."""
    from planner.roster import Activity

    acts = list(shift.activities)
    lost = sum(item.share for item in scenario.shrinkage if item.kind == "adherence")
    lost *= float(_by_weekday(scenario, "adherence")[weekday_of(scenario, shift.day)])
    minutes = round(lost * shift.paid_minutes)
    if minutes > 0:
        key = draws.identity(0, 0, shift.group * (1 << 20) + shift.person, shift.day)
        start = int(draws.uniform(key, 0)[0] * max(1, shift.minutes - minutes))
        acts.append(Activity(start, minutes, "offline", True))
    return sorted(acts, key=lambda a: a.start_min)


def compile_world(
    scenario: Scenario, natural: NaturalValues, policy: str, roster: Roster, *, follow: bool = True
) -> World:
    """The world of a policy with a roster; with `follow` false it stops a day after the horizon (service only)."""
    chosen = scenario.policy(policy)
    clock = clock_of(scenario, follow=follow)
    routing, posts = with_posts(routing_of(scenario, chosen), list(scenario.types), roster.variants)
    world = World(
        clock=clock,
        demand=demand_of(scenario, natural, clock, chosen),
        types=types_of(scenario, natural),
        bot=bot_of(scenario, natural, chosen, clock),
        detectors=detectors_of(scenario, chosen),
        groups=groups_of(scenario, natural, chosen),
        routing=routing,
        levers=levers_of(scenario, natural, chosen),
        behaviour=behaviour_of(scenario),
        staffing=staffing_of(scenario, roster, clock, posts),
        traits=traits_of(scenario, chosen),
    )
    result: World = w.frozen(world)
    return result


def decompression_of(scenario: Scenario, policy: str, group: str) -> int:
    """Minutes of the decompression block in the group's shifts under a policy; 0 for none."""
    lever = scenario.policy(policy).decompression
    if not isinstance(lever, DecompressionLever) or (lever.groups and group not in lever.groups):
        return 0
    return lever.minutes


def by_days(values: Any, scenario: Scenario) -> NDArray[np.int64]:
    """(days, I) on-duty numbers from `{time: n}` or `{days: {time: n}}`."""
    days = scenario.horizon.days
    result = np.zeros((days, n_intervals(scenario)), np.int64)
    if values and all(isinstance(key, str) for key in values):
        for key, profile in values.items():
            chosen: Ints = np.array(
                [d for d in range(days) if weekday_of(scenario, d) in days_of(key)], np.int64
            )
            result[chosen] = np.round(by_interval(profile, scenario)).astype(np.int64)
    else:
        result[:] = np.round(by_interval(values, scenario)).astype(np.int64)
    return result
