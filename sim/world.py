"""What a centre is, policy and staffing included: named tuples of arrays, without names, money or law.

A `World` is all that an engine needs to run, and holds nothing that an engine changes. Times are integer
milliseconds from the first simulated day's midnight; rates and shares are floats; T types, S segments, G groups,
P posts, Q = 4 T queues, D detectors, I intervals a day, N agents. A queue is a type in one of four forms: ordinary
(q = type), flagged by a detector (q = T + type), second tier (q = 2 T + type), and a message left out of hours
(q = 3 T + type). A post is what somebody on the queue takes: all queues of their group, or some of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import local
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

T = TypeVar("T")

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
RELIEF_MS = 8 * HOUR_MS
"""After which somebody else takes the place of an anonymous person, as soon as they are free."""
MINUTE_MS = 60_000
MAX_MS = 1 << 35
MAX_ROWS = 1 << 23
NEVER = 1 << 34

ORDINARY, FLAGGED, SECOND_TIER, MESSAGES = 0, 1, 2, 3
EXPONENTIAL, LOGNORMAL, GAMMA, FIXED, WEIBULL, HAZARD = 0, 1, 2, 3, 4, 5
SEES_INTENSITY, SEES_VULNERABLE, SEES_KEYWORD = 0, 1, 2
SERVE_OUT, SEND_AWAY = 0, 1
CALL_BACK, LOST, MESSAGE = 0, 1, 2
VOICE, CHAT, DEFERRED = 0, 1, 2
BREAK, LUNCH, OFFLINE, DECOMPRESSION = 0, 1, 2, 3


class WorldTooLargeError(ValueError):
    """A world with more rows or a longer clock than the event key can hold."""


class Clock(NamedTuple):
    """The simulated days: a warm-up, the measured horizon, a follow-up; the horizon is repeated on both sides."""

    interval_ms: int
    warm_days: int
    days: int
    follow_days: int
    open_ms: Ints
    """(days simulated,) when people start to answer; NEVER on a closed day."""
    close_ms: Ints
    """(days simulated,) when they stop; may lie past midnight; open round the clock is one long opening."""
    at_close: int
    out_of_hours: int
    always_open: int

    @property
    def n_days(self) -> int:
        """All simulated days."""
        return self.warm_days + self.days + self.follow_days

    @property
    def start_ms(self) -> int:
        """The first measured millisecond."""
        return self.warm_days * DAY_MS

    @property
    def end_ms(self) -> int:
        """The first millisecond after the measured horizon."""
        return (self.warm_days + self.days) * DAY_MS

    @property
    def stop_ms(self) -> int:
        """Where the simulation stops."""
        return self.n_days * DAY_MS


class Demand(NamedTuple):
    """Where needs come from; read by the draws alone."""

    expected: Floats
    """(T, days simulated, I) expected natural needs per cell, growth and events included, before the day factor."""
    factor_shape: float
    """Shape a of the day factor ~ Gamma(a, a); 0 means no day factor."""
    factor_memory: float
    """Lag-1 autocorrelation of the day factor's normal score."""
    factor_shared: int
    """1: all types share the day's factor."""
    segment_share: Floats
    """(T, S) cumulative shares of the segments."""
    vulnerable: Floats
    """(S,) share of vulnerable needs."""
    keyword: Floats
    """(T,) share of needs whose customer would say the watched words."""
    intensity_shift: Floats
    """(T, days simulated) added to the logit of intensity (events)."""
    id_of_type: Ints
    """(T,) the type's number in identities: stays when types are added or removed."""


class Types(NamedTuple):
    """What a contact of each type carries by itself."""

    talk_ms: Floats
    """(T, I) natural mean talk by interval of arrival."""
    talk_family: Ints
    talk_cv: Floats
    acw_ms: Floats
    """(T,) natural mean after-contact work."""
    acw_family: Ints
    acw_cv: Floats
    patience_ms: Floats
    """(T, I) mean patience (scale for the hazard family) by interval of arrival."""
    patience_family: Ints
    patience_shape: Floats
    """(T,) Weibull shape, or lognormal sigma."""
    hazard_ms: Floats
    """(T, K) upper ends of the hazard's pieces; the last one open."""
    hazard_rate: Floats
    """(T, K) hazard per ms in each piece."""
    balk: Floats
    """(T,) share with no patience at all."""
    resolved: Floats
    """(T,) natural base log-odds of resolving."""
    heard: Floats
    """(T,) natural base log-odds of being heard."""
    intensity_mean: Floats
    """(T,) centre of the logit of intensity."""
    intensity_spread: Floats
    intensity_loading: Floats
    """(T,) correlation of intensity's normal score with difficulty."""
    containment_loading: Floats
    talk_loading: Floats
    churn_scale: Floats
    channel: Ints
    """(T,) VOICE: live, one at a time; CHAT: live, several at a time; DEFERRED: messaging and e-mail, by age."""
    silent: Floats
    """(T,) share of chats whose customer turns out to be gone when answered."""
    silent_ms: Ints
    """(T,) until the slot of such a chat is given back."""


class Bot(NamedTuple):
    """The automated front."""

    offered: Floats
    """(T, S) share of contacts offered to it."""
    containment: Floats
    """(T, S) share contained among sessions that neither left nor were let out."""
    false_logit: Floats
    """(T, S) log-odds that a contained need is falsely contained, at average difficulty."""
    false_slope: float
    asks: Floats
    """(T, S) share of sessions that ask for a person."""
    hangs_up: Floats
    """(T, S) share of sessions that end in the bot."""
    session_ms: Floats
    """(T, S) mean length of a session (lognormal around it)."""
    ask_ms: Floats
    """(T,) time lost before somebody who asks is let out."""
    context: Floats
    """(T,) share of handovers that carry context."""
    early_way_out: int
    from_ms: Ints
    """(T,) the bot's own hours, from and to, ms of the day."""
    to_ms: Ints
    outage_from: Ints
    """(K,) windows in which it is down."""
    outage_to: Ints


class Detectors(NamedTuple):
    """Ears with a stated accuracy: each looks at one latent thing and flags it, rightly or wrongly."""

    target: Ints
    above: Floats
    sensitivity: Floats
    specificity: Floats
    listens: Ints
    """(D, T) 1 where the detector listens to the type."""


class Groups(NamedTuple):
    """Groups of people with the same skills."""

    specialist: Floats
    empathy: Floats
    """(G,) empathy skill, 0 to 1."""
    heard: Floats
    """(G,) added to the log-odds of being heard (training)."""
    resolved: Floats
    """(G,) added to the log-odds of resolving (skill, assist)."""
    speed: Floats
    """(G, T) factor on handle time."""
    speed_cv: Floats
    absorption: Floats
    absorption_sd: Floats
    absence: Floats
    """(G,) unplanned absence per person and day at the reference exhaustion."""
    late: Floats
    late_ms: Floats
    exhaustion: Floats
    """(G,) exhaustion under as_is: the start, and the reference of absence and leaving."""
    slots: Ints
    """(G,) chats that one person handles at once, at least one."""
    slowing: Floats
    """(G, K + 1) f(n): with n live chats each takes f(n) times its work; f(0) = f(1) = 1, K >= `slots`."""
    reserved: Floats
    """(G,) share of the people at work that deferred work may claim before live work."""


class Traits(NamedTuple):
    """What some people of a group have and others do not: K traits; each person draws a uniform for each lot."""

    lot: Ints
    """(K,) which of a person's uniforms decides: traits of one lot exclude or contain one another."""
    low: Floats
    """(K, G) a person has the trait if their uniform lies from here, "high" excluded; equal where nobody has it."""
    high: Floats
    speed: Floats
    """(K, G) factor on handle time."""
    talk: Floats
    """(K, G) factor on talk alone."""
    heard: Floats
    """(K, G) added to the log-odds of being heard."""
    resolved: Floats
    """(K, G) added to the log-odds of resolving."""
    empathy: Floats
    """(K, G) added to empathy skill, which stays within 0 and 1."""
    absorption: Floats
    """(K, G) factor on absorption."""
    spread: Floats
    """(K, G) factor on the spread of speed between people."""


def no_traits(n_groups: int = 0) -> Traits:
    """Everybody of a group alike, but for speed and absorption."""
    none = np.zeros((0, n_groups))
    return Traits(np.zeros(0, np.int64), *(none for _ in Traits._fields[1:]))


class Routing(NamedTuple):
    """Who may serve which queue, in which order."""

    order: Ints
    """(Q, G) groups in the order a contact prefers them; -1 ends the list."""
    delay: Ints
    """(Q, G) ms after which a contact is offered to the group at that place in `order`."""
    delay_of_group: Ints
    """(Q, P) the same by post; -1 where it does not serve the queue."""
    priority: Ints
    """(P, Q) the post's priority of a queue; smaller first."""
    queues: Ints
    """(P, Q) queues that the post serves; -1 ends the list."""
    home_of: Ints
    """(P,) group of each post. The first G are the groups themselves, with all of their queues; each further one has
    some of a group's queues, at the group's delays, and its people stay the group's in all else."""
    max_queue: int
    """Contacts beyond so many waiting are turned away; 0 means no limit."""
    by_load: int
    """1: the least loaded agent first (an oracle: load cannot be observed)."""


class Levers(NamedTuple):
    """What the policy sets and engines read."""

    target_ms: Floats
    """(T,) handle-time target on talk and ACW; 0 for none."""
    cut: Floats
    """(T,) share of what exceeds the target that pressure takes away."""
    scripts: int
    authority: int
    rest_on_type: Ints
    """(T,) 1: a contact of this type makes a recovery pause due."""
    rest_over_ms: int
    """A contact longer than this makes one due; 0 for none."""
    rest_on_flag: int
    rest_on_button: int
    rest_on_intensity: float
    """Latent intensity above which one is due: oracle only; 2 means never."""
    rest_ms: int
    rest_hardest_ms: int
    rest_share: float
    """At most this share of the signed-on group rests at once."""
    rest_queue: int
    """Postponed while more than so many wait for the group."""
    rest_budget_ms: int
    call_back_after_ms: Ints
    """(T,) wait after which a call-back is offered instead of waiting; -1: never."""
    call_back_accepts: Floats
    """(T,) share of those offered one who accept."""
    call_back_unanswered: float
    """Share of call-backs that nobody picks up."""
    call_back_dial_ms: int
    """What such a one takes of the agent's time."""
    same_agent: int = 0
    """1: whoever comes back goes to the person who served them last, if that person is idle; else as usual."""


class Behaviour(NamedTuple):
    """The coefficients of people's behaviour; defaults, ranges, grades and sources live in the evidence table."""

    fatigue_per_hour: float
    queue_speed_up: float
    queue_speed_up_most: float
    handover_ms: float
    load_on_talk: float
    listening_on_talk: float
    slack: float
    passed_on: float
    resolved_difficulty: float
    resolved_unmet: float
    resolved_load: float
    resolved_not_heard: float
    heard_intensity: float
    heard_empathy: float
    heard_unmet: float
    heard_load: float
    heard_repeat: float
    heard_wait_per_min: float
    heard_scripts: float
    heard_specialist: float
    heard_concurrency: float
    resolved_specialist: float
    resolved_authority: float
    resolved_concurrency: float
    return_sorted_heard: float
    return_sorted: float
    return_warm: float
    return_cold: float
    return_median_ms: float
    return_sigma: float
    return_intensity: float
    bot_loop_intensity: float
    escalate_sorted_heard: float
    escalate_sorted: float
    escalate_warm: float
    escalate_cold: float
    churn_sorted_heard: float
    churn_sorted: float
    churn_warm: float
    churn_cold: float
    churn_abandoned: float
    churn_intensity: float
    redial: float
    redial_soon: float
    intense_above: float
    load_half_life_ms: float
    rest_half_life_ms: float
    off_half_life_ms: float
    load_minutes: float
    strain: float
    load_threshold: float
    exhaustion_half_life_days: float
    exhaustion_share: float
    absence_per_exhaustion: float
    button_uptake: float
    max_attempts: int
    same_agent_heard: float = 0.0
    same_agent_resolved: float = 0.0
    same_agent_talk: float = 0.0


class Staffing(NamedTuple):
    """Who is there when, over all simulated days."""

    group_of: Ints
    """(N,) group of each agent."""
    person: Ints
    """(N,) number in the agent's identity: the same person whatever the staffing."""
    agent: Ints
    """(shifts,) agent of each shift, sorted by start; -1 for anonymous capacity (see `slot`)."""
    start_ms: Ints
    end_ms: Ints
    day: Ints
    """(shifts,) simulated day on which the shift starts."""
    absence_factor: Floats
    """(shifts,) factor on the odds that somebody is away (weekday, events)."""
    late_factor: Floats
    """(shifts,) factor on how late those are who come late (weekday)."""
    act_from: Ints
    """(shifts + 1,) first activity of each shift."""
    act_ms: Ints
    """(activities,) planned start."""
    act_length_ms: Ints
    act_kind: Ints
    act_paid: Ints
    shift_post: Ints
    """(shifts,) post from the start of each shift; -1 for all of the group's queues."""
    act_post: Ints
    """(activities,) post from each activity on; -1 for the same as before."""
    slot_ms: Ints
    """(changes,) anonymous capacity: when it changes."""
    slot_group: Ints
    slot_change: Ints
    """(changes,) +1 or -1; whoever is idle leaves first, else whoever is free first."""
    unseen_rest: Floats
    """(G,) minutes of breaks that anonymous people take for each minute on the queue, while others take their place."""


class World(NamedTuple):
    """Everything."""

    clock: Clock
    demand: Demand
    types: Types
    bot: Bot
    detectors: Detectors
    groups: Groups
    routing: Routing
    levers: Levers
    behaviour: Behaviour
    staffing: Staffing
    traits: Traits = no_traits()


def queue_channels(world: World) -> Ints:
    """(Q,) channel of each queue: messages are deferred, whatever their type."""
    channel = world.types.channel
    return np.concatenate([np.tile(channel, 3), np.full(len(channel), DEFERRED)]).astype(np.int64)


def asks_difficulty(world: World) -> NDArray[np.bool_]:
    """(T,) whether anything hangs on how difficult a need is; where nothing does, it is not drawn and is 0."""
    t, bot = world.types, world.bot
    by_intensity = (t.intensity_loading != 0) & (t.intensity_spread > 0)
    by_bot = (bot.offered > 0).any(axis=1) & ((t.containment_loading != 0) | (bot.false_slope != 0))
    return np.asarray(
        by_intensity | by_bot | (t.talk_loading != 0) | (world.behaviour.resolved_difficulty != 0)
    )


def has_chat(world: World) -> bool:
    """Whether anybody works on several contacts at once."""
    return bool((world.types.channel == CHAT).any())


def has_deferred(world: World) -> bool:
    """Whether there is work that nobody waits for on the line."""
    return bool((world.types.channel == DEFERRED).any()) or world.clock.out_of_hours == MESSAGE


def has_channels(world: World) -> bool:
    """Whether there is anything but calls that are answered or lost."""
    offers = bool((world.levers.call_back_after_ms >= 0).any())
    return offers or has_chat(world) or has_deferred(world)


def fed_queues(world: World) -> NDArray[np.bool_]:
    """(Q,) queues that anybody can ever join: no flagged ones without detectors, no messages where none are left."""
    n_types = len(world.types.talk_cv)
    fed = np.ones(4 * n_types, np.bool_)
    if len(world.detectors.target) == 0:
        fed[FLAGGED * n_types : (FLAGGED + 1) * n_types] = False
    if world.clock.out_of_hours != MESSAGE:
        fed[MESSAGES * n_types :] = False
    return fed


def check(world: World) -> None:
    """Raise WorldTooLargeError when the clock or the timetable outgrow the event key (397 days, 23 bits).

    ValueError where the activities of a shift stand in another order than that of their times, where chats do not fit
    the groups' slots, or where messages are left that nobody reads.
    """
    staffing = world.staffing
    lines = max(len(staffing.agent), len(staffing.act_ms), len(staffing.slot_ms))
    if world.clock.stop_ms >= MAX_MS or lines >= MAX_ROWS:
        raise WorldTooLargeError(
            "a simulation holds at most 397 days and 8,388,608 contacts, shifts, activities or changes of capacity"
        )
    shift = np.repeat(np.arange(len(staffing.agent)), np.diff(staffing.act_from))
    if ((np.diff(staffing.act_ms) < 0) & (np.diff(shift) == 0)).any():
        raise ValueError("the activities of a shift must stand in the order of their times")
    groups, types = world.groups, world.types
    _check_posts(world)
    if (groups.slots < 1).any() or groups.slots.max(initial=1) >= groups.slowing.shape[1]:
        raise ValueError(
            "every group has at least one slot for chats, and a slowing for each number of chats"
        )
    if (groups.slowing[:, :2] != 1.0).any() or not (groups.slowing > 0).all():
        raise ValueError("slowing starts at 1 for no chat and for one, and is positive")
    if ((world.levers.call_back_after_ms >= 0) & (types.channel == DEFERRED)).any():
        raise ValueError("a call-back is offered only to those who wait live")
    served = np.max(world.routing.order, axis=1, initial=-1) >= 0
    if len(world.routing.order) != 4 * len(types.channel):
        raise ValueError("there are four queues for each type")
    if world.clock.out_of_hours == MESSAGE:
        messages = served[MESSAGES * len(types.channel) :]
        if not messages[types.channel != DEFERRED].all():
            raise ValueError("messages are left that nobody reads")


def _check_posts(world: World) -> None:
    routing, staffing, n_groups = world.routing, world.staffing, len(world.groups.specialist)
    home, delay = routing.home_of, routing.delay_of_group
    if not np.array_equal(home[:n_groups], np.arange(n_groups)) or not np.isin(home, home[:n_groups]).all():
        raise ValueError("the first posts are the groups themselves, and each further one belongs to a group")
    if ((delay >= 0) & (delay != delay[:, home])).any():
        raise ValueError("a post has some of its group's queues, at the group's delays")
    of_shift = staffing.group_of[staffing.agent]
    of_act = np.repeat(of_shift, np.diff(staffing.act_from))
    for post, group in ((staffing.shift_post, of_shift), (staffing.act_post, of_act)):
        if (
            len(post) != len(group)
            or (post >= len(home)).any()
            or ((post >= 0) & (home[post] != group)).any()
        ):
            raise ValueError("each shift and each activity has a post of the person's own group, or -1")


def _is_float(part: Any, name: str) -> bool:
    kind = part.__annotations__[name]
    return kind in (float, Floats) or getattr(kind, "__forward_arg__", kind) in ("float", "Floats")


def fresh(name: str, n: int, kind: Any) -> Any:  # noqa: ARG001
    """Room for `n` of a kind, as the system gives it."""
    return np.empty(n, kind)


Space = Callable[[str, int, Any], Any]


class Room(local):
    """Memory that a thread uses again for the next block: asking the system anew, page by page, takes longer than drawing.

    Whatever lies in it lasts until the same name is asked for again.
    """

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def __call__(self, name: str, n: int, kind: Any) -> Any:
        """Like `fresh`."""
        have = self.kept.get(name)
        if have is None or len(have) < n or have.dtype != kind:
            have = self.kept[name] = np.empty(n + n // 8, kind)
        return have[:n]


def as_read(array: Any) -> Any:
    """The array contiguous, of one of two types, and read-only: compiled code is made for no others."""
    same = np.ascontiguousarray(array, np.float64 if array.dtype.kind == "f" else np.int64).view()
    same.flags.writeable = False
    return same


def typed(part: Any) -> Any:
    """The same named tuple as compiled code reads it: arrays likewise, scalars by their annotation."""
    return type(part)(
        *(
            as_read(value)
            if isinstance(value, np.ndarray)
            else (float if _is_float(part, name) else int)(value)
            for name, value in part._asdict().items()
        )
    )


def once(*parts: str) -> Callable[[Callable[[World], T]], Callable[[World], T]]:
    """What is made of these parts of a world is made once, as long as they are among the latest few asked for."""

    def keeping(make: Callable[[World], T]) -> Callable[[World], T]:
        kept: list[tuple[tuple[Any, ...], T]] = []

        @wraps(make)
        def made(world: World) -> T:
            wanted = tuple(getattr(world, part) for part in parts)
            for known, result in kept.copy():
                if all(a is b for a, b in zip(known, wanted, strict=True)):
                    return result
            result = make(world)
            kept.append((wanted, result))
            del kept[:-8]
            return result

        return made

    return keeping


def frozen(part: Any) -> Any:
    """The same named tuple with every array contiguous, of one of two types, and read-only; scalars made plain."""
    fields: dict[str, Any] = {}
    for name, value in part._asdict().items():
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            fields[name] = frozen(value)
        elif isinstance(value, np.ndarray):
            kind = np.float64 if _is_float(part, name) else np.int64
            array = np.ascontiguousarray(value, dtype=kind)
            if array is value:
                array = array.copy()
            array.setflags(write=False)
            fields[name] = array
        elif isinstance(value, (bool, int, np.integer)):
            fields[name] = float(value) if _is_float(part, name) else int(value)
        else:
            fields[name] = float(value)
    return type(part)(**fields)
