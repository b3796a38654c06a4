"""The centre as a SimPy model: a customer arrives, meets the bot, waits, is served or leaves, and may come back.

Written in handlers, one per kind of event, to be read from top to bottom as the story. All chance was drawn
beforehand (`draws`), all meaning lives in `rules`; here are only the order of things and the containers. Simultaneous
events happen in the order (time, kind, id), which is part of the model. What is known beforehand (shifts, breaks,
closing, and whom the bot lets through when: see `front`) is one sorted programme of which the next moment is awaited.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import Any

import numpy as np
import simpy

from sim import draws as d
from sim import front, rules
from sim import records as r
from sim import world as w
from sim.draws import Draws
from sim.records import Records
from sim.world import DAY_MS, World

(
    ABANDON, SIGN_ON, CAPACITY, ACTIVITY, SIGN_OFF, FREE, ARRIVE, RETURN, REACH, OVERFLOW, CLOSE,
) = range(1, 12)  # fmt: skip
OFF, IDLE, BUSY, REST, AWAY = range(5)

Handlers = list[Callable[[Any], None]]
Planned = tuple[int, Callable[[int, int], None], int, int, int]
"""When, what, to whom; then the rank of the next and how much later it is, 0 and 0 for the last."""


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


class Moment(simpy.Event):
    """Something that happens to somebody; it succeeds, nobody waits for its value, and it may be scheduled again."""

    _ok = True
    _value = None

    def __init__(self, then: Handlers, who: Any) -> None:
        self.callbacks = then
        self.who = who


class Group:
    """People with the same skills: who of them is idle, and who waits for them."""

    __slots__ = (
        "absence", "empathy", "exhaustion", "half_life_ms", "idle", "lines", "n_waiting", "resting", "signed_on",
        "spare", "to_leave",
    )  # fmt: skip

    def __init__(self, empathy: float, absence: float, exhaustion: float, half_life_ms: float) -> None:
        self.empathy, self.absence, self.exhaustion = empathy, absence, exhaustion
        self.half_life_ms = half_life_ms
        """Of load while handling or idle."""
        self.idle: Any = deque()
        """Of (agent, stamp), or a heap of (load key, since, number, stamp, agent) where the least loaded goes first."""
        self.lines: list[tuple[deque[int], int, int]] = []
        """(who waits, priority, delay) of the queues that the group serves, the first ones first."""
        self.n_waiting = self.resting = self.signed_on = self.to_leave = 0
        self.spare: list[Agent] = []


class Line:
    """A queue: who waits in it, and who may serve it."""

    __slots__ = ("at_once", "order", "rows", "served_by", "waits")

    def __init__(self, order: list[tuple[Group, int]]) -> None:
        self.order = order
        """(group, delay) in the order in which a contact prefers them."""
        self.at_once = [group for group, delay in order if delay <= 0]
        self.waits = list(dict.fromkeys(delay for _, delay in order if delay > 0))
        """After which further groups help."""
        self.rows: deque[int] = deque()
        """Contacts by the time they came, with some at the front who are gone."""
        self.served_by: list[Group] = []


class Agent:
    """Somebody at work, or not."""

    __slots__ = (
        "absorption", "act_first", "act_last", "exhaustion", "exhaustion_day", "gain", "group", "leaving", "load",
        "load_at", "next", "number", "on_phone", "owed", "rank", "shift", "since", "spell", "stamp", "status",
        "until",
    )  # fmt: skip

    def __init__(self, number: int, group: Group, absorption: float) -> None:
        self.number, self.group, self.absorption = number, group, absorption
        self.exhaustion, self.exhaustion_day = group.exhaustion, 0
        self.status, self.shift, self.leaving = OFF, -1, False
        self.since = self.until = self.load_at = 0
        self.stamp = 0
        """Changes whenever somebody stops being idle, so that an old place among the idle is known as such."""
        self.load = self.gain = 0.0
        self.owed = self.act_first = self.act_last = 0
        self.spell = Spell(-1, -1, 0, 0.0)
        self.on_phone: list[tuple[float, float, float]] = []
        """For each type: speed, and what the group gives to the log-odds of being heard and of resolving."""
        self.next = Moment([], self)
        """The end of what they are doing."""
        self.rank = FREE << 23 | number


class Spell:
    """From signing on to signing off; becomes a line of `records.Spells`."""

    __slots__ = r.Spells._fields

    def __init__(self, agent: int, shift: int, on_ms: int, exhaustion: float) -> None:
        self.agent, self.shift, self.on_ms, self.exhaustion = agent, shift, on_ms, exhaustion
        self.off_ms = self.talk_ms = self.acw_ms = self.idle_ms = self.rest_ms = self.contacts = 0
        self.break_ms = self.lunch_ms = self.offline_ms = self.decompression_ms = self.unpaid_ms = 0
        self.over_ms = self.due_ms = 0
        self.load_area = self.load_end = 0.0


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
        self.env: Any = simpy.Environment(initial_time=0)
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
        reaching, intensity = front.reaching(world, draws, self.doors, self.contacts)
        self.rows = _quick(rows, _view_if_flat)
        self.need_of, self.type_of = self.rows.need, _view(needs.type[rows.need])
        self.intensity_of = intensity.tolist()
        self.tier = bytearray(len(needs.type))
        self.vulnerable, self.keyword = _view(needs.vulnerable), _view(needs.keyword)
        self.difficulty = _view(needs.difficulty)

        self._of_types(world, needs.type[rows.need], rows)
        self._of_endings()
        self._groups_and_lines(world)
        self._agents(world, draws)
        self.line_of: list[Line] = [self.lines[0]] * n_rows if self.lines else []
        self.n_waiting = 0
        self.spells: list[Spell] = []
        self.absent = np.zeros(len(world.staffing.agent), np.int64)

        self.when_next: Handlers = [self.programme_moment]
        self.when_returning: Handlers = [self.returning]
        self.when_handed_over: Handlers = [self.handed_over]
        self.when_impatient: Handlers = [self.loses_patience]
        self.when_overflowing: Handlers = [self.overflows]
        self.when_contact_over: Handlers = [self.contact_over]
        self.when_pause_over: Handlers = [self.pause_over]
        self.programme = self._programme(reaching)

    def _of_types(self, world: World, kind: Any, rows: d.Rows) -> None:
        types, levers = world.types, world.levers
        self.n_types = len(types.talk_cv)
        self.talk_ms: list[list[float]] = types.talk_ms.tolist()
        self.patience_ms: list[list[float]] = types.patience_ms.tolist()
        self.target_ms, self.cut = levers.target_ms.tolist(), levers.cut.tolist()
        interval = self.contacts.arrive_ms % DAY_MS // self.interval_ms
        self.talk = _view(rows.talk_unit * types.talk_ms[kind, interval])
        self.patience = _view(rows.patience_unit * types.patience_ms[kind, interval])
        self.acw = _view(rows.acw_unit * types.acw_ms[kind])
        self.scripts, self.has_rest = levers.scripts, levers.rest_ms > 0
        self.rest_on_type = levers.rest_on_type.tolist()
        self.strained = [1 if levers.scripts or target > 0 else 0 for target in self.target_ms]
        self.heard_by_bot = front.heard_by_bot(world)

    def _of_endings(self) -> None:
        b = self.b
        self.p_return = [rules.p_return(b, ending) for ending in range(4)]
        self.p_escalate = [rules.p_escalate(b, ending) for ending in range(4)]

    def _groups_and_lines(self, world: World) -> None:
        of, routing = world.groups, world.routing
        half_life = [rules.half_life_on_queue(self.b, rest) for rest in self.staffing.unseen_rest]
        self.groups = [
            Group(*traits)
            for traits in zip(
                of.empathy.tolist(), of.absence.tolist(), of.exhaustion.tolist(), half_life, strict=True
            )
        ]
        self.lines = [
            Line([(self.groups[g], wait) for g, wait in zip(order, delay, strict=True) if g >= 0])
            for order, delay in zip(routing.order.tolist(), routing.delay.tolist(), strict=True)
        ]
        for g, group in enumerate(self.groups):
            queues = [q for q in routing.queues[g].tolist() if q >= 0]
            for q in queues:
                self.lines[q].served_by.append(group)
            # A flagged queue that no detector feeds is not worth a look.
            fed = [q for q in queues if q // self.n_types != w.FLAGGED or self.rows.detect]
            lines = [
                (self.lines[q].rows, int(routing.priority[g, q]), int(routing.delay_of_group[q, g]))
                for q in fed
            ]
            group.lines = sorted(lines, key=lambda line: line[1])
            group.idle = [] if routing.by_load else deque()
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
        traits = zip(self.staffing.group_of, *(column.tolist() for column in draws.people[:2]), strict=True)
        for number, (g, speed, absorption) in enumerate(traits):
            agent = Agent(number, self.groups[g], absorption)
            agent.on_phone = [(speed * on_type, heard, resolved) for on_type, heard, resolved in on_phone[g]]
            self.agents.append(agent)
        for agent in reversed(self.agents):
            agent.group.spare.append(agent)

    # --- the clock ------------------------------------------------------------------------------------------------

    def after(self, delay: int, kind: int, who: int, then: Handlers) -> None:
        """Let something happen to `who` in `delay` ms; ties go by kind, then by `who`."""
        self.schedule(Moment(then, who), kind << 23 | who, delay)

    def run(self) -> Records:
        """Run all simulated days and hand over the records."""
        _, _, _, rank, delay = next(self.programme)
        if rank:
            self.schedule(Moment(self.when_next, None), rank, delay)
        if self.stop_ms > 0:
            with _no_cycles():
                self.env.run(until=self.stop_ms)
        for agent in self.agents:
            if agent.status != OFF:
                self.sign_off(agent, self.stop_ms)
        return Records(self.contacts, r.of_spells(self.spells), self.absent)

    def _programme(self, reaching: front.Reaching) -> Iterator[Planned]:
        """All that is known beforehand, in order."""
        staffing, clock = self.world.staffing, self.world.clock
        attempt = np.where(reaching.row < len(self.tier), ARRIVE, RETURN)
        parts: list[tuple[Any, Any, Any]] = [
            (reaching.when, np.where(reaching.from_bot, REACH, attempt), reaching.row)
        ]
        lists = (
            (staffing.start_ms + self.people.late_ms, SIGN_ON), (staffing.end_ms, SIGN_OFF),
            (staffing.act_ms, ACTIVITY), (staffing.slot_ms, CAPACITY), (clock.close_ms, CLOSE),
        )  # fmt: skip
        for whens, what in lists:
            who = np.flatnonzero(whens < min(clock.stop_ms, w.NEVER))
            if what != CLOSE or not clock.always_open:
                parts.append((whens[who], np.full(len(who), what), who))
        when, kind, who = (np.concatenate(column) for column in zip(*parts, strict=True))
        rank = kind << 23 | who
        order = np.lexsort((rank, when))
        self.shift_of_act = np.repeat(np.arange(len(staffing.agent)), np.diff(staffing.act_from)).tolist()
        handlers = {
            SIGN_ON: self.shift_starts, SIGN_OFF: self.shift_ends, ACTIVITY: self.activity_due,
            CAPACITY: self.capacity_changes, CLOSE: self.doors_close, ARRIVE: self.reach, RETURN: self.reach,
            REACH: self.reach,
        }  # fmt: skip
        when, rank, kind, who = when[order], rank[order], kind[order], who[order]
        return zip(
            [0, *when.tolist()],
            map(handlers.__getitem__, [CLOSE, *kind.tolist()]),
            [0, *who.tolist()],
            [*rank.tolist(), 0],
            np.diff(when, prepend=0, append=when[-1:]).tolist(),
            strict=True,
        )

    def programme_moment(self, moment: Moment) -> None:
        """Something known beforehand happens, and the next such thing is awaited."""
        now, happens, who, rank, delay = next(self.programme)
        if rank:
            moment.callbacks = self.when_next
            self.schedule(moment, rank, delay)
        happens(who, now)

    # --- customers ------------------------------------------------------------------------------------------------

    def returning(self, moment: Moment) -> None:
        """Somebody calls again, or is put through to somebody else."""
        self.arrive(moment.who, self.env.now)

    def arrive(self, row: int, now: int) -> None:
        """A contact starts: with the bot, where one is offered and up, or with people."""
        c, rows = self.c, self.rows
        need = rows.need[row]
        c.arrive_ms[row] = now
        interval = now % DAY_MS // self.interval_ms
        kind = self.type_of[row]
        self.talk[row] = rows.talk_unit[row] * self.talk_ms[kind][interval]
        self.patience[row] = rows.patience_unit[row] * self.patience_ms[kind][interval]
        fate = d.NO_BOT
        if not self.tier[need]:
            fate = rows.fate[row]
            if fate != d.NO_BOT and not front.bot_is_up(self.world.bot, kind, now):
                fate = d.NO_BOT
        if fate == d.NO_BOT:
            self.reach(row, now)
            return
        c.bot_ms[row] = bot_ms = rows.bot_ms[row]
        if rows.refused[row]:
            c.flags[row] |= r.REFUSED
            self.stir(need, self.b.bot_loop_intensity)
        c.intensity[row] = self.intensity_of[need]
        if fate == d.HANDED_OVER:
            c.outcome[row] = r.IN_BOT
            if not rows.context[row]:
                c.flags[row] |= r.REPEATS
            self.after(bot_ms, REACH, row, self.when_handed_over)
        elif fate == d.HUNG_UP:
            c.outcome[row] = r.HUNG_UP
            c.end_ms[row] = now + bot_ms
            self.gives_up(row, need, now + bot_ms, now)
        else:
            self.ends_in_bot(row, need, now + bot_ms, fate == d.CONTAINED, now)

    def stir(self, need: int, more: float) -> None:
        """The customer gets more upset."""
        self.intensity_of[need] = min(1.0, self.intensity_of[need] + more)

    def ends_in_bot(self, row: int, need: int, end: int, resolved: bool, now: int) -> None:
        """The log says contained; whether it is, the customer knows."""
        b, c = self.b, self.c
        base = self.heard_by_bot[self.type_of[row]]
        heard = rules.p_heard(b, base, self.intensity_of[need], 0.0, 0.0, 0.0, 0, 0)
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
            self.returns(row, need, end, now)

    def handed_over(self, moment: Moment) -> None:
        """The bot lets go, or the house calls back."""
        self.reach(moment.who, self.env.now)

    def reach(self, row: int, now: int) -> None:
        """A contact reaches the people's queue: an agent at once, a place in the line, or neither."""
        c = self.c
        need, kind = self.need_of[row], self.type_of[row]
        c.reach_ms[row] = now
        c.intensity[row] = self.intensity_of[need]
        if not self.always_open and not self.doors.are_open(now):
            self.out_of_hours(row, now)
            return
        line = self.line_of[row] = self.line_for(row, need, kind)
        for group in line.at_once:
            if group.idle:
                agent = self.take_idle(group)
                if agent is not None:
                    self.stop_idling(agent, now)
                    self.answer(row, agent, now)
                    return
        called_back = c.flags[row] & r.CALLED_BACK
        if 0 < self.max_queue <= self.n_waiting and not called_back:
            c.outcome[row] = r.TURNED_AWAY
            c.end_ms[row] = now
            self.gives_up(row, need, now, now)
            return
        patience = float(w.NEVER) if called_back else self.patience[row]
        if patience <= 0.0:
            self.leave(row, now)
            return
        c.outcome[row] = r.WAITING
        line.rows.append(row)
        self.n_waiting += 1
        for group in line.served_by:
            group.n_waiting += 1
        if patience < self.stop_ms - now:
            self.after(int(patience), ABANDON, row, self.when_impatient)
        for wait in line.waits:
            self.after(wait, OVERFLOW, row, self.when_overflowing)

    def line_for(self, row: int, need: int, kind: int) -> Line:
        """Second tier for escalations; the flagged queue where a detector hears something; else the ordinary one."""
        if self.tier[need]:
            self.c.flags[row] |= r.TIER_TWO
            return self.lines[w.SECOND_TIER * self.n_types + kind]
        if self.rows.detect and self.is_flagged(row, need, kind):
            return self.lines[w.FLAGGED * self.n_types + kind]
        return self.lines[kind]

    def is_flagged(self, row: int, need: int, kind: int) -> bool:
        """Whether a detector hears something, rightly or wrongly."""
        c, ears = self.c, self.world.detectors
        flagged = False
        for k, us in enumerate(self.rows.detect):
            if not ears.listens[k, kind]:
                continue
            there = rules.sees(
                int(ears.target[k]), float(ears.above[k]), self.intensity_of[need], self.vulnerable[need],
                self.keyword[need],
            )  # fmt: skip
            if there and us[row] < ears.sensitivity[k]:
                c.flags[row] |= r.FLAG_RIGHT
                flagged = True
            elif there:
                c.flags[row] |= r.FLAG_MISSED
            elif us[row] < 1.0 - ears.specificity[k]:
                c.flags[row] |= r.FLAG_WRONG
                flagged = True
        return flagged

    def out_of_hours(self, row: int, now: int) -> None:
        """Nobody is there: a call-back in the first hour of the next opening, or lost."""
        c = self.c
        if self.world.clock.out_of_hours != w.CALL_BACK:
            c.outcome[row] = r.CLOSED
            c.end_ms[row] = now
            return
        c.outcome[row] = r.WAITING
        when = self.doors.calls_back(now, self.rows.call_back_ms[row])
        if when >= 0:
            c.flags[row] |= r.CALLED_BACK
            self.after(when - now, REACH, row, self.when_handed_over)

    def loses_patience(self, moment: Moment) -> None:
        """The customer has waited as long as they will."""
        row = moment.who
        if self.c.outcome[row] == r.WAITING:
            self.out_of_line(row)
            self.leave(row, self.env.now)

    def out_of_line(self, row: int) -> None:
        """One fewer is waiting; the line itself forgets later."""
        line = self.line_of[row]
        self.n_waiting -= 1
        for group in line.served_by:
            group.n_waiting -= 1

    def leave(self, row: int, now: int) -> None:
        """Abandoned: some call again soon, the others are gone."""
        self.c.outcome[row] = r.ABANDONED
        self.c.end_ms[row] = now
        self.gives_up(row, self.need_of[row], now, now)

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
            when = self.doors.when_answered(when, self.rows.call_back_ms[row])
        self.again(row, when, now)

    def again(self, row: int, when: int, now: int) -> None:
        """The next attempt of a journey."""
        if row < 0:
            raise RuntimeError("a journey goes on for which nothing was drawn")
        if when < self.stop_ms:
            self.after(when - now, RETURN, row, self.when_returning)

    def returns(self, row: int, need: int, end: int, now: int) -> None:
        """By how it ended, the customer comes back after a while, more upset."""
        self.c.flags[row] |= r.RETURNS
        self.stir(need, self.b.return_intensity)
        self.tier[need] = 0
        self.comes_back(self.rows.next[row], end + self.rows.return_ms[row], now)

    def overflows(self, moment: Moment) -> None:
        """Waited long enough for another group to help."""
        row = moment.who
        if self.c.outcome[row] != r.WAITING:
            return
        now = self.env.now
        agent = self.find_agent(self.line_of[row], now - self.c.reach_ms[row])
        if agent is not None:
            self.out_of_line(row)
            self.stop_idling(agent, now)
            self.answer(row, agent, now)

    # --- a conversation -------------------------------------------------------------------------------------------

    def answer(self, row: int, agent: Agent, now: int) -> None:
        """An agent takes a contact: how long it will take, how it will end, what it leaves behind."""
        b, c, rows = self.b, self.c, self.rows
        need, kind = self.need_of[row], self.type_of[row]
        group, spell, load = agent.group, agent.spell, agent.load
        speed, heard_base, resolved_base = agent.on_phone[kind]
        intensity, empathy = self.intensity_of[need], group.empathy
        flags = c.flags[row]

        talk = self.talk[row] * rules.talk_factor(
            b, speed, load, now - spell.on_ms, intensity, empathy, self.scripts
        )
        repeats = 0
        if flags & r.REPEATS:
            talk += b.handover_ms
            repeats = 1
        acw = self.acw[row] * speed
        full = talk + acw
        cut = 0.0
        if group.n_waiting:
            cut = talk * rules.hurried_share(b, group.n_waiting)
        if self.target_ms[kind] > 0.0:
            cut += self.cut[kind] * rules.over_target(full - cut, self.target_ms[kind])
        unmet = 0.0
        if cut > 0.0:
            unmet = rules.unmet_share(b, cut, full)
            talk = talk - cut
            if talk < 0.0:
                acw = max(0.0, acw + talk)
                talk = 0.0
        talk_ms = int(talk + 0.5) or 1
        acw_ms = int(acw + 0.5)
        end = now + talk_ms

        wait_ms = now - c.reach_ms[row]
        heard = rules.p_heard(b, heard_base, intensity, empathy, unmet, load, repeats, wait_ms)
        goes_on = rows.attempt[row] + 1 < b.max_attempts
        if cut > 0.0 and goes_on and rules.is_passed_on(b, cut, full, rows.passed_on[row]):
            c.flags[row] = flags | r.PASSED_ON
            self.tier[need] = 1
            self.again(rows.next[row], end, now)
        else:
            log_odds = rules.resolved_odds(b, resolved_base, self.difficulty[need], unmet, load)
            if_heard = if_not = rules.odds(log_odds)
            if rules.unsafe(b, self.vulnerable[need], intensity):
                if_not = rules.odds(log_odds + b.resolved_not_heard)
            c.if_heard[row] = if_heard
            c.if_not[row] = if_not
            was_heard = rows.heard[row] < heard
            ending = rules.ending_of(rows.resolved[row] < (if_heard if was_heard else if_not), was_heard)
            c.ending[row] = ending
            if rows.escalates[row] < self.p_escalate[ending] and goes_on:
                c.flags[row] = flags | r.ESCALATED
                self.tier[need] = 1
                self.again(rows.next[row], end, now)
            elif rows.returns[row] < self.p_return[ending] and goes_on:
                self.returns(row, need, end, now)

        agent.gain = rules.load_gained(b, intensity, talk_ms, agent.absorption, self.strained[kind])
        if self.has_rest:
            self.rest_falls_due(row, agent, kind, intensity, talk_ms + acw_ms)
        c.outcome[row] = r.ANSWERED
        c.end_ms[row] = now
        c.agent[row] = agent.number
        c.talk_ms[row] = talk_ms
        c.acw_ms[row] = acw_ms
        c.full_ms[row] = int(full + 0.5)
        c.load[row] = load
        c.unmet[row] = unmet
        c.heard[row] = heard
        spell.talk_ms += talk_ms
        spell.acw_ms += acw_ms
        spell.contacts += 1
        self.keep(agent, BUSY, now, talk_ms + acw_ms, self.when_contact_over)

    def rest_falls_due(self, row: int, agent: Agent, kind: int, intensity: float, handle_ms: int) -> None:
        """What can be seen of a contact may make a recovery pause due."""
        b, levers = self.b, self.levers
        n = self.rest_on_type[kind]
        if 0 < levers.rest_over_ms < handle_ms:
            n += 1
        if levers.rest_on_flag and self.c.flags[row] & (r.FLAG_RIGHT | r.FLAG_WRONG):
            n += 1
        if levers.rest_on_button and intensity > b.intense_above and self.rows.button[row] < b.button_uptake:
            n += 1
        if intensity > levers.rest_on_intensity:
            n += 1
        due = rules.rest_due(n, levers.rest_ms, levers.rest_hardest_ms)
        if due:
            self.c.flags[row] |= r.REST_DUE
            agent.spell.due_ms += due
            room = levers.rest_budget_ms - agent.spell.rest_ms - agent.owed
            agent.owed += max(0, min(due, room))

    # --- agents ---------------------------------------------------------------------------------------------------

    def settle(self, agent: Agent, now: int, half_life_ms: float) -> None:
        """Bring the agent's load up to now, and account for it."""
        before, elapsed = agent.load, now - agent.load_at
        agent.load_at = now
        if before and elapsed:
            agent.load = after = rules.decayed(before, elapsed, half_life_ms)
            agent.spell.load_area += rules.load_area(before, after, half_life_ms)
            if before > self.b.load_threshold:
                agent.spell.over_ms += rules.time_over(before, elapsed, half_life_ms, self.b.load_threshold)

    def keep(self, agent: Agent, status: int, now: int, length: int, then: Handlers) -> None:
        """Something keeps the agent for a while."""
        agent.status = status
        agent.until = now + length
        agent.next.callbacks = then
        self.schedule(agent.next, agent.rank, length)

    def contact_over(self, moment: Moment) -> None:
        """Talk and after-contact work are done."""
        agent = moment.who
        now = agent.until
        self.settle(agent, now, agent.group.half_life_ms)
        agent.load += agent.gain
        self.free(agent, now)

    def pause_over(self, moment: Moment) -> None:
        """A recovery pause, a break or an activity is done."""
        agent = moment.who
        now = agent.until
        self.settle(agent, now, self.b.rest_half_life_ms)
        if agent.status == REST:
            agent.group.resting -= 1
        self.free(agent, now)

    def free(self, agent: Agent, now: int) -> None:
        """What next: home, a break that is due, recovery, the next customer, or idle."""
        group = agent.group
        if agent.leaving or group.to_leave:
            if not self.stays_to_serve_out(group, now):
                if not agent.leaving:
                    group.to_leave -= 1
                self.sign_off(agent, now)
                return
        else:
            if agent.shift < 0 and now - agent.spell.on_ms >= w.RELIEF_MS:
                self.relieve(agent, now)
            if agent.act_first < agent.act_last:
                self.start_activity(agent, now)
                return
            if agent.owed > 0 and self.may_rest(group):
                self.start_rest(agent, now)
                return
        row = self.next_in_line(group, now) if group.n_waiting else -1
        if row >= 0:
            self.out_of_line(row)
            self.answer(row, agent, now)
        else:
            self.go_idle(agent, now)

    def stays_to_serve_out(self, group: Group, now: int) -> bool:
        """After closing, where the queue is served out, an agent stays while somebody waits for the group."""
        if not group.n_waiting or self.world.clock.at_close != w.SERVE_OUT or self.always_open:
            return False
        return not self.doors.are_open(now) and self.next_in_line(group, now) >= 0

    def may_rest(self, group: Group) -> bool:
        """Service is protected: not too many at once, not while too many wait."""
        if group.resting >= max(1.0, self.levers.rest_share * group.signed_on):
            return False
        return bool(group.n_waiting <= self.levers.rest_queue)

    def start_rest(self, agent: Agent, now: int) -> None:
        """Recovery."""
        length, agent.owed = agent.owed, 0
        agent.spell.rest_ms += length
        agent.group.resting += 1
        self.keep(agent, REST, now, length, self.when_pause_over)

    def start_activity(self, agent: Agent, now: int) -> None:
        """A break, lunch, work off the phone, or a decompression block; full length even if it starts late."""
        staffing, spell = self.staffing, agent.spell
        act = agent.act_first
        agent.act_first += 1
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
        self.keep(agent, AWAY, now, length, self.when_pause_over)

    def go_idle(self, agent: Agent, now: int) -> None:
        """Ready, and waiting for somebody."""
        agent.status = IDLE
        agent.since = now
        if self.by_load:
            key = rules.idle_key(agent.load, now, agent.group.half_life_ms)
            heappush(agent.group.idle, (key, now, agent.number, agent.stamp, agent))
        else:
            agent.group.idle.append((agent, agent.stamp))

    def stop_idling(self, agent: Agent, now: int) -> None:
        """Account for the time spent ready."""
        agent.spell.idle_ms += now - agent.since
        self.settle(agent, now, agent.group.half_life_ms)
        agent.status = AWAY
        agent.stamp += 1

    def find_agent(self, line: Line, waited: int) -> Agent | None:
        """The best free agent: the contact's preference of groups, then longest idle (or least loaded)."""
        for group, delay in line.order:
            if delay <= waited:
                agent = self.take_idle(group)
                if agent is not None:
                    return agent
        return None

    def take_idle(self, group: Group) -> Agent | None:
        """The first idle agent of the group, if there is one."""
        idle = group.idle
        while idle:
            if self.by_load:
                _, _, _, stamp, agent = heappop(idle)
            else:
                agent, stamp = idle.popleft()
            if agent.stamp == stamp:
                return agent  # type: ignore[no-any-return]
        return None

    def next_in_line(self, group: Group, now: int) -> int:
        """The best waiting contact for this group: priority, then longest wait; -1 for none."""
        outcome, reach_ms = self.c.outcome, self.c.reach_ms
        best, best_priority, best_reach = -1, 0, 0
        for rows, priority, delay in group.lines:
            while rows and outcome[rows[0]] != r.WAITING:
                rows.popleft()
            if not rows:
                continue
            if best >= 0 and priority > best_priority:
                break
            row = rows[0]
            reach = reach_ms[row]
            if now - reach < delay:
                continue
            if best < 0 or reach < best_reach or (reach == best_reach and row < best):
                best, best_priority, best_reach = row, priority, reach
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
        self.sign_on(agent, shift, now)

    def ease(self, agent: Agent, day: int) -> None:
        """Exhaustion eases day by day."""
        days = day - agent.exhaustion_day
        if days > 0:
            agent.exhaustion = rules.exhaustion_next(self.b, agent.exhaustion, days, 0.0)
            agent.exhaustion_day = day

    def sign_on(self, agent: Agent, shift: int, now: int) -> None:
        """At work; load has eased since the last time."""
        agent.spell = Spell(agent.number, shift, now, agent.exhaustion)
        self.spells.append(agent.spell)
        agent.load = rules.decayed(agent.load, now - agent.load_at, self.b.off_half_life_ms)
        agent.load_at = now
        agent.shift = shift
        agent.leaving = False
        agent.owed = 0
        agent.group.signed_on += 1
        self.free(agent, now)

    def relieve(self, agent: Agent, now: int) -> None:
        """After eight hours somebody fresh takes an anonymous person's place, headset and all."""
        agent.spell.off_ms = now
        agent.spell.load_end = agent.load
        agent.spell = Spell(agent.number, -1, now, agent.exhaustion)
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
        if agent.status == IDLE:
            self.stop_idling(agent, now)
            self.free(agent, now)

    def shift_ends(self, shift: int, now: int) -> None:
        """Home at once if idle, else after the contact in progress."""
        agent = self.agents[self.staffing.agent[shift]]
        if agent.shift != shift or agent.status == OFF:
            return
        if agent.status == IDLE:
            self.sign_off(agent, now)
        else:
            agent.leaving = True

    def capacity_changes(self, slot: int, now: int) -> None:
        """Anonymous capacity: one more, or one fewer as soon as somebody is free."""
        group = self.groups[self.staffing.slot_group[slot]]
        if self.staffing.slot_change[slot] > 0:
            agent = group.spare.pop()
            self.ease(agent, now // DAY_MS)
            self.sign_on(agent, -1, now)
            return
        leaver = self.take_idle(group)
        if leaver is not None:
            self.sign_off(leaver, now)
        else:
            group.to_leave += 1

    def sign_off(self, agent: Agent, now: int) -> None:
        """Gone; what is left of the load feeds exhaustion."""
        if agent.status == IDLE:
            self.stop_idling(agent, now)
        agent.spell.off_ms = now
        agent.spell.load_end = agent.load
        agent.exhaustion = rules.exhaustion_next(self.b, agent.exhaustion, 0, agent.load)
        agent.status = OFF
        agent.leaving = False
        agent.shift = -1
        agent.group.signed_on -= 1
        if not self.staffing.agent:
            agent.group.spare.append(agent)

    def doors_close(self, _: int, now: int) -> None:
        """Those for whom nobody is there any more, or everybody if the house says so, are sent away."""
        c = self.c
        for line in self.lines:
            if self.world.clock.at_close == w.SERVE_OUT and any(group.signed_on for group, _ in line.order):
                continue
            for row in line.rows:
                if c.outcome[row] == r.WAITING:
                    self.out_of_line(row)
                    c.outcome[row] = r.CLOSED
                    c.end_ms[row] = now
            line.rows.clear()


def simulate(world: World, draws: Draws) -> Records:
    """One replication, in SimPy."""
    return Model(world, draws).run()
