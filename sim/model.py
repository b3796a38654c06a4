"""The centre as a SimPy model: a customer arrives, meets the bot, waits, is served or leaves, and may come back.

Written in handlers, one per kind of event, to be read from top to bottom as the story. All chance was drawn
beforehand (`draws`), all meaning lives in `rules`; here are only the order of things and the containers. Simultaneous
events happen in the order (time, kind, id), which is part of the model. What is known beforehand (shifts, breaks,
closing, and whom the bot lets through when: see `front`) is sorted beforehand, and only its next moment is awaited.
The end of a conversation is an event if something hangs on it: somebody waits, or something else is due. Otherwise
the agent is found free by the next customer.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import chain, count
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
import simpy

from sim import draws as d
from sim import front, rules
from sim import records as r
from sim import world as w
from sim.draws import Draws
from sim.records import Records
from sim.rules import (
    decayed,
    heard_odds,
    hurried_share,
    idle_key,
    is_passed_on,
    load_gained,
    load_pull,
    load_pulled,
    odds,
    over_target,
    resolved_odds,
    talk_factor,
    time_over,
    unmet_share,
    work_ends,
    work_left,
)
from sim.world import DAY_MS, Ints, World

(
    DAWN, ABANDON, SIGN_ON, CAPACITY, ACTIVITY, SIGN_OFF, FREE, CHAT_OVER, LOOK, ARRIVE, RETURN, REACH, OVERFLOW, CLOSE,
) = range(14)  # fmt: skip
OFF, IDLE, BUSY, REST, AWAY, CHATTING = range(6)
FLAGGED = r.FLAG_RIGHT | r.FLAG_WRONG
NOBODY_THERE, NOT_REACHED = -2, -3
CALLED = r.CALLED_BACK | r.CALL_BACK_TAKEN
"""A call-back accepted instead of waiting."""
"""Endings of what was taken on without a conversation, until they become outcomes."""

_WHOLE = ("row", "reach_ms", "end_ms", "spell", "talk_ms", "acw_ms", "ending", "flags")
_SAID = (*_WHOLE, "full_ms", "intensity", "load", "unmet", "heard", "if_heard", "if_not")
"""What is written down about a conversation: whole numbers first."""
_LINE = Struct("=" + "".join("q" if name in _WHOLE else "d" for name in _SAID))
_READ = np.dtype([(name, np.int64 if name in _WHOLE else np.float64) for name in _SAID])

Handlers = list[Callable[[Any], None]]
Contact = tuple[Any, ...]
"""Somebody who reaches people, as they were drawn: row, need, kind, flags, patience, talk, acw; the uniforms of being
heard, resolved, escalating, returning; whether another attempt would follow; difficulty, whether it is unsafe to tell
unless heard, intensity. Plain, because they are only ever taken apart."""
FEW = 128
"""Rows made at a time: so few stay in the processor's cache until they are needed."""


def _row_by_row(*columns: Any, within: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
    """Rows of arrays as plain values, the first being the row of `within` if that is given."""

    def some(first: int) -> Iterator[tuple[Any, ...]]:
        parts = [column[first : first + FEW].tolist() for column in columns]
        if within:
            parts.insert(0, zip(*(column[first : first + FEW].tolist() for column in within), strict=True))
        return zip(*parts, strict=True)

    return chain.from_iterable(some(first) for first in range(0, len(columns[0]), FEW))


class Order(NamedTuple):
    """The order in which moments come that are known beforehand."""

    order: Ints
    first: tuple[int, int]
    """When the first comes, and its rank: `w.NEVER` says that there is none."""
    when_next: Ints
    """Of each, when the one after it comes, and that one's rank."""
    next_rank: Ints


def _in_order(when: Ints, kind: Ints, who: Ints) -> Order:
    rank = kind << 23 | who
    order = np.lexsort((rank, when))
    whens, ranks = np.append(when[order], w.NEVER), np.append(rank[order], 0)
    return Order(order, (int(whens[0]), int(ranks[0])), whens[1:], ranks[1:])


@contextmanager
def _no_cycles() -> Iterator[None]:
    """Spare Python its search for cycles while events come and go: they form none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _least_loaded(idle: list[tuple[float, int, int, Agent]]) -> Agent:
    return heappop(idle)[-1]


class Clock(simpy.Environment):
    """SimPy's environment for moments, which never fail and may be scheduled again: so it does not look back at them.

    Beside its queue stands what is known beforehand, of which the next alone counts.
    """

    next_known: tuple[int, int] = (w.NEVER, 0)
    """When it comes, and its rank."""
    when_known: Callable[[], None]

    def step(self) -> None:
        """Let the next moment come."""
        if self.next_known < self._queue[0]:
            self._now = self.next_known[0]
            self.when_known()
            return
        self._now, _, _, event = heappop(self._queue)
        for callback in event.callbacks:
            callback(event)


class Watched(Clock):
    """A clock after whose every moment somebody looks around."""

    look_around: Callable[[], None]

    def step(self) -> None:
        """Let the next moment come, and look around."""
        super().step()
        self.look_around()


class Moment(simpy.Event):
    """Something that happens to somebody; it succeeds, and nobody waits for its value."""

    _ok = True
    _value = None

    def __init__(self, then: Handlers, who: Any) -> None:
        self.callbacks = then
        self.who = who


class Post:
    """What somebody at work takes: all queues of their group, or some of them; who waits for it."""

    __slots__ = ("calls", "chats", "deferred", "lines", "n_deferred", "n_waiting")

    def __init__(self) -> None:
        self.lines: Lines = []
        """(who waits, priority, delay) of the queues that the post serves, the first ones first."""
        self.calls: Lines = []
        self.chats: Lines = []
        self.deferred: Lines = []
        """The same by channel."""
        self.n_waiting = self.n_deferred = 0


class Group(Post):
    """People with the same skills: the post with all of their queues, and who of them is idle, whatever their post."""

    __slots__ = (
        "absence", "busy", "chatting", "exhaustion", "half_life_ms", "idle", "look", "looking", "number", "on_deferred",
        "reserved", "resting", "signed_on", "slots", "slowing", "spare", "take", "to_leave",
    )  # fmt: skip

    def __init__(self, absence: float, exhaustion: float, half_life_ms: float) -> None:
        super().__init__()
        self.absence, self.exhaustion = absence, exhaustion
        self.half_life_ms = half_life_ms
        """Of load while handling or idle."""
        self.idle: Any = deque()
        """Agents, the longest idle first; or a heap of (load key, since, number, agent), the least loaded first."""
        self.take: Callable[[], Agent] = self.idle.popleft
        """The first of them leaves it."""
        self.busy: list[tuple[int, int, Agent]] = []
        """A heap of (when they are free, number, agent): those whose end of conversation nothing hangs on as yet, and
        is therefore no event. They are free after everybody in `idle`, some of them since a while ago.
        """
        self.chatting: list[dict[Agent, None]] = []
        """By how many chats they have open: those with room for more, the longest with so many first."""
        self.number, self.slots, self.reserved = 0, 1, 0.0
        self.slowing: list[float] = []
        self.look: Moment
        self.looking = False
        """Whether somebody with room is about to take a chat from the line."""
        self.on_deferred = self.resting = self.signed_on = self.to_leave = 0
        self.spare: list[Agent] = []


class Line:
    """A queue: who waits in it, and who may serve it."""

    __slots__ = ("at_once", "channel", "order", "served_by", "waiting", "waits")

    def __init__(self, order: list[tuple[Group, int]], channel: int) -> None:
        self.order, self.channel = order, channel
        """(group, delay) in the order in which a contact prefers them."""
        self.at_once = [group for group, delay in order if delay <= 0]
        self.waits = list(dict.fromkeys(delay for _, delay in order if delay > 0))
        """After which further groups help."""
        self.waiting: deque[Waiting] = deque()
        """By the time they came, with some at the front who are gone."""
        self.served_by: list[Post] = []


class Waiting:
    """Somebody in a line."""

    __slots__ = ("called_from", "contact", "flags", "line", "reach_ms", "row", "still")

    def __init__(self, contact: Contact, line: Line, flags: int, reach_ms: int) -> None:
        self.contact, self.line, self.flags, self.reach_ms = contact, line, flags, reach_ms
        self.row: int = contact[0]
        self.still = True
        """Whether they are there, or gone."""
        self.called_from = w.MAX_MS
        """From when on they no longer wait on the line, but will be called back."""


Lines = list[tuple[deque[Waiting], int, int]]


class Chat:
    """A slot of an agent taken by somebody."""

    __slots__ = ("contact", "end", "flags", "left", "pull", "since")

    def __init__(self, contact: Contact, flags: int, since: int, left: int, end: int, pull: float) -> None:
        self.contact, self.flags, self.since = contact, flags, since
        self.left, self.end, self.pull = left, end, pull
        """Work left at one chat at a time, -1 where nobody is there; when it is over as things are; load per ms."""


class Agent:
    """Somebody at work, or not."""

    __slots__ = (
        "act_first", "act_last", "back", "chat_over", "chat_over_ms", "chats", "done", "due_ms", "empathy", "exhaustion",
        "exhaustion_day", "group", "leaving", "load", "load_at", "n_live", "number", "on_deferred", "on_phone", "owed",
        "paced_at", "planned_ms", "post", "pull", "rank", "shift", "spell", "status", "until", "with_known",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        group: Group,
        when_free: Handlers,
        when_pause_over: Handlers,
        when_chat_over: Handlers,
    ) -> None:
        self.number, self.group = number, group
        self.post: Post = group
        """Whose queues they take."""
        self.exhaustion, self.exhaustion_day = group.exhaustion, 0
        self.status, self.shift, self.leaving = OFF, -1, False
        self.due_ms = self.planned_ms = 0
        """From when on something else than the next customer may come next: by now; by the timetable alone."""
        self.until = self.load_at = 0
        self.load = 0.0
        """At `load_at`, which during a conversation is its end."""
        self.owed = self.act_first = self.act_last = 0
        self.spell = Spell(-1, -1, -1, 0, 0.0)
        self.empathy = 0.0
        self.on_phone: list[tuple[float, float, float, float, float]] = []
        """For each type: speed of talk and of the work after it, load per ms, and what group and person give to the
        log-odds of being heard and resolving."""
        self.with_known: list[tuple[float, float, float, float, float]] = []
        """The same with a customer who was put to them because they know each other."""
        self.done, self.back = Moment(when_free, self), Moment(when_pause_over, self)
        """The end of a conversation, and that of anything else."""
        self.rank = FREE << 23 | number
        self.on_deferred = False
        self.chats: list[Chat] = []
        self.n_live = self.paced_at = 0
        """How many of them are live, and since when they go on at that speed."""
        self.pull = 0.0
        """Load per ms of the live ones, before they share the attention."""
        self.chat_over, self.chat_over_ms = Moment(when_chat_over, self), 0
        """The end of the chat that will be over next, and when that is."""


class Spell:
    """From signing on to signing off; becomes a line of `records.Spells`."""

    __slots__ = (*r.Spells._fields, "beyond_ms", "load_taken", "number")

    def __init__(self, number: int, agent: int, shift: int, on_ms: int, exhaustion: float) -> None:
        self.number = number
        self.agent, self.shift, self.on_ms, self.exhaustion = agent, shift, on_ms, exhaustion
        self.off_ms = self.talk_ms = self.acw_ms = self.idle_ms = self.rest_ms = self.contacts = 0
        self.break_ms = self.lunch_ms = self.offline_ms = self.decompression_ms = self.unpaid_ms = 0
        self.over_ms = self.due_ms = self.beyond_ms = self.chat_ms = self.slot_ms = 0
        self.load_area = self.load_end = 0.0
        self.load_taken = 0.0
        """The load at the start, and what came on top of it."""


def _quick(part: Any, make: Callable[[Any], Any] = lambda value: value) -> Any:
    """The fields of a named tuple in an object of slots, which Python reads faster."""
    fields = part._fields
    quick = type(type(part).__name__, (), {"__slots__": fields})()
    for name in fields:
        setattr(quick, name, make(getattr(part, name)))
    return quick


def _view(array: Any) -> Any:
    """Scalar access at the speed of a list, without a copy."""
    return memoryview(np.ascontiguousarray(array))  # type: ignore[arg-type]


def _view_if_flat(array: Any) -> Any:
    return _view(array) if array.ndim == 1 else [_view(row) for row in array]


class Model:
    """One replication of one world. Build, `run`, take the records."""

    def __init__(self, world: World, draws: Draws) -> None:
        w.check(world)
        self.has_chat = w.has_chat(world)
        clock: Any = Watched if self.has_chat else Clock
        self.env: Any = clock(initial_time=0)
        self.schedule: Any = self.env.schedule
        self.world, self.people = world, draws.people
        self.b = _quick(world.behaviour)
        self.levers, self.staffing = (
            _quick(world.levers),
            _quick(world.staffing, lambda column: column.tolist()),
        )
        self.stop_ms, self.interval_ms = world.clock.stop_ms, world.clock.interval_ms
        self.doors = front.Doors(world.clock)
        self.always_open = self.doors.always_open

        needs, rows = draws.needs, draws.rows
        n_rows = len(rows.need)
        self.contacts = r.blank_contacts(n_rows)
        self.c = _quick(self.contacts, _view)
        self.draws, self.intensity = draws, needs.intensity.copy()
        self.rows = _quick(rows, _view_if_flat)
        self.type_of = _view(needs.type)
        self.intensity_of = _view(self.intensity)
        self.tier = bytearray(len(needs.type))
        self.served_by: dict[int, Agent] = {}
        """Of needs, who served them last: where whoever comes back goes to the same person."""
        self.vulnerable, self.keyword = _view(needs.vulnerable), _view(needs.keyword)
        self.difficulty = _view(needs.difficulty)

        self._of_types(world)
        self._of_endings()
        self._groups_and_lines(world)
        self.n_waiting = self.n_chats = 0
        self.is_elsewhere = False
        """Whether what has just happened has nothing to do with people."""
        self.said = bytearray(_LINE.size * n_rows)
        """A line for each conversation: `_SAID`."""
        self.places = count(0, _LINE.size)
        self.spells: list[Spell] = []
        self.absent = np.zeros(len(world.staffing.agent), np.int64)
        self.started = np.full(len(world.staffing.act_ms), -1, np.int64)

        self.when_timetabled: Handlers = [self.timetabled]
        self.when_returning: Handlers = [self.returning]
        self.when_handed_over: Handlers = [self.handed_over]
        self.when_impatient: Handlers = [self.loses_patience]
        self.when_overflowing: Handlers = [self.overflows]
        if self.has_chat:
            self.env.look_around = self.look_around
        self._first_contacts()
        self._timetable()
        self.known_reaches, self.answer, self.free, self.what_next = self._every_contact()
        self._agents(world, draws)

    def _of_types(self, world: World) -> None:
        types, levers = world.types, world.levers
        self.n_types = len(types.talk_cv)
        self.talk_ms: list[list[float]] = types.talk_ms.tolist()
        self.patience_ms: list[list[float]] = types.patience_ms.tolist()
        self.acw_ms: list[float] = types.acw_ms.tolist()
        self.target_ms, self.cut = levers.target_ms.tolist(), levers.cut.tolist()
        channels = w.queue_channels(world)
        self.is_deferred = (types.channel == w.DEFERRED).tolist()
        self.is_chat = (types.channel == w.CHAT).tolist()
        self.takes_messages = world.clock.out_of_hours == w.MESSAGE
        self.has_deferred = w.has_deferred(world)
        self.is_mixed = self.has_chat or self.has_deferred
        self.channels: list[int] = channels.tolist()
        self.silent, self.silent_ms = types.silent.tolist(), types.silent_ms.tolist()
        self.offers = d.asked(world)[1]
        self.offer_after, self.offer_accepts = (
            levers.call_back_after_ms.tolist(),
            levers.call_back_accepts.tolist(),
        )
        self.has_ears = len(world.detectors.target) > 0
        self.scripts, self.has_rest = levers.scripts, levers.rest_ms > 0
        self.rest_on_type = levers.rest_on_type.tolist()
        self.strained = [1 if levers.scripts or target > 0 else 0 for target in self.target_ms]
        self.heard_by_bot = front.heard_by_bot(world)
        bot = world.bot
        self.bot_hours = list(zip(bot.from_ms.tolist(), bot.to_ms.tolist(), strict=True))
        self.bot_outages = list(zip(bot.outage_from.tolist(), bot.outage_to.tolist(), strict=True))

    def _of_endings(self) -> None:
        b = self.b
        self.endings = [[rules.ending_of(met, heard) for heard in (False, True)] for met in (False, True)]
        self.p_return = [rules.p_return(b, ending) for ending in range(4)]
        self.p_escalate = [rules.p_escalate(b, ending) for ending in range(4)]

    def _groups_and_lines(self, world: World) -> None:
        of, routing = world.groups, world.routing
        half_life = [rules.half_life_on_queue(self.b, rest) for rest in self.staffing.unseen_rest]
        self.groups = [
            Group(*traits)
            for traits in zip(of.absence.tolist(), of.exhaustion.tolist(), half_life, strict=True)
        ]
        self.lines = [
            Line([(self.groups[g], wait) for g, wait in zip(order, delay, strict=True) if g >= 0], channel)
            for order, delay, channel in zip(
                routing.order.tolist(), routing.delay.tolist(), self.channels, strict=True
            )
        ]
        self.posts: list[Post] = [*self.groups, *(Post() for _ in routing.home_of[len(self.groups) :])]
        self.rotates = len(self.posts) > len(self.groups)
        for p, post in enumerate(self.posts):
            queues = [q for q in routing.queues[p].tolist() if q >= 0]
            for q in queues:
                self.lines[q].served_by.append(post)
            fed = [q for q in queues if w.fed_queues(world)[q]]
            fed.sort(key=lambda q: routing.priority[p, q])
            lines = [
                (self.lines[q].waiting, int(routing.priority[p, q]), int(routing.delay_of_group[q, p]))
                for q in fed
            ]
            post.lines = lines
            post.calls, post.chats, post.deferred = (
                [line for line, q in zip(lines, fed, strict=True) if self.channels[q] == channel]
                for channel in (w.VOICE, w.CHAT, w.DEFERRED)
            )
        when_looking: Handlers = [self.looks]
        for g, group in enumerate(self.groups):
            group.number, group.slots, group.reserved = g, int(of.slots[g]), float(of.reserved[g])
            group.slowing = of.slowing[g].tolist()
            group.chatting = [{} for _ in range(group.slots)]
            group.look = Moment(when_looking, group)
            if routing.by_load:
                group.idle = []
                group.take = partial(_least_loaded, group.idle)
        self.by_load, self.max_queue = routing.by_load, routing.max_queue

    def _agents(self, world: World, draws: Draws) -> None:
        b, of, levers = self.b, world.groups, world.levers
        on_phone = [
            [
                (
                    speed,
                    rules.heard_base(
                        b, float(heard), float(of.heard[g]), float(of.specialist[g]), levers.scripts
                    ),
                    rules.resolved_base(
                        b, float(resolved), float(of.resolved[g]), float(of.specialist[g]), levers.authority
                    ),
                )
                for speed, heard, resolved in zip(
                    of.speed[g].tolist(), world.types.heard, world.types.resolved, strict=True
                )
            ]
            for g in range(len(self.groups))
        ]
        self.agents: list[Agent] = []
        when_free: Handlers = [self.free]
        when_pause_over: Handlers = [self.pause_over]
        when_chat_over: Handlers = [self.chat_over]
        p = draws.people
        columns = (p.speed, p.absorption, p.talk, p.heard, p.resolved, p.empathy)
        traits = zip(self.staffing.group_of, *(column.tolist() for column in columns), strict=True)
        for number, (g, speed, absorption, talk, gives, solves, empathy) in enumerate(traits):
            agent = Agent(number, self.groups[g], when_free, when_pause_over, when_chat_over)
            agent.empathy = empathy
            agent.on_phone, agent.with_known = (
                [
                    (
                        speed * on_type * talk, speed * on_type, rules.load_rate(b, absorption, strained),
                        rules.heard_by(b, heard, gives, known), rules.resolved_by(b, resolved, solves, known),
                    )
                    for strained, (on_type, heard, resolved) in zip(self.strained, on_phone[g], strict=True)
                ]
                for known in ((0, 1) if levers.same_agent else (0, 0))
            )  # fmt: skip
            self.agents.append(agent)
        for agent in reversed(self.agents):
            agent.group.spare.append(agent)

    # --- the clock ------------------------------------------------------------------------------------------------

    def after(self, delay: int, kind: int, row: int, then: Handlers, who: Any) -> None:
        """Let something happen to `who` in `delay` ms; ties go by kind, then by row."""
        self.schedule(Moment(then, who), kind << 23 | row, delay)

    def run(self) -> Records:
        """Run all simulated days and hand over the records."""
        self.env.when_known = self.known_reaches
        self.await_line(Moment(self.when_timetabled, None), *self.timetable_first, 0)
        if self.stop_ms > 0:
            self.env.run(until=self.stop_ms)
        for group in self.groups:
            self.now_idle(group, self.stop_ms)
        for agent in self.agents:
            if agent.status == IDLE:
                self.settle(agent, self.stop_ms, agent.group.half_life_ms)
            elif agent.status == CHATTING:
                self.attend(agent, self.stop_ms)
                for chat in agent.chats:
                    self.c.done_ms[chat.contact[0]] = chat.end
            elif agent.status != OFF:
                agent.spell.beyond_ms = agent.until - self.stop_ms
            if agent.status != OFF:
                self.sign_off(agent, self.stop_ms)
        for waiting in (x for line in self.lines for x in line.waiting if x.still):
            taken = CALLED if waiting.called_from < self.stop_ms else 0
            self.note(waiting.contact, waiting.flags | taken, r.WAITING, waiting.reach_ms)
        spells = self.write_said(r.of_spells(self.spells))
        return Records(self.contacts, spells, self.absent, self.started)

    def _first_contacts(self) -> None:
        """The first contacts of all needs, on the days on which they reach people."""
        days = range(self.stop_ms // DAY_MS + 1)
        self.call_again_on: list[list[tuple[int, int]]] = [[] for _ in days]
        """Who decided on an earlier day to call again: row, and when."""
        self.reach_on: list[list[front.Reaching]] = [[] for _ in days]
        """Who will reach people without having met any since they last called."""
        self.known: Iterator[tuple[Any, ...]] = iter(())
        """Of today: contact, when, whether people answer then; when the next one comes, and its rank."""
        births = self.draws.needs.birth_ms
        row = np.flatnonzero(births < self.stop_ms)
        self._file(row, births[row])

    def _file(self, row: Ints, when: Ints) -> None:
        """Contacts start then: past the bot, under the days on which they reach people."""
        known = front.reaching(self.world, self.draws, self.doors, self.contacts, self.intensity, row, when)
        day_of = known.when // DAY_MS
        for day in np.unique(day_of).tolist():
            today = day_of == day
            self.reach_on[day].append(front.Reaching(*(column[today] for column in known)))

    def _await(self, reaching: front.Reaching) -> None:
        """These will reach people, in order."""
        needs, rows, types = self.draws.needs, self.draws.rows, self.world.types
        fresh = np.where(reaching.row < len(self.tier), ARRIVE, RETURN)
        order, self.env.next_known, when_next, next_rank = _in_order(
            reaching.when, np.where(reaching.from_bot, REACH, fresh), reaching.row
        )
        row, when = reaching.row[order], reaching.when[order]
        need = rows.need[row]
        kind = needs.type[need]
        interval = self.contacts.arrive_ms[row] % DAY_MS // self.interval_ms
        intensity = self.intensity[need]
        contacts = (
            row, need, kind, self.contacts.flags[row], rows.patience_unit[row] * types.patience_ms[kind, interval],
            rows.talk_unit[row] * types.talk_ms[kind, interval], rows.acw_unit[row] * types.acw_ms[kind],
            rows.heard[row], rows.resolved[row], rows.escalates[row], rows.returns[row],
            rows.attempt[row] + 1 < self.b.max_attempts, needs.difficulty[need],
            rules.unsafe(self.b, needs.vulnerable[need], intensity), intensity,
        )  # fmt: skip
        answered = self.doors.are_open_at(when) | (types.channel[kind] == w.DEFERRED)
        self.known = _row_by_row(when, answered, when_next, next_rank, within=contacts)

    def _timetable(self) -> None:
        """Shifts, activities, changes of capacity and closing, in order."""
        staffing, clock = self.world.staffing, self.world.clock
        lists = (
            (staffing.start_ms + self.people.late_ms, SIGN_ON), (staffing.end_ms, SIGN_OFF),
            (staffing.act_ms, ACTIVITY), (staffing.slot_ms, CAPACITY), (clock.close_ms, CLOSE),
            (np.arange(clock.stop_ms // DAY_MS + 1) * DAY_MS, DAWN),
        )  # fmt: skip
        parts: list[tuple[Any, Any, Any]] = []
        for whens, what in lists:
            who = np.flatnonzero(whens < min(clock.stop_ms, w.NEVER))
            if what != CLOSE or not clock.always_open:
                parts.append((whens[who], np.full(len(who), what), who))
        when, kind, who = (np.concatenate(column) for column in zip(*parts, strict=True))
        order, self.timetable_first, when_next, next_rank = _in_order(when, kind, who)
        self.timetable = _row_by_row(kind[order], who[order], when[order], when_next, next_rank)
        shift_of_act = np.repeat(np.arange(len(staffing.agent)), np.diff(staffing.act_from))
        self.shift_of_act = shift_of_act.tolist()
        # Activities stand in the order of their times, shift by shift.
        acts = np.append(staffing.act_ms, w.NEVER)
        first = np.where(np.diff(staffing.act_from) > 0, acts[staffing.act_from[:-1]], w.NEVER)
        self.planned_first = np.minimum(first, staffing.end_ms).tolist()
        """When the timetable next has something for somebody whose shift starts: an activity, or its end."""
        acts[staffing.act_from] = w.NEVER
        self.planned_after = np.minimum(acts[1:], staffing.end_ms[shift_of_act]).tolist()
        """And for somebody after each activity."""
        self.happens: dict[int, Callable[[int, int], None]] = {
            SIGN_ON: self.shift_starts, SIGN_OFF: self.shift_ends, ACTIVITY: self.activity_due,
            CAPACITY: self.capacity_changes, CLOSE: self.doors_close, DAWN: self.day_begins,
        }  # fmt: skip

    def _again(self, row: int) -> Contact:
        """Somebody who reaches people after having met some before, or is called back."""
        c, rows = self.c, self.rows
        need = rows.need[row]
        kind = self.type_of[need]
        interval, intensity = c.arrive_ms[row] % DAY_MS // self.interval_ms, self.intensity_of[need]
        return (
            row, need, kind, c.flags[row], rows.patience_unit[row] * self.patience_ms[kind][interval],
            rows.talk_unit[row] * self.talk_ms[kind][interval], rows.acw_unit[row] * self.acw_ms[kind],
            rows.heard[row], rows.resolved[row], rows.escalates[row], rows.returns[row],
            rows.attempt[row] + 1 < self.b.max_attempts, self.difficulty[need],
            rules.unsafe(self.b, self.vulnerable[need], intensity), intensity,
        )  # fmt: skip

    def await_line(self, moment: Moment, when: int, rank: int, now: int) -> None:
        """Wait for a line of the timetable, if there is another."""
        if when < w.NEVER:
            self.schedule(moment, rank, when - now)

    def timetabled(self, moment: Moment) -> None:
        """A line of the timetable comes true, and the next one is awaited."""
        kind, who, now, when_next, next_rank = next(self.timetable)
        self.await_line(moment, when_next, next_rank, now)
        self.happens[kind](who, now)

    # --- customers ------------------------------------------------------------------------------------------------

    def returning(self, moment: Moment) -> None:
        """Somebody calls again, or is put through to somebody else."""
        self.arrive(moment.who, self.env.now)

    def day_begins(self, day: int, _: int) -> None:
        """Who reaches people today without having met any since they last called is known."""
        self.is_elsewhere = True
        if self.call_again_on[day]:
            self._file(*np.array(self.call_again_on[day], np.int64).T)
        parts = self.reach_on[day]
        if parts:
            self._await(front.Reaching(*(np.concatenate(column) for column in zip(*parts, strict=True))))

    def arrive(self, row: int, now: int) -> None:
        """A contact starts: with the bot, where one is offered and up, or with people."""
        c, rows = self.c, self.rows
        need = rows.need[row]
        c.arrive_ms[row] = now
        kind = self.type_of[need]
        fate = d.NO_BOT
        if not self.tier[need]:
            fate = rows.fate[row]
            if fate != d.NO_BOT and not self.bot_is_up(kind, now):
                fate = d.NO_BOT
        if fate == d.NO_BOT:
            self.reach(row, now)
            return
        self.is_elsewhere = True
        c.bot_ms[row] = bot_ms = rows.bot_ms[row]
        if rows.refused[row]:
            c.flags[row] |= r.REFUSED
            self.stir(need, self.b.bot_loop_intensity)
        c.intensity[row] = self.intensity_of[need]
        if fate == d.HANDED_OVER:
            c.outcome[row] = r.IN_BOT
            if not rows.context[row]:
                c.flags[row] |= r.REPEATS
            self.after(bot_ms, REACH, row, self.when_handed_over, row)
        elif fate == d.HUNG_UP:
            c.outcome[row] = r.HUNG_UP
            c.end_ms[row] = now + bot_ms
            self.gives_up(row, need, now + bot_ms, now)
        else:
            self.ends_in_bot(row, need, now + bot_ms, fate == d.CONTAINED, now)

    def bot_is_up(self, kind: int, now: int) -> bool:
        """Whether the bot is there: its own hours, and no outage."""
        first, last = self.bot_hours[kind]
        if not first <= now % DAY_MS < last:
            return False
        return not (self.bot_outages and any(start <= now < end for start, end in self.bot_outages))

    def stir(self, need: int, more: float) -> None:
        """The customer gets more upset."""
        self.intensity_of[need] = min(1.0, self.intensity_of[need] + more)

    def ends_in_bot(self, row: int, need: int, end: int, resolved: bool, now: int) -> None:
        """The log says contained; whether it is, the customer knows."""
        b, c = self.b, self.c
        base = self.heard_by_bot[self.type_of[need]]
        heard = rules.odds(rules.heard_odds(b, base, self.intensity_of[need], 0.0, 0.0, 0.0, 0, 0))
        met = 1.0 if resolved else 0.0
        c.outcome[row] = r.CONTAINED if resolved else r.CONTAINED_FALSELY
        c.end_ms[row] = end
        c.heard[row] = heard
        c.if_heard[row] = met
        c.if_not[row] = met
        ending = rules.ending_of(resolved, self.rows.heard[row] < heard)
        c.ending[row] = ending
        if not resolved:
            self.stir(need, b.bot_loop_intensity)
        if self.rows.returns[row] < self.p_return[ending] and self.rows.attempt[row] + 1 < b.max_attempts:
            c.flags[row] |= r.RETURNS
            self.returns(row, need, end, now)

    def handed_over(self, moment: Moment) -> None:
        """The bot lets go, or the house calls back."""
        self.reach(moment.who, self.env.now)

    def reach(self, row: int, now: int) -> None:
        """Somebody reaches people who has met some before, or is called back."""
        contact = self._again(row)
        _, need, kind, flags, *_ = contact
        if not self.always_open and not self.is_deferred[kind] and not self.doors.are_open(now):
            self.out_of_hours(contact, flags, now)
            return
        form = w.ORDINARY
        if self.tier[need]:
            flags |= r.TIER_TWO
            form = w.SECOND_TIER
        elif self.has_ears:
            flags |= self.heard_at_the_front(contact)
            if flags & FLAGGED:
                form = w.FLAGGED
        self.joins(contact, flags, self.lines[form * self.n_types + kind], now)

    def known_to(self, contact: Contact, line: Line, now: int) -> Agent | None:
        """The person who served this customer last, if they are idle and serve the queue."""
        need = contact[1]
        agent = self.served_by.get(need)
        if agent is None or self.tier[need] or agent.post not in line.served_by:
            return None
        self.now_idle(agent.group, now + 1)
        if agent.status != IDLE:
            return None
        self.leave_idle(agent, now)
        return agent

    def joins(self, contact: Contact, flags: int, line: Line, now: int) -> None:
        """A contact joins the people's queue: an agent at once, a place in the line, or neither."""
        if self.served_by:
            known = self.known_to(contact, line, now)
            if known is not None:
                self.answer(contact, flags | r.SAME_AGENT, now, known, now)
                return
        if self.is_mixed or self.rotates:
            agent = self.whom(line, 0, now)
            if agent is None:
                self.waits(contact, flags, line, now)
            else:
                self.answer(contact, flags, now, agent, now)
            return
        for group in line.at_once:
            if group.idle:
                self.answer(contact, flags, now, group.take(), now)
                return
            if group.busy and group.busy[0][0] <= now:
                self.answer(contact, flags, now, heappop(group.busy)[-1], now)
                return
        self.waits(contact, flags, line, now)

    def whom(self, line: Line, waited: int, now: int) -> Agent | None:
        """By the order of groups: who has been idle longest, or who has room for a further chat."""
        for group, delay in line.order:
            if delay <= waited:
                agent = None
                if group.idle:
                    agent = self.idle_for(line, group) if self.rotates else group.take()
                if agent is None and line.channel == w.CHAT:
                    agent = self.with_room(group, line, now)
                if agent is not None:
                    return agent
        return None

    def idle_for(self, line: Line, group: Group) -> Agent | None:
        """Who has been idle longest (or is least loaded) of those of the group whose post serves the line."""
        idle, posts = group.idle, line.served_by
        if self.by_load:
            entry = min((entry for entry in idle if entry[-1].post in posts), default=None)
            if entry is None:
                return None
            idle.remove(entry)
            heapify(idle)
            return entry[-1]  # type: ignore[no-any-return]
        agent = next((agent for agent in idle if agent.post in posts), None)
        if agent is not None:
            idle.remove(agent)
        return agent

    def waits(self, contact: Contact, flags: int, line: Line, now: int) -> None:
        """Nobody is free: the customer waits, unless there are too many already or they will not."""
        if line.channel == w.DEFERRED:
            self.is_left(contact, flags, line, now)
            return
        called_back = flags & r.CALLED_BACK
        if 0 < self.max_queue <= self.n_waiting and not called_back:
            self.gone(contact, flags, r.TURNED_AWAY, now, now)
            return
        patience = float(w.NEVER) if called_back else contact[4]
        if patience <= 0.0:
            self.gone(contact, flags, r.ABANDONED, now, now)
            return
        waiting = Waiting(contact, line, flags, now)
        line.waiting.append(waiting)
        self.n_waiting += 1
        if line.channel == w.CHAT:
            self.n_chats += 1
        for post in line.served_by:
            post.n_waiting += 1
            if post.n_waiting == 1 and isinstance(post, Group) and post.busy:
                self.now_idle(post, now + 1)
                self.await_next(post, now)
        if self.offers and not called_back:
            kind, gives_up_after = contact[2], int(min(patience, float(w.NEVER)))
            after = self.offer_after[kind]
            if 0 <= after < gives_up_after and self.rows.accepts[waiting.row] < self.offer_accepts[kind]:
                waiting.called_from = now + after
                patience = float(w.NEVER)
        if patience < self.stop_ms - now:
            self.after(int(patience), ABANDON, waiting.row, self.when_impatient, waiting)
        for wait in line.waits:
            self.after(wait, OVERFLOW, waiting.row, self.when_overflowing, waiting)

    def is_left(self, contact: Contact, flags: int, line: Line, now: int) -> None:
        """A message for whoever has time: nobody sees it wait, and its writer may lose patience after hours or days."""
        waiting = Waiting(contact, line, flags, now)
        line.waiting.append(waiting)
        for post in line.served_by:
            post.n_deferred += 1
        if not flags & r.MESSAGE and contact[4] < self.stop_ms - now:
            self.after(int(contact[4]), ABANDON, waiting.row, self.when_impatient, waiting)
        for wait in line.waits:
            self.after(wait, OVERFLOW, waiting.row, self.when_overflowing, waiting)

    def heard_at_the_front(self, contact: Contact) -> int:
        """Flags of what the detectors hear, rightly or wrongly, or miss."""
        ears, flags = self.world.detectors, 0
        row, need, kind, *_, intensity = contact
        for k, us in enumerate(self.rows.detect):
            if not ears.listens[k, kind]:
                continue
            there = rules.sees(
                int(ears.target[k]),
                float(ears.above[k]),
                intensity,
                self.vulnerable[need],
                self.keyword[need],
            )
            if there:
                flags |= r.FLAG_RIGHT if us[row] < ears.sensitivity[k] else r.FLAG_MISSED
            elif us[row] < 1.0 - ears.specificity[k]:
                flags |= r.FLAG_WRONG
        return flags

    def out_of_hours(self, contact: Contact, flags: int, now: int) -> None:
        """Nobody is there: a message, a call-back in the first hour of the next opening, or lost."""
        row = contact[0]
        if self.takes_messages:
            line = self.lines[w.MESSAGES * self.n_types + contact[2]]
            self.joins(contact, flags | r.MESSAGE, line, now)
            return
        if self.world.clock.out_of_hours != w.CALL_BACK:
            self.note(contact, flags, r.CLOSED, now)
            self.c.end_ms[row] = now
            return
        when = self.doors.calls_back(now, self.rows.call_back_ms[row])
        if when >= 0:
            flags |= r.CALLED_BACK
            self.after(when - now, REACH, row, self.when_handed_over, row)
        self.note(contact, flags, r.WAITING, now)

    def loses_patience(self, moment: Moment) -> None:
        """The customer has waited as long as they will."""
        waiting = moment.who
        if waiting.still:
            self.out_of_line(waiting)
            self.gone(waiting.contact, waiting.flags, r.ABANDONED, waiting.reach_ms, self.env.now)

    def out_of_line(self, waiting: Waiting) -> None:
        """One fewer is waiting; the line itself forgets later."""
        waiting.still = False
        if waiting.line.channel == w.DEFERRED:
            for post in waiting.line.served_by:
                post.n_deferred -= 1
            return
        self.n_waiting -= 1
        if waiting.line.channel == w.CHAT:
            self.n_chats -= 1
        for post in waiting.line.served_by:
            post.n_waiting -= 1

    def note(self, contact: Contact, flags: int, outcome: int, reach_ms: int) -> None:
        """Write down where a contact is that nobody has answered."""
        c, row = self.c, contact[0]
        c.outcome[row] = outcome
        c.reach_ms[row] = reach_ms
        c.flags[row] = flags
        c.intensity[row] = contact[-1]

    def gone(self, contact: Contact, flags: int, outcome: int, reach_ms: int, now: int) -> None:
        """Left, or turned away: some call again soon, the others are gone."""
        row, need, *_ = contact
        self.note(contact, flags, outcome, reach_ms)
        self.c.end_ms[row] = now
        self.gives_up(row, need, now, now)

    def gives_up(self, row: int, need: int, end: int, now: int) -> None:
        """Without having been served: a redial within the hour, or a need unmet."""
        b, rows = self.b, self.rows
        if rows.redials[row] < b.redial and rows.attempt[row] + 1 < b.max_attempts:
            self.c.flags[row] |= r.REDIALS
            self.tier[need] = 0
            self.comes_back(rows.next[row], end + rows.redial_ms[row], now)

    def comes_back(self, row: int, when: int, now: int) -> None:
        """The next attempt of a journey, at a time when somebody answers."""
        if row >= 0 and when < self.stop_ms:
            if self.has_deferred and self.is_deferred[self.type_of[self.rows.need[row]]]:
                self.again(row, when, now)
                return
            when = self.doors.when_answered(when, self.rows.call_back_ms[row])
            if when < self.stop_ms and now // DAY_MS < when // DAY_MS:
                self.call_again_on[when // DAY_MS].append((row, when))
                return
        self.again(row, when, now)

    def again(self, row: int, when: int, now: int) -> None:
        """The next attempt of a journey."""
        if row < 0:
            raise RuntimeError("a journey goes on for which nothing was drawn")
        if when < self.stop_ms:
            self.after(when - now, RETURN, row, self.when_returning, row)

    def returns(self, row: int, need: int, end: int, now: int) -> None:
        """By how it ended, the customer comes back after a while, more upset."""
        self.stir(need, self.b.return_intensity)
        self.tier[need] = 0
        self.comes_back(self.rows.next[row], end + self.rows.return_ms[row], now)

    def overflows(self, moment: Moment) -> None:
        """Waited long enough for another group to help."""
        waiting = moment.who
        if not waiting.still:
            return
        now = self.env.now
        agent = self.whom(waiting.line, now - waiting.reach_ms, now)
        if agent is not None:
            self.takes(waiting, agent, now)

    def takes(self, waiting: Waiting, agent: Agent, now: int) -> None:
        """An agent takes somebody out of a line."""
        self.out_of_line(waiting)
        flags = waiting.flags | CALLED if waiting.called_from <= now else waiting.flags
        self.answer(waiting.contact, flags, waiting.reach_ms, agent, now)

    # --- a conversation -------------------------------------------------------------------------------------------

    def _every_contact(
        self,
    ) -> tuple[Callable[[], None], Callable[..., None], Callable[[Moment], None], Callable[..., None]]:
        """What happens for every contact: it comes, it is answered, its agent is free. All they read is bound once."""
        b, env, schedule, lines = self.b, self.env, self.schedule, self.lines
        passed_on = self.rows.passed_on
        flagged = w.FLAGGED * self.n_types
        has_ears, has_rest, by_load, scripts = self.has_ears, self.has_rest, self.by_load, self.scripts
        is_mixed, is_special, rotates = self.is_mixed, self.is_mixed or self.offers, self.rotates
        every_end = bool(by_load or is_mixed or rotates)  # is an event
        target_ms, cut_share = self.target_ms, self.cut
        p_return, p_escalate, threshold = self.p_return, self.p_escalate, b.load_threshold
        same_agent, served_by = self.levers.same_agent, self.served_by
        with_known = rules.talk_with(b, 1)
        said, places, put, endings = self.said, self.places, _LINE.pack_into, self.endings

        def known_reaches() -> None:
            """Somebody reaches people without having met any before, and the next one is awaited."""
            contact, now, answered, when_next, next_rank = next(self.known)
            env.next_known = when_next, next_rank
            flags = contact[3]
            if not answered:
                self.out_of_hours(contact, flags, now)
                return
            line = lines[contact[2]]
            if has_ears:
                flags |= self.heard_at_the_front(contact)
                if flags & FLAGGED:
                    line = lines[flagged + contact[2]]
            if is_mixed or served_by or rotates:
                self.joins(contact, flags, line, now)
                return
            for group in line.at_once:
                if group.idle:
                    answer(contact, flags, now, group.take(), now)
                    return
                busy = group.busy
                if busy and busy[0][0] <= now:
                    answer(contact, flags, now, heappop(busy)[-1], now)
                    return
            self.waits(contact, flags, line, now)

        def answer(contact: Contact, flags: int, reach_ms: int, agent: Agent, now: int) -> None:
            """An agent takes a contact: how long it will take, how it will end, what it leaves behind."""
            (
                row, need, kind, _, _, talk, acw, u_heard, u_resolved, u_escalates, u_returns, goes_on,
                difficulty, is_unsafe, intensity,
            ) = contact  # fmt: skip
            group, spell, load = agent.group, agent.spell, agent.load
            half_life_ms = group.half_life_ms
            waited, live, is_chat = now - reach_ms, 1, False
            if is_special:
                if agent.chats:
                    self.attend(agent, now)
                    load = agent.load
                if is_mixed:
                    if flags & r.MESSAGE or self.is_deferred[kind]:
                        waited = 0
                        agent.on_deferred = True
                        group.on_deferred += 1
                    elif self.is_chat[kind]:
                        is_chat, live = True, agent.n_live + 1
                if flags & r.CALL_BACK_TAKEN:
                    waited = self.offer_after[kind]
            if load and now > agent.load_at:
                if load > threshold:
                    spell.over_ms += time_over(load, now - agent.load_at, half_life_ms, threshold)
                load = decayed(load, now - agent.load_at, half_life_ms)
            if is_special:
                agent.load, agent.load_at = load, now
                nobody = self.nobody_there(contact, flags)
                if nobody is not None:
                    ending, holds_ms = nobody
                    put(
                        said, next(places), row, reach_ms, now, spell.number, 0, 0 if is_chat else holds_ms, ending,
                        flags, 0.0, intensity, load, 0.0, 0.0, 0.0, 0.0,
                    )  # fmt: skip
                    self.gives_up(row, need, now, now)
                    if is_chat:
                        self.c.live[row] = live
                        self.opens(Chat(contact, flags, now, -1, now + holds_ms, 0.0), agent, now)
                        return
                    self.settle(agent, now + holds_ms, half_life_ms)
                    agent.until, agent.status = agent.load_at, BUSY
                    schedule(agent.done, agent.rank, holds_ms)
                    return
            if flags & r.SAME_AGENT:
                talk_speed, speed, load_rate, heard_base, resolved_base = agent.with_known[kind]
            else:
                talk_speed, speed, load_rate, heard_base, resolved_base = agent.on_phone[kind]
            if live > 1:
                heard_base += b.heard_concurrency * (live - 1)
                resolved_base += b.resolved_concurrency * (live - 1)

            talk *= talk_factor(b, talk_speed, load, now - spell.on_ms, intensity, agent.empathy, scripts)
            if flags & r.SAME_AGENT:
                talk *= with_known
            if same_agent:
                served_by[need] = agent
            repeats = 0
            if flags & r.REPEATS:
                talk += b.handover_ms
                repeats = 1
            acw *= speed
            full = talk + acw
            cut = unmet = 0.0
            n_waiting = agent.post.n_waiting
            if n_waiting:
                cut = talk * hurried_share(b, n_waiting)
            if target_ms[kind]:
                cut += cut_share[kind] * over_target(full - cut, target_ms[kind])
            if cut:
                unmet = unmet_share(b, cut, full)
                talk -= cut
                if talk < 0.0:
                    acw = max(0.0, acw + talk)
                    talk = 0.0
            talk_ms = int(talk + 0.5) or 1
            handle_ms = talk_ms + int(acw + 0.5)

            heard = odds(heard_odds(b, heard_base, intensity, agent.empathy, unmet, load, repeats, waited))
            if cut and goes_on and is_passed_on(b, cut, full, passed_on[row]):
                if_heard = if_not = 0.0
                ending = -1
                flags |= r.PASSED_ON
                if not is_chat:
                    self.onward(row, need, now + talk_ms, now)
            else:
                log_odds = resolved_odds(b, resolved_base, difficulty, unmet, load)
                if_heard = if_not = odds(log_odds)
                if is_unsafe:
                    if_not = odds(log_odds + b.resolved_not_heard)
                was_heard = u_heard < heard
                ending = endings[u_resolved < (if_heard if was_heard else if_not)][was_heard]
                if goes_on:
                    if u_escalates < p_escalate[ending]:
                        flags |= r.ESCALATED
                        if not is_chat:
                            self.onward(row, need, now + talk_ms, now)
                    elif u_returns < p_return[ending]:
                        flags |= r.RETURNS
                        if not is_chat:
                            self.returns(row, need, now + talk_ms, now)
            if has_rest and not is_chat:
                flags |= self.rest_falls_due(contact, flags, agent, handle_ms)

            put(
                said, next(places), row, reach_ms, now, spell.number, talk_ms, handle_ms - talk_ms, ending, flags, full,
                intensity, load, unmet, heard, if_heard, if_not,
            )  # fmt: skip
            if is_chat:
                self.c.live[row] = live
                pull = load_pull(intensity, talk_ms, handle_ms, load_rate)
                self.opens(Chat(contact, flags, now, handle_ms, 0, pull), agent, now)
                return

            if load:
                if load > threshold:
                    spell.over_ms += time_over(load, handle_ms, half_life_ms, threshold)
                load = decayed(load, handle_ms, half_life_ms)
            gained = load_gained(intensity, talk_ms, load_rate)
            spell.load_taken += gained
            agent.load = load + gained
            agent.load_at = agent.until = until = now + handle_ms
            agent.status = BUSY
            if until >= agent.due_ms or n_waiting or every_end:
                schedule(agent.done, agent.rank, handle_ms)
            else:
                heappush(group.busy, (until, agent.number, agent))

        def free(moment: Moment) -> None:
            """A conversation or a pause is over."""
            agent = moment.who
            now, group = agent.until, agent.group
            if agent.on_deferred:
                agent.on_deferred = False
                group.on_deferred -= 1
            if group.busy:
                self.now_idle(group, now, agent.number)
                if group.n_waiting:
                    self.await_next(group, now)
            what_next(agent, group, now)

        def what_next(agent: Agent, group: Group, now: int) -> None:
            """Something that is due, the next customer, or idle."""
            if agent.due_ms <= now and self.sees_to_it(agent, group, now):
                return
            if is_special:
                waiting = self.next_of_all(agent, group, now)
                if waiting is not None:
                    self.takes(waiting, agent, now)
                    return
            elif agent.post.n_waiting:
                waiting = self.next_in_line(agent.post.lines, now)
                if waiting is not None:
                    self.out_of_line(waiting)
                    answer(waiting.contact, waiting.flags, waiting.reach_ms, agent, now)
                    return
            agent.status = IDLE
            if by_load:
                key = idle_key(agent.load, now, group.half_life_ms)
                heappush(group.idle, (key, now, agent.number, agent))
            else:
                group.idle.append(agent)

        return known_reaches, answer, free, what_next

    def nobody_there(self, contact: Contact, flags: int) -> tuple[int, int] | None:
        """A call-back that nobody picks up, or a chat whose customer is gone: how it ends, and the time it takes."""
        row, _, kind, *_ = contact
        rows, levers = self.rows, self.levers
        if flags & r.CALL_BACK_TAKEN:
            if rows.unanswered[row] < levers.call_back_unanswered:
                return NOT_REACHED, max(1, levers.call_back_dial_ms)
            return None
        may_be_silent = self.is_chat[kind] and not flags & (r.CALLED_BACK | r.MESSAGE)
        if may_be_silent and rows.silent[row] < self.silent[kind]:
            return NOBODY_THERE, max(1, self.silent_ms[kind])
        return None

    def onward(self, row: int, need: int, when: int, now: int) -> None:
        """Put through to the second tier."""
        self.tier[need] = 1
        self.again(self.rows.next[row], when, now)

    def rest_falls_due(self, contact: Contact, flags: int, agent: Agent, handle_ms: int) -> int:
        """What can be seen of a contact may make a recovery pause due, and is flagged then."""
        row, _, kind, *_, intensity = contact
        b, levers, spell = self.b, self.levers, agent.spell
        n = self.rest_on_type[kind]
        if 0 < levers.rest_over_ms < handle_ms:
            n += 1
        if levers.rest_on_flag and flags & FLAGGED:
            n += 1
        if levers.rest_on_button and intensity > b.intense_above:
            n += self.rows.button[row] < b.button_uptake
        if intensity > levers.rest_on_intensity:
            n += 1
        due = rules.rest_due(n, levers.rest_ms, levers.rest_hardest_ms)
        if not due:
            return 0
        spell.due_ms += due
        room = levers.rest_budget_ms - spell.rest_ms - agent.owed
        agent.owed += max(0, min(due, room))
        agent.due_ms = 0
        return r.REST_DUE

    def write_said(self, spells: r.Spells) -> r.Spells:
        """Put what was said into the records."""
        said = np.frombuffer(self.said, _READ, next(self.places) // _LINE.size)
        c, row, spell = self.contacts, said["row"].copy(), said["spell"].copy()
        since_known = c.flags[row] & (r.REST_DUE | r.REDIALS)
        for name in _SAID:
            if name not in ("row", "spell"):
                getattr(c, name)[row] = said[name] + 0.5 if name == "full_ms" else said[name]
        c.flags[row] |= since_known
        c.outcome[row] = r.ANSWERED
        nobody = row[c.ending[row] < -1]
        c.outcome[nobody] = np.where(c.ending[nobody] == NOBODY_THERE, r.SILENT, r.UNREACHED)
        c.ending[nobody] = -1
        c.agent[row] = spells.agent[spell]
        alone = c.live[row] == 0
        c.live[row[alone]] = 1
        one = row[alone]
        c.done_ms[one] = c.end_ms[one] + c.talk_ms[one] + c.acw_ms[one]
        n = len(spells.agent)
        talk_ms, acw_ms = (
            np.bincount(spell[alone], of[one], n).astype(np.int64) for of in (c.talk_ms, c.acw_ms)
        )
        away_ms = (
            spells.rest_ms + spells.break_ms + spells.lunch_ms + spells.offline_ms + spells.decompression_ms
        )
        beyond_ms = np.array([spell.beyond_ms for spell in self.spells], np.int64)
        return spells._replace(
            talk_ms=talk_ms,
            acw_ms=acw_ms,
            idle_ms=spells.off_ms + beyond_ms - spells.on_ms - talk_ms - acw_ms - spells.chat_ms - away_ms,
            contacts=np.bincount(spell, minlength=n),
        )

    # --- several at once ------------------------------------------------------------------------------------------

    def with_room(self, group: Group, line: Line | None, now: int) -> Agent | None:
        """Who of the group takes a further chat: the fewest chats first, then the longest with so many.

        Of this line, or of any. Not while a call waits for their post; not those for whom something is due, nor, of the
        others, as many as are to leave.
        """
        post, leave, takes, may_rest = None, group.to_leave, False, False
        for level in group.chatting:
            for agent in level:
                if agent.post is not post:
                    post, may_rest = agent.post, self.may_rest(group, agent.post)
                    takes = (
                        self.next_in_line(post.chats, now) is not None
                        if line is None
                        else post in line.served_by
                    )
                    takes = takes and not (post.n_waiting and self.next_in_line(post.calls, now))
                due = agent.leaving or agent.act_first < agent.act_last
                if not takes or due or (agent.owed > 0 and may_rest):
                    continue
                if not leave:
                    return agent
                leave -= 1
        return None

    def opens(self, chat: Chat, agent: Agent, now: int) -> None:
        """A chat takes one of the agent's slots; the others go on at another speed."""
        group = agent.group
        if agent.chats:
            del group.chatting[len(agent.chats)][agent]
        agent.status = CHATTING
        if chat.left >= 0:
            self.pace(agent, agent.n_live + 1, now)
            chat.end = work_ends(now, chat.left, group.slowing[agent.n_live])
            agent.pull += chat.pull
        agent.chats.append(chat)
        if len(agent.chats) < group.slots:
            group.chatting[len(agent.chats)][agent] = None
        self.await_chat(agent, now)

    def pace(self, agent: Agent, n_live: int, now: int) -> None:
        """The agent's live chats go on at another speed."""
        slowing, elapsed = agent.group.slowing, now - agent.paced_at
        before, after = slowing[agent.n_live], slowing[n_live]
        for chat in agent.chats:
            if chat.left >= 0:
                chat.left = work_left(chat.left, elapsed, before)
                chat.end = work_ends(now, chat.left, after)
        agent.n_live, agent.paced_at = n_live, now

    def await_chat(self, agent: Agent, now: int) -> None:
        """The next end of a chat counts; those awaited before no longer do, unless they are at that time."""
        soonest = min(chat.end for chat in agent.chats)
        if soonest != agent.chat_over_ms:
            agent.chat_over_ms = soonest
            self.schedule(agent.chat_over, CHAT_OVER << 23 | agent.number, soonest - now)

    def attend(self, agent: Agent, now: int) -> None:
        """Bring somebody with chats up to now: minutes, decay of load, and what the live chats have added."""
        elapsed, spell = now - agent.load_at, agent.spell
        if not elapsed:
            return
        spell.chat_ms += elapsed
        spell.slot_ms += elapsed * len(agent.chats)
        self.settle(agent, now, agent.group.half_life_ms)
        if agent.n_live:
            gained = load_pulled(agent.pull, elapsed, agent.n_live)
            agent.load += gained
            spell.load_taken += gained

    def chat_over(self, moment: Moment) -> None:
        """One chat is over, the one with the least row of those due; unless the agent's chats have changed since."""
        agent, now = moment.who, self.env.now
        if agent.status != CHATTING or agent.chat_over_ms != now:
            return
        group = agent.group
        self.attend(agent, now)
        chat = min((chat for chat in agent.chats if chat.end == now), key=lambda chat: chat.contact[0])
        if len(agent.chats) < group.slots:
            del group.chatting[len(agent.chats)][agent]
        agent.chats.remove(chat)
        self.c.done_ms[chat.contact[0]] = now
        if chat.left >= 0:
            self.pace(agent, agent.n_live - 1, now)
            agent.pull = agent.pull - chat.pull if agent.n_live else 0.0
            self.leaves_behind(chat, agent, now)
        if not agent.chats:
            agent.chat_over_ms = 0
            agent.status, agent.until = BUSY, now
            self.schedule(agent.done, agent.rank, 0)
            return
        group.chatting[len(agent.chats)][agent] = None
        if agent.shift < 0 and not group.to_leave and now - agent.spell.on_ms >= w.RELIEF_MS:
            self.relieve(agent, now)
        agent.chat_over_ms = 0
        self.await_chat(agent, now)

    def leaves_behind(self, chat: Chat, agent: Agent, now: int) -> None:
        """What follows from a chat was decided when it started."""
        row, need, *_ = chat.contact
        if self.has_rest:
            self.c.flags[row] |= self.rest_falls_due(chat.contact, chat.flags, agent, now - chat.since)
        if chat.flags & (r.PASSED_ON | r.ESCALATED):
            self.onward(row, need, now, now)
        elif chat.flags & r.RETURNS:
            self.returns(row, need, now, now)

    def look_around(self) -> None:
        """After whatever has happened: where a chat waits and somebody has room, they take it next."""
        if not self.n_chats or self.is_elsewhere:
            self.is_elsewhere = False
            return
        now = self.env.now
        for group in self.groups:
            if not group.looking and self.may_take(group, now) is not None:
                group.looking = True
                self.schedule(group.look, LOOK << 23 | group.number, 0)

    def may_take(self, group: Group, now: int) -> tuple[Waiting, Agent] | None:
        """Who of the group takes a waiting chat, and the best one for their post."""
        if self.next_in_line(group.chats, now) is None:
            return None
        agent = self.with_room(group, None, now)
        waiting = None if agent is None else self.next_in_line(agent.post.chats, now)
        return None if waiting is None or agent is None else (waiting, agent)

    def looks(self, moment: Moment) -> None:
        """A chat waits, and somebody has room for another."""
        group, now = moment.who, self.env.now
        group.looking = False
        both = self.may_take(group, now)
        if both is not None:
            self.takes(*both, now)

    # --- agents ---------------------------------------------------------------------------------------------------

    def now_idle(self, group: Group, now: int, number: int = -1) -> None:
        """Those who were free before now, or now with a number below this one, have been idle since."""
        busy = group.busy
        while busy and busy[0] < (now, number):
            agent = heappop(busy)[-1]
            agent.status = IDLE
            group.idle.append(agent)

    def await_next(self, group: Group, now: int) -> None:
        """Somebody waits, so that the end of the conversation that ends next matters."""
        if group.busy:
            until, _, agent = heappop(group.busy)
            self.schedule(agent.done, agent.rank, until - now)

    def settle(self, agent: Agent, now: int, half_life_ms: float) -> None:
        """Bring the load of somebody who is not in a conversation up to now."""
        elapsed = now - agent.load_at
        agent.spell.over_ms += rules.time_over(agent.load, elapsed, half_life_ms, self.b.load_threshold)
        agent.load = rules.decayed(agent.load, elapsed, half_life_ms)
        agent.load_at = now

    def keep(self, agent: Agent, status: int, now: int, length: int) -> None:
        """A pause or another activity keeps the agent for a while."""
        agent.status = status
        agent.until = now + length
        self.schedule(agent.back, agent.rank, length)

    def pause_over(self, moment: Moment) -> None:
        """A recovery pause, a break or an activity is done."""
        agent, rest_half_life_ms = moment.who, self.b.rest_half_life_ms
        before = agent.load
        self.settle(agent, agent.until, rest_half_life_ms)
        agent.spell.load_taken += rules.load_rested(
            before - agent.load, rest_half_life_ms, agent.group.half_life_ms
        )
        if agent.status == REST:
            agent.group.resting -= 1
        self.free(moment)

    def sees_to_it(self, agent: Agent, group: Group, now: int) -> bool:
        """Home, a break, or recovery, if one of them is due and may be; else False."""
        if agent.leaving or group.to_leave:
            if self.stays_to_serve_out(agent.post, now):
                return False
            if not agent.leaving:
                group.to_leave -= 1
            self.sign_off(agent, now)
            return True
        if agent.shift < 0 and now - agent.spell.on_ms >= w.RELIEF_MS:
            self.relieve(agent, now)
        if agent.act_first < agent.act_last:
            self.start_activity(agent, now)
            return True
        if agent.owed > 0:
            if self.may_rest(group, agent.post):
                self.start_rest(agent, now)
                return True
            return False
        agent.due_ms = agent.planned_ms
        return False

    def stays_to_serve_out(self, post: Post, now: int) -> bool:
        """After closing, where the queue is served out, an agent stays while somebody waits for their post."""
        if not post.n_waiting or self.world.clock.at_close != w.SERVE_OUT or self.always_open:
            return False
        if self.doors.are_open(now):
            return False
        if self.is_mixed or self.offers:
            return self.next_live(post, now) is not None
        return self.next_in_line(post.lines, now) is not None

    def may_rest(self, group: Group, post: Post) -> bool:
        """Service is protected: not too many of the group at once, not while too many wait for the post."""
        if group.resting + 1 > max(1.0, self.levers.rest_share * group.signed_on):
            return False
        return bool(post.n_waiting <= self.levers.rest_queue)

    def start_rest(self, agent: Agent, now: int) -> None:
        """Recovery."""
        length, agent.owed = agent.owed, 0
        agent.spell.rest_ms += length
        agent.group.resting += 1
        self.keep(agent, REST, now, length)

    def start_activity(self, agent: Agent, now: int) -> None:
        """A break, lunch, work off the phone, or a decompression block; full length even if it starts late."""
        staffing, spell = self.staffing, agent.spell
        act = agent.act_first
        agent.act_first += 1
        self.started[act] = now
        if staffing.act_post[act] >= 0:
            agent.post = self.posts[staffing.act_post[act]]
        length, kind = staffing.act_length_ms[act], staffing.act_kind[act]
        if kind == w.BREAK:
            spell.break_ms += length
        elif kind == w.LUNCH:
            spell.lunch_ms += length
        elif kind == w.OFFLINE:
            spell.offline_ms += length
        else:
            spell.decompression_ms += length
        if not staffing.act_paid[act]:
            spell.unpaid_ms += length
        self.keep(agent, AWAY, now, length)

    def leave_idle(self, agent: Agent, now: int) -> None:
        """Somebody idle is not to be called any more."""
        idle = agent.group.idle
        if self.by_load:
            idle[:] = [entry for entry in idle if entry[-1] is not agent]
            heapify(idle)
        else:
            idle.remove(agent)
        self.settle(agent, now, agent.group.half_life_ms)

    def next_of_all(self, agent: Agent, group: Group, now: int) -> Waiting | None:
        """Whom somebody takes who is free: deferred work first as far as people are reserved for it, then the next."""
        post = agent.post
        if agent.leaving or group.to_leave:
            return self.next_live(post, now)
        if post.n_deferred and rules.is_reserved(group.reserved, group.signed_on, group.on_deferred):
            waiting = self.next_in_line(post.deferred, now)
            if waiting is not None:
                return waiting
        return self.next_in_line(post.lines, now) if post.n_waiting or post.n_deferred else None

    def next_live(self, post: Post, now: int) -> Waiting | None:
        """The best of those who wait on the line, who have not been promised a call-back: nobody else is served out."""
        best: Waiting | None = None
        key = (0, 0, 0)
        for line, priority, delay in (*post.calls, *post.chats):
            first = next((x for x in line if x.still and x.called_from > now), None)
            if first is None or now - first.reach_ms < delay:
                continue
            mine = priority, first.reach_ms, first.row
            if best is None or mine < key:
                best, key = first, mine
        return best

    def next_in_line(self, lines: Lines, now: int) -> Waiting | None:
        """The best waiting contact of these lines: priority, then longest wait."""
        best: Waiting | None = None
        best_priority = 0
        for line, priority, delay in lines:
            while line and not line[0].still:
                line.popleft()
            if not line:
                continue
            if best is not None and priority > best_priority:
                break
            first = line[0]
            if now - first.reach_ms < delay:
                continue
            if best is None or (first.reach_ms, first.row) < (best.reach_ms, best.row):
                best, best_priority = first, priority
        return best

    # --- the timetable --------------------------------------------------------------------------------------------

    def shift_starts(self, shift: int, now: int) -> None:
        """Somebody comes to work, or does not."""
        agent = self.agents[self.staffing.agent[shift]]
        if agent.status != OFF or now >= self.staffing.end_ms[shift]:
            self.absent[shift] = 1
            return
        self.ease(agent, self.staffing.day[shift])
        group = agent.group
        absence = rules.p_absent(self.b, group.absence, agent.exhaustion, group.exhaustion)
        if self.people.absent[shift] < absence:
            self.absent[shift] = 1
            return
        agent.act_first = agent.act_last = self.staffing.act_from[shift]
        agent.planned_ms = self.planned_first[shift]
        agent.post = self.first_post(agent, shift, now)
        self.sign_on(agent, shift, now)

    def first_post(self, agent: Agent, shift: int, now: int) -> Post:
        """The post from the start of the shift; of somebody who comes later, the one by now."""
        staffing = self.staffing
        post = staffing.shift_post[shift]
        for act in range(staffing.act_from[shift], staffing.act_from[shift + 1]):
            if staffing.act_ms[act] < now and staffing.act_post[act] >= 0:
                post = staffing.act_post[act]
        return agent.group if post < 0 else self.posts[post]

    def ease(self, agent: Agent, day: int) -> None:
        """Exhaustion eases day by day."""
        days = day - agent.exhaustion_day
        if days > 0:
            agent.exhaustion = rules.exhaustion_next(self.b, agent.exhaustion, days, 0.0)
            agent.exhaustion_day = day

    def sign_on(self, agent: Agent, shift: int, now: int) -> None:
        """At work; load has eased since the last time."""
        agent.spell = Spell(len(self.spells), agent.number, shift, now, agent.exhaustion)
        self.spells.append(agent.spell)
        agent.load = rules.decayed(agent.load, now - agent.load_at, self.b.off_half_life_ms)
        agent.load_at = now
        agent.spell.load_taken = agent.load
        agent.shift = shift
        agent.leaving = False
        agent.due_ms = 0
        agent.owed = 0
        agent.group.signed_on += 1
        agent.until = now
        self.now_idle(agent.group, now)
        self.what_next(agent, agent.group, now)

    def relieve(self, agent: Agent, now: int) -> None:
        """After eight hours somebody fresh takes an anonymous person's place, headset and all."""
        self.ends(agent, now)
        agent.spell = Spell(len(self.spells), agent.number, -1, now, agent.exhaustion)
        self.spells.append(agent.spell)
        agent.load = 0.0
        agent.owed = 0

    def activity_due(self, act: int, now: int) -> None:
        """A break or other activity is due: at once if idle, else after what is being done."""
        shift = self.shift_of_act[act]
        agent = self.agents[self.staffing.agent[shift]]
        if agent.shift != shift or agent.status == OFF:
            return
        if agent.act_first == agent.act_last:
            agent.act_first = act
        agent.act_last = act + 1
        agent.due_ms, agent.planned_ms = 0, self.planned_after[act]
        self.now_idle(agent.group, now)
        if agent.status == IDLE:
            self.leave_idle(agent, now)
            self.what_next(agent, agent.group, now)

    def shift_ends(self, shift: int, now: int) -> None:
        """Home at once if idle, else after the contact in progress."""
        agent = self.agents[self.staffing.agent[shift]]
        if agent.shift != shift or agent.status == OFF:
            return
        self.now_idle(agent.group, now)
        if agent.status == IDLE:
            self.leave_idle(agent, now)
            self.sign_off(agent, now)
        else:
            agent.leaving, agent.due_ms = True, 0

    def capacity_changes(self, slot: int, now: int) -> None:
        """Anonymous capacity: one more, or one fewer as soon as somebody is free."""
        group = self.groups[self.staffing.slot_group[slot]]
        if self.staffing.slot_change[slot] > 0:
            agent = group.spare.pop()
            self.ease(agent, now // DAY_MS)
            self.sign_on(agent, -1, now)
            return
        self.now_idle(group, now)
        if group.idle:
            leaver = group.take()
            self.settle(leaver, now, group.half_life_ms)
            self.sign_off(leaver, now)
        else:
            group.to_leave += 1

    def ends(self, agent: Agent, now: int) -> None:
        """A spell is over."""
        spell = agent.spell
        spell.off_ms, spell.load_end = now, agent.load
        spell.load_area = rules.load_area(spell.load_taken, agent.load, agent.group.half_life_ms)

    def sign_off(self, agent: Agent, now: int) -> None:
        """Gone; what is left of the load feeds exhaustion."""
        self.ends(agent, now)
        agent.exhaustion = rules.exhaustion_next(self.b, agent.exhaustion, 0, agent.load)
        agent.status = OFF
        agent.leaving = False
        agent.shift = -1
        agent.group.signed_on -= 1
        if not self.staffing.agent:
            agent.group.spare.append(agent)

    def is_staffed(self, line: Line) -> bool:
        """Whether anybody signed on serves the line, at the post they have or come back to."""
        if self.rotates:
            return any(agent.status != OFF and agent.post in line.served_by for agent in self.agents)
        return any(group.signed_on for group, _ in line.order)

    def doors_close(self, _: int, now: int) -> None:
        """Those for whom nobody is there any more, or everybody if the house says so, are sent away."""
        for line in self.lines:
            if self.world.clock.at_close == w.SERVE_OUT and self.is_staffed(line):
                continue
            if line.channel == w.DEFERRED:
                continue
            called = [waiting for waiting in line.waiting if waiting.still and waiting.called_from <= now]
            for waiting in line.waiting:
                if waiting.still and waiting.called_from > now:
                    self.out_of_line(waiting)
                    self.note(waiting.contact, waiting.flags, r.CLOSED, waiting.reach_ms)
                    self.c.end_ms[waiting.row] = now
            line.waiting.clear()
            line.waiting.extend(called)


def simulate(world: World, draws: Draws) -> Records:
    """One replication, in SimPy."""
    with _no_cycles():
        return Model(world, draws).run()
