"""What a simulation measures, computed from records alone.

One replication gives `Totals`: sums by (type, segment, vulnerable or not), by group, and by (type, day, interval).
Every measure is a total or a ratio of totals over replications, with a 95 % interval: Student's t for totals, the delta
method for ratios (the residuals A - r B of each replication), and the same on paired replications for differences.

Contacts count in the interval in which they arrive, inside the horizon; needs born in the horizon are followed to
their end, whenever that is; people count by the day on which they sign on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from sim import channels
from sim import records as r
from sim.draws import Block, Draws, block_of
from sim.records import Contacts, Records, Spells, Written, written_of
from sim.world import DAY_MS, Floats, Ints, Space, World, as_read, fresh, has_channels, has_chat, once, typed

Bools = NDArray[np.bool_]


class Lens(NamedTuple):
    """How to look: what counts as in time, and what a log would call a repeat."""

    within_ms: Floats
    """(T,) acceptable wait."""
    leaving_per_exhaustion: float = 1.0
    """Factor on the hazard of leaving per point of exhaustion above the reference."""
    repeat_days: float = 7.0


class Totals(NamedTuple):
    """Sums of one replication, or of several stacked along a first axis."""

    customers: dict[str, Floats]
    """(T, S, 2) by type, segment, and vulnerable."""
    people: dict[str, Floats]
    """(G,) by group."""
    service: dict[str, Floats]
    """(T, days, I) by type and interval of arrival; `busy_min` (G, days, I) by group and interval of the answer."""
    single: dict[str, Floats]
    """Figures that do not add up, such as percentiles."""


class Estimate(NamedTuple):
    """A measure over replications, with its 95 % interval."""

    mean: float
    low: float
    high: float
    unit: str


# --- outcomes of single contacts in expectation ----------------------------------------------------------------------------------------


def endings(contacts: Contacts) -> tuple[Floats, Floats, Floats, Floats]:
    """Probabilities of the four endings of each row, given what led to it."""
    h, yes, no = contacts.heard, contacts.if_heard, contacts.if_not
    return h * yes, (1 - h) * no, h * (1 - yes), (1 - h) * (1 - no)


def stopping(world: World, draws: Draws, contacts: Contacts) -> list[Floats]:
    """Probability that a journey stops at each row with each ending; expectations, so less noisy than coin flips."""
    b = world.behaviour
    last = draws.rows.attempt + 1 >= b.max_attempts
    person = contacts.outcome == r.ANSWERED
    returns = (b.return_sorted_heard, b.return_sorted, b.return_warm, b.return_cold)
    escalates = (b.escalate_sorted_heard, b.escalate_sorted, b.escalate_warm, b.escalate_cold)
    spoke = contacts.ending >= 0
    result = []
    for p, back, up in zip(endings(contacts), returns, escalates, strict=True):
        goes_on = np.where(person, 1 - (1 - up) * (1 - back), back)
        result.append(np.where(spoke, p * np.where(last, 1.0, 1 - goes_on), 0.0))
    return result


def expected_churn(world: World, draws: Draws, contacts: Contacts) -> Floats:
    """Expected excess churn of the journeys that stop at each row, scaled by type and intensity.

    Whoever the bot has falsely contained leaves it more upset than they came.
    """
    b = world.behaviour
    stops = stopping(world, draws, contacts)
    levels = (b.churn_sorted_heard, b.churn_sorted, b.churn_warm, b.churn_cold)
    churn = np.zeros(len(contacts.outcome))
    for p, level in zip(stops, levels, strict=True):
        churn += p * level
    last = draws.rows.attempt + 1 >= b.max_attempts
    left = np.isin(contacts.outcome, (r.ABANDONED, r.TURNED_AWAY, r.HUNG_UP, r.SILENT, r.UNREACHED))
    closed = contacts.outcome == r.CLOSED
    churn += b.churn_abandoned * np.where(left, np.where(last, 1.0, 1 - b.redial), np.where(closed, 1.0, 0.0))
    kind = draws.needs.type[draws.rows.need]
    w = b.churn_intensity
    looped = contacts.outcome == r.CONTAINED_FALSELY
    upset = np.where(looped, np.minimum(1.0, contacts.intensity + b.bot_loop_intensity), contacts.intensity)
    scale = world.types.churn_scale[kind] * np.maximum(0.0, 1 - w + 2 * w * upset)
    return np.minimum(1.0, churn * scale)


def undisclosed(world: World, draws: Draws, contacts: Contacts) -> Floats:
    """Probability that a journey stops at each row with what matters untold, because the customer was not heard.

    Each need counts once at most: whoever comes back may be heard then.
    """
    b = world.behaviour
    untold = (1 - contacts.heard) * np.maximum(0.0, contacts.if_heard - contacts.if_not)
    last = draws.rows.attempt + 1 >= b.max_attempts
    return np.asarray(untold * np.where(last, 1.0, (1 - b.escalate_cold) * (1 - b.return_cold)))


# --- a block of replications ------------------------------------------------------------------------------------------


def totals_of_block(world: World, block: Block, written: Written, lens: Lens, room: Space = fresh) -> Totals:
    """The sums of each replication: the first axis of each array."""
    from sim import measuring

    n = len(block.numbers)
    n_types, n_segments = world.demand.segment_share.shape
    customers = np.zeros((n, n_types, n_segments, 2), measuring.CUSTOMER_SUMS)
    service, busy = _by_interval(world, n)
    loads, first_load = room("loads", len(block.lines), np.float64), np.zeros(n + 1, np.int64)
    measuring.add_up(
        _look(world, lens), block.first_need, block.first_row, block.needs, block.links, written.outcome, written.lines,
        np.zeros(len(block.needs), np.int8),
        room("waiting", 4 * len(block.lines), np.int64).reshape(-1, 4), customers, service, busy, loads, first_load,
    )  # fmt: skip
    if has_chat(world):
        channels.fill_busy(world, block, written, busy)
    t = measuring.in_units(customers)
    t["unmet_needs"] = t["needs"] - t["ended_sorted_heard"] - t["ended_sorted"] - t["ended_open"]
    for name in ("needs", "unmet_needs", "refused_needs"):
        t[f"vulnerable_{name}"] = t[name] * np.array([0.0, 1.0])
    people = _people_totals(world, written, lens, busy)
    single = _load_figures(world, written, loads, first_load)
    return Totals(t, people, _service_columns(world, service, busy), single)


def totals(world: World, draws: Draws, records: Records, lens: Lens) -> Totals:
    """The sums of one replication."""
    return one_of(totals_of_block(world, block_of(draws), written_of([records]), lens), 0)


@once("clock", "types", "groups", "behaviour", "staffing", "levers")
def _look_at(world: World) -> Any:
    """What adding up reads of a world, with nothing of a lens."""
    from sim import measuring

    clock = world.clock
    special = world.groups.specialist[world.staffing.group_of] > 0
    return measuring.Look(
        b=typed(world.behaviour), start_ms=clock.start_ms, end_ms=clock.end_ms, interval_ms=clock.interval_ms,
        within_ms=as_read(np.zeros(len(special))), repeat_ms=0.0, churn_scale=as_read(world.types.churn_scale),
        channels=int(has_channels(world)), chats=int(has_chat(world)), channel=as_read(world.types.channel),
        expert=as_read(special.astype(np.int64)), group_of=as_read(world.staffing.group_of),
    )  # fmt: skip


def _look(world: World, lens: Lens) -> Any:
    return _look_at(world)._replace(
        within_ms=as_read(lens.within_ms), repeat_ms=float(lens.repeat_days * DAY_MS)
    )


def service_of(world: World, block: Block, written: Written, within_ms: Floats) -> dict[str, Floats]:
    """(n, T, days, I) sums of contacts by the interval of their arrival, and (n, G, days, I) minutes `busy_min` of
    handling by the group and interval in which they were spent; calls in time are those of at most (T,) `within_ms`."""
    from sim import measuring

    n = len(block.numbers)
    service, busy = _by_interval(world, n)
    measuring.service_alone(
        _look(world, Lens(within_ms)), block.first_row, block.needs, block.links, written.outcome, written.lines,
        np.empty((len(block.lines), 4), np.int64), service, busy,
    )  # fmt: skip
    if has_chat(world):
        channels.fill_busy(world, block, written, busy)
    return _service_columns(world, service, busy)


def _by_interval(world: World, n: int) -> tuple[Any, Any]:
    from sim import measuring

    size = world.clock.days * world.demand.expected.shape[2]
    n_types, n_groups = len(world.types.talk_cv), len(world.groups.specialist)
    return np.zeros((n, n_types, size), measuring.SERVICE_SUMS), np.zeros(
        (n, n_groups, size), measuring.BUSY_SUMS
    )


def _service_columns(world: World, service: Any, busy: Any) -> dict[str, Floats]:
    from sim import measuring

    columns = measuring.in_units(service) | {"busy_min": measuring.in_units(busy)["busy_min"]}
    return {name: column.reshape(*column.shape[:2], world.clock.days, -1) for name, column in columns.items()}


def more_than_expected(world: World, needs: Any) -> Floats:
    """(T, days, I) needs (of `draws.NEED_LINE`) born in excess of those expected: over all replications nothing, exactly."""
    clock, demand = world.clock, world.demand
    n_intervals = demand.expected.shape[2]
    live = needs[(needs["birth_ms"] >= clock.start_ms) & (needs["birth_ms"] < clock.end_ms)]
    at = live["birth_ms"] - clock.start_ms
    place = at // DAY_MS * n_intervals + at % DAY_MS // clock.interval_ms
    shape = (len(world.types.talk_cv), clock.days, n_intervals)
    born = np.bincount(live["type"] * clock.days * n_intervals + place, minlength=int(np.prod(shape)))
    first = clock.start_ms // DAY_MS
    return born.reshape(shape) - demand.expected[:, first : first + clock.days]


def people_by_day(world: World, s: Spells) -> dict[str, Floats]:
    """(G, days) minutes of people who sign on that day: handling, handling or ready, present, and load (point-min)."""
    clock, n_groups = world.clock, len(world.groups.specialist)
    index = np.flatnonzero((s.on_ms >= clock.start_ms) & (s.on_ms < clock.end_ms))
    place = world.staffing.group_of[s.agent[index]] * clock.days + (s.on_ms[index] - clock.start_ms) // DAY_MS

    def add(values: NDArray[np.generic]) -> Floats:
        sums = np.bincount(place, values[index].astype(float), n_groups * clock.days)
        return sums.astype(float).reshape(n_groups, clock.days) / 60_000

    handled = s.talk_ms + s.acw_ms + s.chat_ms
    return {
        "handled_min": add(handled),
        "ready_min": add(handled + s.idle_ms),
        "present_min": add(s.off_ms - s.on_ms),
        "load_area_min": add(s.load_area),
    }


def _people_totals(world: World, written: Written, lens: Lens, busy: Any) -> dict[str, Floats]:
    """(n, G) sums by group; `busy` (n, G, intervals) has handling by the interval in which it was spent."""
    clock, staffing, s = world.clock, world.staffing, written.spells
    n, n_groups = len(written.first_spell) - 1, len(world.groups.specialist)
    shape = (n, n_groups)
    index = np.flatnonzero((s.on_ms >= clock.start_ms) & (s.on_ms < clock.end_ms))
    group = staffing.group_of[s.agent[index]]
    place = group + n_groups * (np.searchsorted(written.first_spell, index, side="right") - 1)

    def summed(values: Floats, where: Ints = place) -> Floats:
        return np.bincount(where, values, n * n_groups).astype(float).reshape(shape)

    def add(values: NDArray[np.generic]) -> Floats:
        return summed(values[index].astype(float))

    minutes = {
        "talk": s.talk_ms, "acw": s.acw_ms, "idle": s.idle_ms, "rest": s.rest_ms, "break": s.break_ms,
        "lunch": s.lunch_ms, "offline": s.offline_ms, "decompression": s.decompression_ms, "unpaid": s.unpaid_ms,
        "present": s.off_ms - s.on_ms, "over_threshold": s.over_ms, "recovery_due": s.due_ms,
        "chat": s.chat_ms, "slot": s.slot_ms,
    }  # fmt: skip
    p = {f"{name}_min": add(column) / 60_000 for name, column in minutes.items()}
    if clock.always_open and len(staffing.agent) == 0:
        p |= _round_the_clock(world, busy, p)
    p["slots_min"] = np.asarray(world.groups.slots * p["chat_min"], np.float64)
    p["recovery_owed_min"] = add(np.maximum(0, s.due_ms - s.rest_ms)) / 60_000
    p["load_area_min"] = add(s.load_area) / 60_000
    p["load_end"] = add(s.load_end)
    p["exhaustion"] = add(s.exhaustion)
    p["spells"] = summed(np.ones(len(index)))
    p["contacts"] = add(s.contacts)
    above = s.exhaustion[index] - world.groups.exhaustion[group]
    p["exhausted"] = summed((s.exhaustion[index] > world.groups.exhaustion[group] + 1.0).astype(float))
    p["leaving"] = summed(lens.leaving_per_exhaustion**above)
    zero = np.zeros(shape)
    p |= {"shifts": zero, "absences": zero, "absence_min": zero, "overtime_min": zero, "rostered_min": zero}
    if len(staffing.agent):
        length = (staffing.end_ms - staffing.start_ms).astype(float)
        unpaid = np.zeros(len(length))
        np.add.at(
            unpaid, np.repeat(np.arange(len(length)), np.diff(staffing.act_from)),
            np.where(staffing.act_paid == 0, staffing.act_length_ms, 0),
        )  # fmt: skip
        paid = (length - unpaid) / 60_000
        when = (staffing.start_ms >= clock.start_ms) & (staffing.start_ms < clock.end_ms)
        of = staffing.group_of[staffing.agent]
        p["shifts"] = np.tile(np.bincount(of[when], minlength=n_groups).astype(float), (n, 1))
        p["rostered_min"] = np.tile(np.bincount(of[when], paid[when], n_groups).astype(float), (n, 1))
        replication, shift = np.nonzero((written.absent == 1) & when)
        away = replication * n_groups + of[shift]
        p["absences"] = summed(np.ones(len(away)), away)
        p["absence_min"] = summed(paid[shift], away)
        over = np.maximum(0, s.off_ms[index] - staffing.end_ms[s.shift[index]]) / 60_000
        p["overtime_min"] = summed(over)
    p["paid_min"] = p["present_min"] - p["unpaid_min"] + p["absence_min"]
    return p


def _round_the_clock(world: World, busy: Any, p: dict[str, Floats]) -> dict[str, Floats]:
    """Minutes inside the horizon of plain numbers on duty that never all go home: spells cross its ends there."""
    from sim.measuring import in_units

    clock, staffing = world.clock, world.staffing
    present = np.zeros(len(world.groups.specialist))
    left = (clock.end_ms - np.clip(staffing.slot_ms, clock.start_ms, clock.end_ms)) / 60_000
    np.add.at(present, staffing.slot_group, staffing.slot_change * left)
    talk, both, chat, slot = (sums.sum(axis=2) for sums in in_units(busy).values())
    idle = np.maximum(0.0, present - both - p["rest_min"])
    return {
        "talk_min": talk, "acw_min": both - talk - chat, "idle_min": idle,
        "present_min": both + idle + p["rest_min"], "chat_min": chat,
        "slot_min": slot,
    }  # fmt: skip


def _p95(values: Floats) -> float:
    """The 95 % quantile, in between as numpy has it, of values that are put into another order; 0 of none."""
    if len(values) == 0:
        return 0.0
    at = 0.95 * (len(values) - 1)
    low, part = int(at), at - int(at)
    values.partition(low)
    a = float(values[low])
    b = float(values[low + 1 :].min()) if low + 1 < len(values) else a
    return b - (b - a) * (1 - part) if part >= 0.5 else a + (b - a) * part


def _load_figures(world: World, written: Written, loads: Floats, first_load: Ints) -> dict[str, Floats]:
    """(n,) figures of load: as customers met it (`loads`), and of people at the ends of their spells."""
    clock, s, n = world.clock, written.spells, len(written.first_spell) - 1
    single = {name: np.zeros(n) for name in ("load_p95", "load_met", "load_end_p95", "exhaustion_p95")}
    mine = (s.on_ms >= clock.start_ms) & (s.on_ms < clock.end_ms)
    for i in range(n):
        met = loads[first_load[i] : first_load[i + 1]]
        spells = slice(written.first_spell[i], written.first_spell[i + 1])
        here = mine[spells]
        single["load_met"][i] = met.mean() if len(met) else 0.0
        single["load_p95"][i] = _p95(met)
        single["load_end_p95"][i] = _p95(s.load_end[spells][here])
        single["exhaustion_p95"][i] = _p95(s.exhaustion[spells][here])
    return single


def one_of(several: Totals, i: int) -> Totals:
    """The i-th replication's sums, without the axis of replications."""
    return Totals(*({name: sums[i] for name, sums in part.items()} for part in several))


def joined(several: Sequence[Totals]) -> Totals:
    """Totals of blocks of replications, one after the other."""
    return Totals(
        *(
            {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
            for parts in zip(*several, strict=True)
        )
    )


# --- estimates ------------------------------------------------------------------------------------------------------


def t_value(n: int, level: float = 0.975) -> float:
    """Student's t quantile for `n` replications; infinite for one."""
    return float(stdtrit(n - 1, level)) if n > 1 else float("inf")


def estimate(
    above: Floats, below: Floats | None = None, unit: str = "", *, least: float = -math.inf
) -> Estimate:
    """A mean of (reps,) values, or a ratio of totals with its delta-method interval.

    A ratio over nothing is NaN, and so is the interval of one replication. The interval of a share stays within 0 and 1,
    that of anything else above the least that can be (`least`).
    """
    mean, residual = _linear(above, below)
    n = len(residual)
    if n < 2:
        return Estimate(mean, float("nan"), float("nan"), unit)
    half = float(t_value(n) * residual.std(ddof=1) / np.sqrt(n))
    low, high = float(np.maximum(mean - half, least)), mean + half
    if unit == "share":
        low, high = float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1))
    return Estimate(mean, low, high, unit)


def _linear(above: Floats, below: Floats | None) -> tuple[float, Floats]:
    """The estimate and each replication's influence on it."""
    if below is None:
        return float(above.mean()), above - above.mean()
    size = float(below.mean())
    if size == 0:
        return float("nan"), np.full(len(above), np.nan)
    ratio = float(above.mean()) / size
    return ratio, (above - ratio * below) / size


def difference(a: tuple[Floats, Floats | None], b: tuple[Floats, Floats | None], unit: str = "") -> Estimate:
    """a - b on paired replications, with its 95 % interval."""
    mean_a, influence_a = _linear(*a)
    mean_b, influence_b = _linear(*b)
    influence = influence_a - influence_b
    n = len(influence)
    mean = mean_a - mean_b
    if n < 2:
        return Estimate(mean, float("nan"), float("nan"), unit)
    half = float(t_value(n) * influence.std(ddof=1) / np.sqrt(n))
    return Estimate(mean, mean - half, mean + half, unit)


Sums = Mapping[str, Floats]
Formula = Callable[[Sums], tuple[Floats, Floats | None]]


class Measure(NamedTuple):
    """A named figure: how it is made of sums, its unit, and a sentence."""

    formula: Formula
    unit: str
    meaning: str


def _ratio(above: str, below: str, scale: float = 1.0) -> Formula:
    return lambda t: (scale * t[above], t[below])


def _total(name: str) -> Formula:
    return lambda t: (t[name], None)


def _handled(t: Sums) -> Floats:
    return t["talk_min"] + t["acw_min"] + t["chat_min"]


CUSTOMER: dict[str, Measure] = {
    "contacts": Measure(_total("contacts"), "contacts", "Contacts offered, bots and repeats included."),
    "needs": Measure(_total("needs"), "needs", "Needs that arose."),
    "containment": Measure(
        _ratio("contained", "sessions"), "share", "Sessions that the log calls contained."
    ),
    "false_containment": Measure(
        _ratio("falsely_contained", "contained"), "share", "Of the contained, needs that were not met."
    ),
    "queued": Measure(_total("queued"), "contacts", "Contacts that reached the people's queue."),
    "call_backs": Measure(
        _total("called_back"), "contacts", "Reached people's queue out of hours, and were called back."
    ),
    "call_backs_taken": Measure(
        _total("call_backs_taken"), "contacts", "Accepted a call-back instead of waiting, and were reached."
    ),
    "call_back_wait_min": Measure(
        _ratio("call_back_wait_min", "call_backs_taken"), "min", "Mean wait of those until they were called."
    ),
    "unreached": Measure(_total("unreached"), "contacts", "Of call-backs, those that nobody picked up."),
    "silent": Measure(_total("silent"), "contacts", "Chats picked up with nobody there any more."),
    "deferred": Measure(_total("deferred"), "contacts", "Messages and e-mails that reached people."),
    "deferred_in_time": Measure(
        _ratio("deferred_in_time", "deferred"), "share", "Of these, those answered in time by the clock."
    ),
    "deferred_wait_h": Measure(
        _ratio("deferred_wait_h", "deferred_answered"), "h", "Mean age of these when answered."
    ),
    "messages": Measure(_total("messages"), "contacts", "Left as a message out of hours."),
    "message_wait_h": Measure(
        _ratio("message_wait_h", "messages_answered"), "h", "Mean age of these when answered."
    ),
    "backlog_end": Measure(
        _total("backlog_end"), "contacts", "Messages and e-mails unanswered when the horizon ends."
    ),
    "service_level": Measure(
        _ratio("in_time", "queued"), "share", "g3: answered in time over offered to people."
    ),
    "service_level_g0": Measure(
        _ratio("in_time", "live_answered"), "share", "g0: answered in time over answered."
    ),
    "service_level_g1": Measure(
        lambda t: (t["in_time"], t["live_answered"] + t["live_abandoned"] - t["abandoned_in_time"]),
        "share",
        "g1: answered in time over answered and abandoned after the threshold.",
    ),
    "service_level_g2": Measure(
        lambda t: (t["in_time"] + t["abandoned_in_time"], t["queued"]),
        "share",
        "g2: answered or abandoned in time over offered to people.",
    ),
    "abandonment": Measure(
        _ratio("live_abandoned", "queued"), "share", "Contacts that left before an answer."
    ),
    "speed_of_answer_s": Measure(
        _ratio("wait_answered_s", "live_answered"), "s", "Mean wait of the answered."
    ),
    "mean_wait_s": Measure(_ratio("wait_s", "queued"), "s", "Mean wait of all who reached the queue."),
    "handle_time_s": Measure(
        _ratio("handle_min", "answered", 60), "s", "Talk and after-contact work per contact."
    ),
    "handle_time_per_resolved_s": Measure(
        _ratio("journey_handle_min", "resolved_needs", 60), "s", "Handle time of people per resolved need."
    ),
    "first_contact_resolution": Measure(
        _ratio("first_resolved", "first_answered"),
        "share",
        "First answered contacts that truly resolved the need.",
    ),
    "log_resolution": Measure(
        _ratio("log_resolved", "answered"),
        "share",
        "Answered contacts without a repeat in 7 days: a log's view.",
    ),
    "resolution": Measure(_ratio("resolved_needs", "needs"), "share", "Needs resolved in the end."),
    "contacts_per_resolved": Measure(
        _ratio("journey_contacts", "resolved_needs"), "contacts", "Contacts per resolved need."
    ),
    "heard": Measure(_ratio("heard", "spoken"), "share", "Answered customers who were heard."),
    "same_agent": Measure(
        _ratio("same_agent", "answered"),
        "share",
        "Answered contacts that were put to who had served them before.",
    ),
    "unmet_share": Measure(
        _ratio("unmet", "answered"), "share", "Mean unmet share of the need's own content."
    ),
    "seen_and_sorted": Measure(_ratio("ended_sorted_heard", "needs"), "share", "Ended resolved and heard."),
    "sorted_not_heard": Measure(_ratio("ended_sorted", "needs"), "share", "Ended resolved, not heard."),
    "warm_unresolved": Measure(_ratio("ended_warm", "needs"), "share", "Ended heard, unresolved."),
    "cold_unresolved": Measure(_ratio("ended_cold", "needs"), "share", "Ended neither heard nor resolved."),
    "ended_unserved": Measure(
        _ratio("ended_unserved", "needs"), "share", "Gave up without having been served."
    ),
    "still_open": Measure(_ratio("ended_open", "needs"), "share", "Still open when the follow-up ended."),
    "undisclosed": Measure(
        _ratio("undisclosed", "needs", 1000),
        "per 1,000 needs",
        "Needs left untold in the end for want of being heard.",
    ),
    "returns": Measure(_ratio("returns", "needs", 100), "per 100 needs", "Customers who came back."),
    "redials": Measure(_ratio("redials", "needs", 100), "per 100 needs", "Calls again after giving up."),
    "escalations": Measure(_ratio("escalations", "needs", 100), "per 100 needs", "Escalations."),
    "transfers": Measure(_ratio("transfers", "needs", 100), "per 100 needs", "Passed on under pressure."),
    "refused_person": Measure(
        _ratio("refused", "sessions", 1000),
        "per 1,000 sessions",
        "Asked the bot for a person, and were refused.",
    ),
    "vulnerable_unmet": Measure(
        _ratio("vulnerable_unmet_needs", "vulnerable_needs", 100),
        "per 100 vulnerable needs",
        "Guardrail: needs of vulnerable customers that were not met.",
    ),
    "vulnerable_refused": Measure(
        _ratio("vulnerable_refused_needs", "vulnerable_needs", 100),
        "per 100 vulnerable needs",
        "Guardrail: vulnerable customers who asked the bot for a person, and were refused.",
    ),
    "churned": Measure(_total("churned"), "customers", "Expected customers lost to how their needs ended."),
    "churn_per_1000_needs": Measure(
        _ratio("churned", "needs", 1000), "per 1,000 needs", "The same per 1,000 needs."
    ),
    "flag_precision": Measure(
        lambda t: (t["flags_right"], t["flags_right"] + t["flags_wrong"]), "share", "Flags that were right."
    ),
    "flag_recall": Measure(
        lambda t: (t["flags_right"], t["flags_right"] + t["flags_missed"]),
        "share",
        "True ones that were flagged.",
    ),
    "wrong_flag_min": Measure(
        _total("wrong_flag_expert_min"), "min", "Specialists' handling spent on wrong flags."
    ),
}
"""Measures of customers; by type, segment, channel and vulnerability alike."""

PEOPLE: dict[str, Measure] = {
    "occupancy": Measure(
        lambda t: (_handled(t), _handled(t) + t["idle_min"]),
        "share",
        "Handling over handling and ready idle; recovery outside.",
    ),
    "utilisation": Measure(lambda t: (_handled(t), t["paid_min"]), "share", "Handling over paid time."),
    "chats_at_once": Measure(_ratio("slot_min", "chat_min"), "chats", "Chats open while any is."),
    "slot_occupancy": Measure(
        _ratio("slot_min", "slots_min"), "share", "Slots taken, while any chat is open."
    ),
    "paid_hours": Measure(lambda t: (t["paid_min"] / 60, None), "h", "Paid hours."),
    "overtime_hours": Measure(lambda t: (t["overtime_min"] / 60, None), "h", "Of these, beyond the shift."),
    "load": Measure(_ratio("load_area_min", "present_min"), "points", "Mean load while signed on."),
    "load_over_share": Measure(
        _ratio("over_threshold_min", "present_min"), "share", "Share of time with a load above the threshold."
    ),
    "load_at_shift_end": Measure(_ratio("load_end", "spells"), "points", "Load left at the shift's end."),
    "exhaustion": Measure(_ratio("exhaustion", "spells"), "points", "Exhaustion at the shift's start."),
    "exhaustion_over_share": Measure(
        _ratio("exhausted", "spells"),
        "share",
        "Shifts begun more than a point more exhausted than today's average.",
    ),
    "recovery_taken": Measure(_ratio("rest_min", "spells"), "min per shift", "Recovery taken."),
    "recovery_owed": Measure(
        _ratio("recovery_owed_min", "spells"), "min per shift", "Recovery due and not taken."
    ),
    "decompression": Measure(_ratio("decompression_min", "spells"), "min per shift", "Decompression blocks."),
    "absence": Measure(_ratio("absences", "shifts"), "share", "Shifts to which nobody came."),
    "leaving_factor": Measure(_ratio("leaving", "spells"), "factor", "Hazard of leaving against as_is."),
}
"""Measures of people; by group alike."""


def evaluate(measures: Mapping[str, Measure], sums: Sums) -> dict[str, Estimate]:
    """Each measure with its interval, from (reps,) sums."""
    return {name: estimate(*m.formula(sums), unit=m.unit, least=0.0) for name, m in measures.items()}


def overall(stacked: Mapping[str, Floats]) -> dict[str, Floats]:
    """(reps,) sums over all cells."""
    return {name: value.reshape(len(value), -1).sum(axis=1) for name, value in stacked.items()}


def along(stacked: Mapping[str, Floats], axis: int) -> list[dict[str, Floats]]:
    """(reps,) sums for each index along one of the axes after the first."""
    some = next(iter(stacked.values()))
    return [
        overall({name: np.take(value, [i], axis=axis + 1) for name, value in stacked.items()})
        for i in range(some.shape[axis + 1])
    ]


def summary(stacked: Totals) -> dict[str, Estimate]:
    """All measures of a policy over its replications."""
    result = evaluate(CUSTOMER, overall(stacked.customers)) | evaluate(PEOPLE, overall(stacked.people))
    for name, unit in (("load_p95", "points"), ("exhaustion_p95", "points"), ("load_end_p95", "points")):
        result[name] = estimate(np.asarray(stacked.single[name]), unit=unit, least=0.0)
    return result
