"""The centre as a SimPy model: a customer arrives, meets the bot, waits, is served or leaves, and may come back.

Written in handlers, one per kind of event, to be read from top to bottom as the story. All chance was drawn
beforehand (`draws`), all meaning lives in `rules`; here are only the order of things and the containers. Simultaneous
events happen in the order (time, kind, id), which is part of the model.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import numpy as np
import simpy

from sim import draws as d
from sim import records as r
from sim import rules
from sim import world as w
from sim.draws import Draws
from sim.records import Records
from sim.world import DAY_MS, World

(
    ABANDON, SIGN_ON, CAPACITY, ACTIVITY, SIGN_OFF, FREE, ARRIVE, RETURN, REACH, OVERFLOW, CLOSE,
) = range(1, 12)  # fmt: skip
OFF, IDLE, BUSY, REST, AWAY = range(5)
RELIEF_MS = 8 * w.HOUR_MS


class _Moment(simpy.Event):
    """Something that happens to somebody: a row, an agent, a shift. It succeeds, and nobody waits for its value."""

    _ok = True
    _value = None

    def __init__(self, handler: Callable[[Any], None], who: int) -> None:
        self.callbacks = [handler]
        self.who = who


def _view(array: Any) -> Any:
    """Scalar access at the speed of a list, without a copy."""
    return memoryview(np.ascontiguousarray(array))  # type: ignore[arg-type]


def _table(array: np.ndarray[Any, Any]) -> list[list[Any]]:
    return array.tolist()  # type: ignore[no-any-return]


class Model:
    """One replication of one world. Build, `run`, take the records."""

    def __init__(self, world: World, draws: Draws) -> None:
        w.check(world)
        self.env = simpy.Environment(initial_time=0)
        self.schedule = self.env.schedule
        self.world = world
        self.b = world.behaviour
        self.clock = world.clock
        n_types, n_rows = len(world.types.talk_cv), len(draws.rows.need)
        n_agents, n_groups = len(world.staffing.group_of), len(world.groups.specialist)
        self.n_types = n_types
        self.interval_ms = world.clock.interval_ms

        needs, rows = draws.needs, draws.rows
        self.type_of = _view(needs.type[rows.need])
        self.need_of = _view(rows.need)
        self.vulnerable = _view(needs.vulnerable)
        self.keyword = _view(needs.keyword)
        self.difficulty = _view(needs.difficulty)
        self.birth = _view(needs.birth_ms)
        self.n_needs = len(needs.birth_ms)
        self.intensity_of = needs.intensity.tolist()
        self.tier = [0] * self.n_needs
        columns: list[Any] = [_view(column) if column.ndim == 1 else column for column in rows]
        self.rows = d.Rows(*columns)
        self.detect = [_view(row) for row in rows.detect]

        self.talk_ms = _table(world.types.talk_ms)
        self.patience_ms = _table(world.types.patience_ms)
        types, groups, levers = world.types, world.groups, world.levers
        self.acw_ms = _view(types.acw_ms)
        self.target_ms, self.cut = _view(levers.target_ms), _view(levers.cut)
        self.rest_on_type = _view(levers.rest_on_type)
        self.has_rest, self.scripts = levers.rest_ms > 0, levers.scripts
        self.strained = [1 if levers.scripts or target > 0 else 0 for target in levers.target_ms]
        self.speed_of_group = _table(groups.speed)
        self.empathy = _view(groups.empathy)
        b = self.b
        self.bot_heard = [rules.heard_base(b, float(base), 0.0, 0.0, 1) for base in types.heard]
        self.heard_base = [
            [
                rules.heard_base(
                    b, float(base), float(groups.heard[g]), float(groups.specialist[g]), levers.scripts
                )
                for base in types.heard
            ]
            for g in range(n_groups)
        ]
        self.resolved_base = [
            [
                rules.resolved_base(
                    b, float(base), float(groups.resolved[g]), float(groups.specialist[g]), levers.authority
                )
                for base in types.resolved
            ]
            for g in range(n_groups)
        ]

        self.order = [[g for g in row if g >= 0] for row in _table(world.routing.order)]
        self.delay = _table(world.routing.delay)
        self.delay_of_group = _table(world.routing.delay_of_group)
        self.queues_of = [[q for q in row if q >= 0] for row in _table(world.routing.queues)]
        self.priority = _table(world.routing.priority)
        self.by_load = world.routing.by_load
        self.max_queue = world.routing.max_queue

        self.lines: list[deque[int]] = [deque() for _ in self.order]
        self.waiting = [0] * len(self.order)
        self.n_waiting = 0
        self.queue_of = _view(np.zeros(n_rows, np.int64))

        self.group_of = world.staffing.group_of.tolist()
        self.speed, self.absorption = draws.people.speed.tolist(), draws.people.absorption.tolist()
        self.status = [OFF] * n_agents
        self.stamp = [0] * n_agents
        self.since = [0] * n_agents
        self.load = [0.0] * n_agents
        self.load_at = [0] * n_agents
        self.gain = [0.0] * n_agents
        self.owed = [0] * n_agents
        self.due = [0] * n_agents
        self.resting = [0] * n_groups
        self.leaving = [False] * n_agents
        self.spell = [-1] * n_agents
        self.shift = [-1] * n_agents
        self.act_first = [0] * n_agents
        self.act_last = [0] * n_agents
        self.exhaustion = [float(groups.exhaustion[g]) for g in self.group_of]
        self.exhaustion_day = [0] * n_agents
        self.signed_on = [0] * n_groups
        self.to_leave = [0] * n_groups
        self.idle: list[deque[tuple[int, int]]] = [deque() for _ in range(n_groups)]
        self.idle_heap: list[list[tuple[float, int, int, int]]] = [[] for _ in range(n_groups)]
        self.spare: list[list[int]] = [[] for _ in range(n_groups)]
        for agent in range(n_agents - 1, -1, -1):
            self.spare[self.group_of[agent]].append(agent)

        clock, bot = world.clock, world.bot
        self.opens, self.closes = clock.open_ms.tolist(), clock.close_ms.tolist()
        self.bot_from, self.bot_to = bot.from_ms.tolist(), bot.to_ms.tolist()
        self.outages = list(zip(bot.outage_from.tolist(), bot.outage_to.tolist(), strict=True))
        self.always_open, self.stop_ms = clock.always_open, clock.stop_ms
        self.max_attempts = world.behaviour.max_attempts
        self.contacts = r.blank_contacts(n_rows)
        self.spells = r.blank_spells(r.most_spells(world))
        self.n_spells = 0
        self.absent = np.zeros(len(world.staffing.agent), np.int64)
        self.c = r.Contacts(*map(_view, self.contacts))
        self.s = r.Spells(*map(_view, self.spells))
        self.people = draws.people
        self._timetable = self._sorted_timetable()
        self._at = 0

    # --- the clock ------------------------------------------------------------------------------------------------

    def at(self, when: int, kind: int, who: int, handler: Callable[[Any], None]) -> None:
        """Let `handler` happen to `who` at `when`; ties go by kind, then by `who`."""
        self.schedule(_Moment(handler, who), kind << 23 | who, when - self.env.now)  # type: ignore[arg-type]

    def run(self) -> Records:
        """Run all simulated days and hand over the records."""
        stop = self.clock.stop_ms
        if self.n_needs:
            self.at(self.birth[0], ARRIVE, 0, self.fresh_arrival)
        self._next_of_timetable()
        if stop > 0:
            self.env.run(until=stop)
        for agent, status in enumerate(self.status):
            if status != OFF:
                self.sign_off(agent, stop)
        return Records(self.contacts, r.trimmed(self.spells, self.n_spells), self.absent)

    def _sorted_timetable(self) -> list[tuple[int, int, int]]:
        staffing, clock = self.world.staffing, self.clock
        starts = staffing.start_ms + self.people.late_ms
        rows = [(start, SIGN_ON, k) for k, start in enumerate(starts.tolist())]
        rows += [(end, SIGN_OFF, k) for k, end in enumerate(staffing.end_ms.tolist())]
        rows += [(when, ACTIVITY, k) for k, when in enumerate(staffing.act_ms.tolist())]
        rows += [(when, CAPACITY, k) for k, when in enumerate(staffing.slot_ms.tolist())]
        if not clock.always_open:
            rows += [(when, CLOSE, k) for k, when in enumerate(clock.close_ms.tolist()) if when < w.NEVER]
        self._shift_of_act = np.repeat(np.arange(len(staffing.agent)), np.diff(staffing.act_from)).tolist()
        return sorted(row for row in rows if row[0] < clock.stop_ms)

    def _next_of_timetable(self) -> None:
        if self._at < len(self._timetable):
            when, kind, who = self._timetable[self._at]
            self._at += 1
            self.at(when, kind, who, self.timetable_moment)

    def timetable_moment(self, moment: _Moment) -> None:
        """Somebody's shift starts or ends, a break is due, capacity changes, or the doors close."""
        kind = self._timetable[self._at - 1][1]
        now = self.env.now
        if kind == SIGN_ON:
            self.shift_starts(moment.who, now)  # type: ignore[arg-type]
        elif kind == SIGN_OFF:
            self.shift_ends(moment.who, now)  # type: ignore[arg-type]
        elif kind == ACTIVITY:
            self.activity_due(moment.who, now)  # type: ignore[arg-type]
        elif kind == CAPACITY:
            self.capacity_changes(moment.who, now)  # type: ignore[arg-type]
        else:
            self.doors_close(now)  # type: ignore[arg-type]
        self._next_of_timetable()

    # --- customers ------------------------------------------------------------------------------------------------

    def fresh_arrival(self, moment: _Moment) -> None:
        """A need arises, and its first contact."""
        row = moment.who
        if row + 1 < self.n_needs:
            self.at(self.birth[row + 1], ARRIVE, row + 1, self.fresh_arrival)
        self.arrive(row, self.env.now)  # type: ignore[arg-type]

    def returning(self, moment: _Moment) -> None:
        """Somebody calls again, or is put through to somebody else."""
        self.arrive(moment.who, self.env.now)  # type: ignore[arg-type]

    def arrive(self, row: int, now: int) -> None:
        """A contact starts: with the bot, where one is offered and up, or with people."""
        c, rows = self.c, self.rows
        need = self.need_of[row]
        c.arrive_ms[row] = now
        fate = d.NO_BOT
        if self.tier[need] == 0:
            fate = rows.fate[row]
            if fate != d.NO_BOT and not self.bot_is_up(self.type_of[row], now):
                fate = d.NO_BOT
        if fate == d.NO_BOT:
            self.reach(row, now)
            return
        c.bot_ms[row] = rows.bot_ms[row]
        end = now + rows.bot_ms[row]
        if rows.refused[row]:
            c.flags[row] |= r.REFUSED
            self.stir(need, self.b.bot_loop_intensity)
        c.intensity[row] = self.intensity_of[need]
        if fate == d.HANDED_OVER:
            c.outcome[row] = r.IN_BOT
            if not rows.context[row]:
                c.flags[row] |= r.REPEATS
            self.at(end, REACH, row, self.handed_over)
        elif fate == d.HUNG_UP:
            c.outcome[row] = r.HUNG_UP
            c.end_ms[row] = end
            self.gives_up(row, need, end, self.b.redial)
        else:
            self.ends_in_bot(row, need, end, fate == d.CONTAINED)

    def bot_is_up(self, kind: int, now: int) -> bool:
        """Whether the bot is there: its own hours, and no outage."""
        if not self.bot_from[kind] <= now % DAY_MS < self.bot_to[kind]:
            return False
        return not self.outages or not any(start <= now < end for start, end in self.outages)

    def stir(self, need: int, more: float) -> None:
        """The customer gets more upset."""
        self.intensity_of[need] = min(1.0, self.intensity_of[need] + more)

    def ends_in_bot(self, row: int, need: int, end: int, resolved: bool) -> None:
        """The log says contained; whether it is, the customer knows."""
        b, c = self.b, self.c
        intensity = self.intensity_of[need]
        kind = self.type_of[row]
        heard = rules.p_heard(b, self.bot_heard[kind], intensity, 0.0, 0.0, 0.0, 0, 0)
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
        self.may_return(row, need, end, ending)

    def handed_over(self, moment: _Moment) -> None:
        """The bot lets go."""
        self.reach(moment.who, self.env.now)  # type: ignore[arg-type]

    def reach(self, row: int, now: int) -> None:
        """A contact reaches the people's queue: an agent at once, a place in the line, or neither."""
        c, b = self.c, self.b
        need, kind = self.need_of[row], self.type_of[row]
        c.reach_ms[row] = now
        c.intensity[row] = self.intensity_of[need]
        if not self.always_open and not self.is_open(now):
            self.out_of_hours(row, need, now)
            return
        q = self.queue_for(row, need, kind)
        self.queue_of[row] = q
        agent = self.find_agent(q, 0)
        if agent >= 0:
            self.answer(row, agent, now)
            return
        called_back = c.flags[row] & r.CALLED_BACK
        if 0 < self.max_queue <= self.n_waiting and not called_back:
            c.outcome[row] = r.TURNED_AWAY
            c.end_ms[row] = now
            self.gives_up(row, need, now, b.redial)
            return
        interval = c.arrive_ms[row] % DAY_MS // self.interval_ms
        patience = self.rows.patience_unit[row] * self.patience_ms[kind][interval]
        c.outcome[row] = r.WAITING
        if patience <= 0.0 and not called_back:
            self.leave(row, now)
            return
        self.lines[q].append(row)
        self.waiting[q] += 1
        self.n_waiting += 1
        leaves = now + int(min(patience, float(w.NEVER)))
        if leaves < self.stop_ms and not called_back:
            self.at(leaves, ABANDON, row, self.loses_patience)
        for place in range(len(self.order[q])):
            wait = self.delay[q][place]
            if wait > 0 and wait not in self.delay[q][:place]:
                self.at(now + wait, OVERFLOW, row, self.overflows)

    def queue_for(self, row: int, need: int, kind: int) -> int:
        """Second tier for escalations; the flagged queue where a detector hears something; else the ordinary one."""
        c = self.c
        if self.tier[need]:
            c.flags[row] |= r.TIER_TWO
            return w.SECOND_TIER * self.n_types + kind
        if not self.detect:
            return kind
        ears = self.world.detectors
        flagged = False
        for k in range(len(self.detect)):
            if not ears.listens[k, kind]:
                continue
            there = rules.sees(
                int(ears.target[k]), float(ears.above[k]), self.intensity_of[need], self.vulnerable[need],
                self.keyword[need],
            )  # fmt: skip
            u = self.detect[k][row]
            if there and u < ears.sensitivity[k]:
                c.flags[row] |= r.FLAG_RIGHT
                flagged = True
            elif there:
                c.flags[row] |= r.FLAG_MISSED
            elif u < 1.0 - ears.specificity[k]:
                c.flags[row] |= r.FLAG_WRONG
                flagged = True
        return (w.FLAGGED if flagged else w.ORDINARY) * self.n_types + kind

    def is_open(self, now: int) -> bool:
        """Whether people answer now."""
        day = now // DAY_MS
        if self.opens[day] <= now < self.closes[day]:
            return True
        return day > 0 and self.opens[day - 1] <= now < self.closes[day - 1]

    def out_of_hours(self, row: int, need: int, now: int) -> None:
        """Nobody is there: a call-back in the first hour of the next opening, or lost."""
        c, clock = self.c, self.clock
        if clock.out_of_hours == w.CALL_BACK:
            for day in range(now // DAY_MS, clock.n_days):
                if now < clock.open_ms[day] < w.NEVER:
                    c.outcome[row] = r.WAITING
                    c.flags[row] |= r.CALLED_BACK
                    length = int(clock.close_ms[day] - clock.open_ms[day])
                    later = min(self.rows.call_back_ms[row], length - 1)
                    self.at(int(clock.open_ms[day]) + later, REACH, row, self.handed_over)
                    return
            c.outcome[row] = r.WAITING
            return
        c.outcome[row] = r.CLOSED
        c.end_ms[row] = now
        self.gives_up(row, need, now, 0.0)

    def loses_patience(self, moment: _Moment) -> None:
        """The customer has waited as long as they will."""
        row = moment.who
        if self.c.outcome[row] == r.WAITING:
            self.out_of_line(row)
            self.leave(row, self.env.now)  # type: ignore[arg-type]

    def out_of_line(self, row: int) -> None:
        """One fewer is waiting; the line itself forgets later."""
        self.waiting[self.queue_of[row]] -= 1
        self.n_waiting -= 1

    def leave(self, row: int, now: int) -> None:
        """Abandoned: some call again soon, the others are gone."""
        self.c.outcome[row] = r.ABANDONED
        self.c.end_ms[row] = now
        self.gives_up(row, self.need_of[row], now, self.b.redial)

    def gives_up(self, row: int, need: int, now: int, redial: float) -> None:
        """Without having been served: a redial within the hour, or a need unmet."""
        if self.rows.redials[row] < redial and self.rows.attempt[row] + 1 < self.b.max_attempts:
            self.c.flags[row] |= r.REDIALS
            self.tier[need] = 0
            self.comes_back(self.rows.next[row], now + self.rows.redial_ms[row])

    def comes_back(self, row: int, when: int) -> None:
        """Somebody who would call while nobody is there calls at some time of the next opening."""
        clock = self.clock
        if row >= 0 and when < clock.stop_ms and not clock.always_open and not self.is_open(when):
            for day in range(when // DAY_MS, clock.n_days):
                if when < clock.open_ms[day] < w.NEVER:
                    length = int(clock.close_ms[day] - clock.open_ms[day])
                    when = int(clock.open_ms[day]) + self.rows.call_back_ms[row] * length // w.HOUR_MS
                    break
        self.again(row, when)

    def again(self, row: int, when: int) -> None:
        """The next attempt of a journey."""
        if row < 0:
            raise RuntimeError("a journey goes on for which nothing was drawn")
        if when < self.stop_ms:
            self.at(when, RETURN, row, self.returning)

    def may_return(self, row: int, need: int, end: int, ending: int) -> None:
        """By how it ended, the customer comes back after a while, more upset."""
        b = self.b
        if self.rows.returns[row] < rules.p_return(b, ending) and self.rows.attempt[row] + 1 < b.max_attempts:
            self.c.flags[row] |= r.RETURNS
            self.stir(need, b.return_intensity)
            self.tier[need] = 0
            self.comes_back(self.rows.next[row], end + self.rows.return_ms[row])

    def overflows(self, moment: _Moment) -> None:
        """Waited long enough for another group to help."""
        row = moment.who
        if self.c.outcome[row] != r.WAITING:
            return
        now = self.env.now
        agent = self.find_agent(self.queue_of[row], now - self.c.reach_ms[row])
        if agent >= 0:
            self.out_of_line(row)
            self.answer(row, agent, now)  # type: ignore[arg-type]

    # --- a conversation -------------------------------------------------------------------------------------------

    def answer(self, row: int, agent: int, now: int) -> None:
        """An agent takes a contact: how long it will take, how it will end, what it leaves behind."""
        b, c, s, rows = self.b, self.c, self.s, self.rows
        need, kind = self.need_of[row], self.type_of[row]
        group, spell = self.group_of[agent], self.spell[agent]
        intensity = self.intensity_of[need]
        empathy = self.empathy[group]
        flags = c.flags[row]
        if self.status[agent] == IDLE:
            s.idle_ms[spell] += now - self.since[agent]
        self.settle(agent, now, b.load_half_life_ms)
        load = self.load[agent]

        interval = c.arrive_ms[row] % DAY_MS // self.interval_ms
        speed = self.speed[agent] * self.speed_of_group[group][kind]
        talk = rows.talk_unit[row] * self.talk_ms[kind][interval] * rules.talk_factor(
            b, speed, load, self.hours_on(agent, spell, now), intensity, empathy, self.scripts
        )  # fmt: skip
        repeats = 0
        if flags & r.REPEATS:
            talk += b.handover_ms
            repeats = 1
        acw = rows.acw_unit[row] * self.acw_ms[kind] * speed
        full = talk + acw
        cut = 0.0
        if self.n_waiting:
            cut = talk * rules.hurried_share(b, self.waiting_for(group))
        if self.target_ms[kind] > 0.0:
            cut += self.cut[kind] * rules.over_target(full - cut, self.target_ms[kind])
        unmet = 0.0
        if cut > 0.0:
            unmet = rules.unmet_share(b, cut, full)
            talk = talk - cut
            if talk < 0.0:
                acw = max(0.0, acw + talk)
                talk = 0.0
        talk_ms = max(1, int(talk + 0.5))
        acw_ms = int(acw + 0.5)
        end = now + talk_ms

        heard = rules.p_heard(
            b, self.heard_base[group][kind], intensity, empathy, unmet, load, repeats, now - c.reach_ms[row]
        )  # fmt: skip
        last = rows.attempt[row] + 1 >= b.max_attempts
        if cut > 0.0 and not last and rules.is_passed_on(b, cut, full, rows.passed_on[row]):
            c.flags[row] = flags | r.PASSED_ON
            self.tier[need] = 1
            self.again(rows.next[row], end)
        else:
            log_odds = rules.resolved_odds(
                b, self.resolved_base[group][kind], self.difficulty[need], unmet, load
            )
            if_heard = rules.odds(log_odds)
            if_not = if_heard
            if rules.unsafe(b, self.vulnerable[need], intensity):
                if_not = rules.odds(log_odds + b.resolved_not_heard)
            c.if_heard[row] = if_heard
            c.if_not[row] = if_not
            was_heard = rows.heard[row] < heard
            ending = rules.ending_of(rows.resolved[row] < (if_heard if was_heard else if_not), was_heard)
            c.ending[row] = ending
            if rows.escalates[row] < rules.p_escalate(b, ending) and not last:
                c.flags[row] = flags | r.ESCALATED
                self.tier[need] = 1
                self.again(rows.next[row], end)
            else:
                self.may_return(row, need, end, ending)

        self.gain[agent] = rules.load_gained(
            b, intensity, talk_ms, self.absorption[agent], self.strained[kind]
        )
        if self.has_rest:
            self.rest_falls_due(row, agent, kind, intensity, talk_ms + acw_ms)
        c.outcome[row] = r.ANSWERED
        c.end_ms[row] = now
        c.agent[row] = agent
        c.talk_ms[row] = talk_ms
        c.acw_ms[row] = acw_ms
        c.full_ms[row] = int(full + 0.5)
        c.intensity[row] = intensity
        c.load[row] = load
        c.unmet[row] = unmet
        c.heard[row] = heard
        s.talk_ms[spell] += talk_ms
        s.acw_ms[spell] += acw_ms
        s.contacts[spell] += 1
        self.status[agent] = BUSY
        self.stamp[agent] += 1
        self.at(end + acw_ms, FREE, agent, self.contact_over)

    def hours_on(self, agent: int, spell: int, now: int) -> int:
        """Ms on shift; anonymous people relieve one another every eight hours."""
        on = int(now - self.s.on_ms[spell])
        return on if self.shift[agent] >= 0 else on % RELIEF_MS

    def waiting_for(self, group: int) -> int:
        """How many wait in the queues that a group serves."""
        n = 0
        for q in self.queues_of[group]:
            n += self.waiting[q]
        return n

    def rest_falls_due(self, row: int, agent: int, kind: int, intensity: float, handle_ms: int) -> None:
        """What can be seen of a contact may make a recovery pause due."""
        b, levers = self.b, self.world.levers
        n = int(self.rest_on_type[kind])
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
            spell = self.spell[agent]
            self.s.due_ms[spell] += due
            room = levers.rest_budget_ms - self.s.rest_ms[spell] - self.owed[agent]
            self.owed[agent] += max(0, min(due, room))

    # --- agents ---------------------------------------------------------------------------------------------------

    def settle(self, agent: int, now: int, half_life_ms: float) -> None:
        """Bring the agent's load up to now, and account for it."""
        before, elapsed = self.load[agent], now - self.load_at[agent]
        self.load_at[agent] = now
        if before == 0.0 or elapsed == 0:
            return
        after = rules.decayed(before, elapsed, half_life_ms)
        self.load[agent] = after
        spell, s = self.spell[agent], self.s
        s.load_area[spell] += rules.load_area(before, after, half_life_ms)
        if before > self.b.load_threshold:
            s.over_ms[spell] += rules.time_over(before, elapsed, half_life_ms, self.b.load_threshold)

    def contact_over(self, moment: _Moment) -> None:
        """Talk and after-contact work are done."""
        agent = moment.who
        now = self.env.now
        self.settle(agent, now, self.b.load_half_life_ms)  # type: ignore[arg-type]
        self.load[agent] += self.gain[agent]
        self.free(agent, now)  # type: ignore[arg-type]

    def pause_over(self, moment: _Moment) -> None:
        """A recovery pause, a break or an activity is done."""
        agent = moment.who
        now = self.env.now
        self.settle(agent, now, self.b.rest_half_life_ms)  # type: ignore[arg-type]
        if self.status[agent] == REST:
            self.resting[self.group_of[agent]] -= 1
        self.free(agent, now)  # type: ignore[arg-type]

    def free(self, agent: int, now: int) -> None:
        """What next: home, a break that is due, recovery, the next customer, or idle."""
        group = self.group_of[agent]
        going = self.leaving[agent] or self.to_leave[group] > 0
        if going and not self.stays_to_serve_out(group, now):
            if not self.leaving[agent]:
                self.to_leave[group] -= 1
            self.sign_off(agent, now)
            return
        if not going and self.act_first[agent] < self.act_last[agent]:
            self.start_activity(agent, now)
            return
        if not going and self.owed[agent] > 0 and self.may_rest(group):
            self.start_rest(agent, now)
            return
        row = self.next_in_line(group, now)
        if row >= 0:
            self.out_of_line(row)
            self.status[agent] = BUSY
            self.answer(row, agent, now)
            return
        self.go_idle(agent, now)

    def stays_to_serve_out(self, group: int, now: int) -> bool:
        """After closing, where the queue is served out, an agent stays while somebody waits for the group."""
        if self.n_waiting == 0 or self.clock.at_close != w.SERVE_OUT or self.clock.always_open:
            return False
        return not self.is_open(now) and self.next_in_line(group, now) >= 0

    def may_rest(self, group: int) -> bool:
        """Service is protected: not too many at once, not while too many wait."""
        levers = self.world.levers
        if self.resting[group] >= max(1.0, levers.rest_share * self.signed_on[group]):
            return False
        return self.waiting_for(group) <= levers.rest_queue

    def start_rest(self, agent: int, now: int) -> None:
        """Recovery."""
        length = self.owed[agent]
        self.owed[agent] = 0
        self.s.rest_ms[self.spell[agent]] += length
        self.status[agent] = REST
        self.stamp[agent] += 1
        self.resting[self.group_of[agent]] += 1
        self.at(now + length, FREE, agent, self.pause_over)

    def start_activity(self, agent: int, now: int) -> None:
        """A break, lunch, work off the phone, or a decompression block; full length even if it starts late."""
        staffing, s = self.world.staffing, self.s
        act = self.act_first[agent]
        self.act_first[agent] += 1
        length = int(staffing.act_length_ms[act])
        spell = self.spell[agent]
        kind = staffing.act_kind[act]
        if kind == w.BREAK:
            s.break_ms[spell] += length
        elif kind == w.LUNCH:
            s.lunch_ms[spell] += length
        elif kind == w.OFFLINE:
            s.offline_ms[spell] += length
        else:
            s.decompression_ms[spell] += length
        if not staffing.act_paid[act]:
            s.unpaid_ms[spell] += length
        self.status[agent] = AWAY
        self.stamp[agent] += 1
        self.at(now + length, FREE, agent, self.pause_over)

    def go_idle(self, agent: int, now: int) -> None:
        """Ready, and waiting for somebody."""
        group = self.group_of[agent]
        self.status[agent] = IDLE
        self.since[agent] = now
        self.stamp[agent] += 1
        stamp = self.stamp[agent]
        if self.by_load:
            key = rules.idle_key(self.load[agent], now, self.b.load_half_life_ms)
            heappush(self.idle_heap[group], (key, now, agent, stamp))
        else:
            self.idle[group].append((agent, stamp))

    def find_agent(self, q: int, waited: int) -> int:
        """The best free agent: the contact's preference of groups, then longest idle (or least loaded)."""
        for place, group in enumerate(self.order[q]):
            if self.delay[q][place] <= waited:
                agent = self.take_idle(group)
                if agent >= 0:
                    return agent
        return -1

    def take_idle(self, group: int) -> int:
        """The first idle agent of the group, or -1."""
        if self.by_load:
            heap = self.idle_heap[group]
            while heap:
                _, _, agent, stamp = heappop(heap)
                if self.stamp[agent] == stamp:
                    return agent
            return -1
        line = self.idle[group]
        while line:
            agent, stamp = line.popleft()
            if self.stamp[agent] == stamp:
                return agent
        return -1

    def next_in_line(self, group: int, now: int) -> int:
        """The best waiting contact for this group: priority, then longest wait; -1 for none."""
        if self.n_waiting == 0:
            return -1
        best, best_priority, best_reach = -1, 0, 0
        for q in self.queues_of[group]:
            if self.waiting[q] == 0:
                continue
            line = self.lines[q]
            while self.c.outcome[line[0]] != r.WAITING:
                line.popleft()
            row = line[0]
            reach = self.c.reach_ms[row]
            if now - reach < self.delay_of_group[q][group]:
                continue
            priority = self.priority[group][q]
            if best < 0 or (priority, reach, row) < (best_priority, best_reach, best):
                best, best_priority, best_reach = row, priority, reach
        return best

    # --- the timetable --------------------------------------------------------------------------------------------

    def shift_starts(self, shift: int, now: int) -> None:
        """Somebody comes to work, or does not."""
        staffing, b = self.world.staffing, self.b
        agent = int(staffing.agent[shift])
        group = self.group_of[agent]
        if self.status[agent] != OFF or now >= staffing.end_ms[shift]:
            self.absent[shift] = 1
            return
        day = int(staffing.day[shift])
        self.ease(agent, day)
        absence = rules.p_absent(
            b, float(self.world.groups.absence[group]), self.exhaustion[agent],
            float(self.world.groups.exhaustion[group]),
        )  # fmt: skip
        if self.people.absent[shift] < absence:
            self.absent[shift] = 1
            return
        self.act_first[agent] = int(staffing.act_from[shift])
        self.act_last[agent] = self.act_first[agent]
        self.sign_on(agent, shift, now)

    def ease(self, agent: int, day: int) -> None:
        """Exhaustion eases day by day."""
        days = day - self.exhaustion_day[agent]
        if days > 0:
            self.exhaustion[agent] = rules.exhaustion_next(self.b, self.exhaustion[agent], days, 0.0)
            self.exhaustion_day[agent] = day

    def sign_on(self, agent: int, shift: int, now: int) -> None:
        """At work; load has eased since the last time."""
        spell = self.n_spells
        self.n_spells += 1
        s = self.s
        s.agent[spell] = agent
        s.shift[spell] = shift
        s.on_ms[spell] = now
        s.exhaustion[spell] = self.exhaustion[agent]
        self.load[agent] = rules.decayed(self.load[agent], now - self.load_at[agent], self.b.off_half_life_ms)
        self.load_at[agent] = now
        self.spell[agent] = spell
        self.shift[agent] = shift
        self.leaving[agent] = False
        self.owed[agent] = 0
        self.signed_on[self.group_of[agent]] += 1
        self.free(agent, now)

    def activity_due(self, act: int, now: int) -> None:
        """A break or other activity is due: at once if idle, else after what is being done."""
        shift = self._shift_of_act[act]
        agent = int(self.world.staffing.agent[shift])
        if self.shift[agent] != shift or self.status[agent] == OFF:
            return
        if self.act_first[agent] == self.act_last[agent]:
            self.act_first[agent] = act
        self.act_last[agent] = act + 1
        if self.status[agent] == IDLE:
            self.stop_idling(agent, now)
            self.free(agent, now)

    def shift_ends(self, shift: int, now: int) -> None:
        """Home at once if idle, else after the contact in progress."""
        agent = int(self.world.staffing.agent[shift])
        if self.shift[agent] != shift or self.status[agent] == OFF:
            return
        if self.status[agent] == IDLE:
            self.stop_idling(agent, now)
            self.sign_off(agent, now)
        else:
            self.leaving[agent] = True

    def capacity_changes(self, slot: int, now: int) -> None:
        """Anonymous capacity: one more, or one fewer as soon as somebody is free."""
        staffing = self.world.staffing
        group = int(staffing.slot_group[slot])
        if staffing.slot_change[slot] > 0:
            agent = self.spare[group].pop()
            self.ease(agent, now // DAY_MS)
            self.sign_on(agent, -1, now)
            return
        agent = self.take_idle(group)
        if agent >= 0:
            self.stop_idling(agent, now)
            self.sign_off(agent, now)
        else:
            self.to_leave[group] += 1

    def stop_idling(self, agent: int, now: int) -> None:
        """Account for the time spent ready."""
        self.s.idle_ms[self.spell[agent]] += now - self.since[agent]
        self.settle(agent, now, self.b.load_half_life_ms)
        self.status[agent] = AWAY
        self.stamp[agent] += 1

    def sign_off(self, agent: int, now: int) -> None:
        """Gone; what is left of the load feeds exhaustion."""
        if self.status[agent] == IDLE:
            self.stop_idling(agent, now)
        spell, group = self.spell[agent], self.group_of[agent]
        self.s.off_ms[spell] = now
        self.s.load_end[spell] = self.load[agent]
        self.exhaustion[agent] = rules.exhaustion_next(self.b, self.exhaustion[agent], 0, self.load[agent])
        self.status[agent] = OFF
        self.stamp[agent] += 1
        self.leaving[agent] = False
        self.shift[agent] = -1
        self.spell[agent] = -1
        self.signed_on[group] -= 1
        if self.world.staffing.agent.size == 0:
            self.spare[group].append(agent)

    def doors_close(self, now: int) -> None:
        """Those for whom nobody is there any more, or everybody if the house says so, are sent away."""
        for q, line in enumerate(self.lines):
            if self.waiting[q] == 0:
                continue
            if self.clock.at_close == w.SERVE_OUT and any(self.signed_on[g] for g in self.order[q]):
                continue
            for row in line:
                if self.c.outcome[row] == r.WAITING:
                    self.out_of_line(row)
                    self.c.outcome[row] = r.CLOSED
                    self.c.end_ms[row] = now
                    self.gives_up(row, self.need_of[row], now, 0.0)
            line.clear()


def simulate(world: World, draws: Draws) -> Records:
    """One replication, in SimPy."""
    return Model(world, draws).run()
