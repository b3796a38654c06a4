"""The compiled twin of `model`: one event loop over arrays, with the SimPy model's records bit for bit.

The same worlds and draws, the same rules, the same order of simultaneous events; only the containers differ.
An event is one whole number, time << 28 | kind << 23 | id, and the next one is the least of three: the sorted
arrivals, the sorted timetable, and a binary heap of all that follows from them. Each event runs through the
loop's sections from top to bottom: somebody signs on, arrives, reaches the queue, becomes free, signs off, is
answered, comes back. Everything here is plain Python until `simulate` first has Numba compile it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from inspect import isfunction
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from sim import draws as d
from sim import records as r
from sim import rules
from sim import world as w
from sim.draws import Draws, People
from sim.records import Records
from sim.world import DAY_MS, Behaviour, Floats, Ints, World

(
    ABANDON, SIGN_ON, CAPACITY, ACTIVITY, SIGN_OFF, FREE, ARRIVE, RETURN, REACH, OVERFLOW, CLOSE,
) = range(1, 12)  # fmt: skip
OFF, IDLE, BUSY, REST, AWAY = range(5)
FAR = (1 << 63) - 1
CACHES_KEPT = 4


# --- containers ---------------------------------------------------------------------------------------------


def _push(heap: Ints, n: int, key: int) -> int:
    """Add a key to a heap of `n`; its new size."""
    i = n
    while i > 0:
        up = (i - 1) >> 1
        if heap[up] <= key:
            break
        heap[i] = heap[up]
        i = up
    heap[i] = key
    return n + 1


def _pop(heap: Ints, n: int) -> int:
    """Drop the least key of a heap of `n`; its new size."""
    n -= 1
    key = heap[n]
    i, child = 0, 1
    while child < n:
        if child + 1 < n and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= key:
            break
        heap[i] = heap[child]
        i = child
        child = 2 * i + 1
    heap[i] = key
    return n


def _less_loaded(x: int, y: int, load_key: Floats, since: Ints) -> bool:
    if load_key[x] != load_key[y]:
        return bool(load_key[x] < load_key[y])
    if since[x] != since[y]:
        return bool(since[x] < since[y])
    return x < y


def _rise(ready: Ints, place: Ints, base: int, i: int, load_key: Floats, since: Ints) -> None:
    """Move the agent at place `i` of a group's heap, which starts at `base`, up to where it belongs."""
    agent = ready[base + i]
    while i > 0:
        up = (i - 1) >> 1
        other = ready[base + up]
        if not _less_loaded(agent, other, load_key, since):
            break
        ready[base + i] = other
        place[other] = i
        i = up
    ready[base + i] = agent
    place[agent] = i


def _sink(ready: Ints, place: Ints, base: int, i: int, n: int, load_key: Floats, since: Ints) -> None:
    """Move the agent at place `i` of a group's heap of `n` down to where it belongs."""
    agent = ready[base + i]
    child = 2 * i + 1
    while child < n:
        other = ready[base + child]
        if child + 1 < n and _less_loaded(ready[base + child + 1], other, load_key, since):
            child += 1
            other = ready[base + child]
        if not _less_loaded(other, agent, load_key, since):
            break
        ready[base + i] = other
        place[other] = i
        i = child
        child = 2 * i + 1
    ready[base + i] = agent
    place[agent] = i


def _first_ready(
    q: int, waited: int, order: Ints, delay: Ints, by_load: int, first: Ints, ready: Ints, n_ready: Ints,
    base: Ints,
) -> int:  # fmt: skip
    """The best free agent: the contact's preference of groups, then longest idle (or least loaded), or -1."""
    for place in range(order.shape[1]):
        group = order[q, place]
        if group < 0:
            break
        if delay[q, place] <= waited and n_ready[group] > 0:
            return int(ready[base[group]] if by_load else first[group])
    return -1


def _no_longer_ready(
    agent: int, group: int, by_load: int, first: Ints, last: Ints, ahead: Ints, behind: Ints,
    ready: Ints, place: Ints, n_ready: Ints, base: Ints, load_key: Floats, since: Ints,
) -> None:  # fmt: skip
    """Take an agent out of the group's idle list or heap."""
    n = n_ready[group] - 1
    n_ready[group] = n
    if by_load:
        i = place[agent]
        other = ready[base[group] + n]
        if other != agent:
            ready[base[group] + i] = other
            place[other] = i
            _sink(ready, place, base[group], i, n, load_key, since)
            _rise(ready, place, base[group], place[other], load_key, since)
        return
    before, after = ahead[agent], behind[agent]
    if before >= 0:
        behind[before] = after
    else:
        first[group] = after
    if after >= 0:
        ahead[after] = before
    else:
        last[group] = before


def _next_in_line(
    group: int, now: int, queues: Ints, waiting: Ints, head: Ints, chain: Ints, outcome: Ints, reach_ms: Ints,
    delay_of_group: Ints, priority: Ints,
) -> int:  # fmt: skip
    """The best waiting contact for this group: priority, then longest wait; -1 for none."""
    best, best_priority, best_reach = -1, 0, 0
    for k in range(queues.shape[1]):
        q = queues[group, k]
        if q < 0:
            break
        if waiting[q] == 0:
            continue
        row = head[q]
        while outcome[row] != r.WAITING:
            row = chain[row]
        head[q] = row
        reach = reach_ms[row]
        if now - reach < delay_of_group[q, group]:
            continue
        mine = priority[group, q]
        if best >= 0:
            if mine > best_priority:
                continue
            if mine == best_priority and (reach > best_reach or (reach == best_reach and row > best)):
                continue
        best, best_priority, best_reach = row, mine, reach
    return best


def _waiting_for(group: int, queues: Ints, waiting: Ints) -> int:
    """How many wait in the queues that a group serves."""
    n = 0
    for k in range(queues.shape[1]):
        q = queues[group, k]
        if q < 0:
            break
        n += waiting[q]
    return n


def _settle(
    agent: int, now: int, half_life_ms: float, threshold: float, load: Floats, load_at: Ints, spell: Ints,
    s_over: Ints,
) -> None:  # fmt: skip
    """Bring the agent's load up to now, and account for the time over the threshold."""
    elapsed = now - load_at[agent]
    if elapsed == 0:
        return
    before = load[agent]
    load_at[agent] = now
    if before == 0.0:
        return
    load[agent] = rules.decayed(before, elapsed, half_life_ms)
    s_over[spell[agent]] += rules.time_over(before, elapsed, half_life_ms, threshold)


def _is_open(now: int, open_ms: Ints, close_ms: Ints) -> bool:
    """Whether people answer now."""
    day = now // DAY_MS
    if open_ms[day] <= now < close_ms[day]:
        return True
    return bool(day > 0 and open_ms[day - 1] <= now < close_ms[day - 1])


def _bot_is_up(kind: int, now: int, from_ms: Ints, to_ms: Ints, outage_from: Ints, outage_to: Ints) -> bool:
    """Whether the bot is there: its own hours, and no outage."""
    of_day = now % DAY_MS
    if of_day < from_ms[kind] or of_day >= to_ms[kind]:
        return False
    for k in range(len(outage_from)):  # noqa: SIM110
        if outage_from[k] <= now < outage_to[k]:
            return False
    return True


# --- the loop -----------------------------------------------------------------------------------------------


def _loop(
    stop: int, b: Behaviour, timetable: Ints, shift_of_act: Ints,
    clock_interval_ms: int, clock_open_ms: Ints, clock_close_ms: Ints, clock_at_close: int,
    clock_out_of_hours: int, clock_always_open: int,
    types_talk_ms: Floats, types_acw_ms: Floats, types_patience_ms: Floats,
    bot_from_ms: Ints, bot_to_ms: Ints, bot_outage_from: Ints, bot_outage_to: Ints,
    ears_target: Ints, ears_above: Floats, ears_sensitivity: Floats, ears_specificity: Floats,
    ears_listens: Ints,
    groups_empathy: Floats, groups_speed: Floats, groups_absence: Floats, groups_exhaustion: Floats,
    routing_order: Ints, routing_delay: Ints, routing_delay_of_group: Ints, routing_priority: Ints,
    routing_queues: Ints, routing_max_queue: int, routing_by_load: int,
    levers_target_ms: Floats, levers_cut: Floats, levers_scripts: int, levers_rest_on_type: Ints,
    levers_rest_over_ms: int, levers_rest_on_flag: int, levers_rest_on_button: int,
    levers_rest_on_intensity: float, levers_rest_ms: int, levers_rest_hardest_ms: int,
    levers_rest_share: float, levers_rest_queue: int, levers_rest_budget_ms: int,
    staffing_group_of: Ints, staffing_agent: Ints, staffing_end_ms: Ints, staffing_day: Ints,
    staffing_act_from: Ints, staffing_act_length_ms: Ints, staffing_act_kind: Ints, staffing_act_paid: Ints,
    staffing_slot_group: Ints, staffing_slot_change: Ints,
    needs_type: Ints, needs_vulnerable: Ints, needs_keyword: Ints, needs_birth_ms: Ints,
    needs_difficulty: Floats,
    rows_need: Ints, rows_attempt: Ints, rows_next: Ints, rows_talk_unit: Floats, rows_acw_unit: Floats,
    rows_patience_unit: Floats, rows_fate: Ints, rows_refused: Ints, rows_bot_ms: Ints, rows_context: Ints,
    rows_heard: Floats, rows_resolved: Floats, rows_returns: Floats, rows_return_ms: Ints,
    rows_escalates: Floats, rows_redials: Floats, rows_redial_ms: Ints, rows_passed_on: Floats,
    rows_button: Floats, rows_call_back_ms: Ints, rows_detect: Floats,
    people_speed: Floats, people_absorption: Floats, people_absent: Floats,
    heard_base: Floats, resolved_base: Floats, heard_by_bot: Floats, strained: Ints, half_life: Floats,
    overflow_ms: Ints,
    intensity_of: Floats, tier: Ints, queue_of: Ints, chain: Ints, head: Ints, tail: Ints, waiting: Ints,
    status: Ints, since: Ints, load: Floats, load_at: Ints, load_key: Floats, owed: Ints,
    leaving: Ints, spell: Ints, shift_of: Ints, act_first: Ints, act_last: Ints, exhaustion: Floats,
    exhaustion_day: Ints, ahead: Ints, behind: Ints, ready: Ints, place_of: Ints, spare: Ints, base: Ints,
    resting: Ints, signed_on: Ints, to_leave: Ints, first: Ints, last: Ints, n_ready: Ints, n_spare: Ints,
    heap: Ints,
    c_outcome: Ints, c_arrive_ms: Ints, c_reach_ms: Ints, c_end_ms: Ints, c_bot_ms: Ints, c_agent: Ints,
    c_talk_ms: Ints, c_acw_ms: Ints, c_full_ms: Ints, c_ending: Ints, c_flags: Ints, c_intensity: Floats,
    c_load: Floats, c_unmet: Floats, c_heard: Floats, c_if_heard: Floats, c_if_not: Floats,
    s_agent: Ints, s_shift: Ints, s_on_ms: Ints, s_off_ms: Ints, s_talk_ms: Ints, s_acw_ms: Ints,
    s_idle_ms: Ints, s_rest_ms: Ints, s_break_ms: Ints, s_lunch_ms: Ints, s_offline_ms: Ints,
    s_decompression_ms: Ints, s_unpaid_ms: Ints, s_over_ms: Ints, s_due_ms: Ints, s_contacts: Ints,
    s_load_area: Floats, s_load_end: Floats, s_exhaustion: Floats,
    absent: Ints,
) -> int:  # fmt: skip
    """Fill the records; how many spells there were. A name starts with the part that it is from."""
    n_types, n_needs, n_table = len(types_acw_ms), len(needs_birth_ms), len(timetable)
    n_agents, n_queues, n_ears = len(staffing_group_of), len(waiting), len(ears_target)
    threshold, by_load = b.load_threshold, routing_by_load
    n_waiting = 0
    n_heap = 0
    n_spells = 0
    s_load_taken = s_load_area  # until the end, when it becomes the area
    at_birth = 0
    at_table = 0
    next_birth = FAR
    next_table = FAR
    if n_needs > 0:
        next_birth = needs_birth_ms[0] << 28 | ARRIVE << 23
    if n_table > 0:
        next_table = timetable[0]

    while True:
        key = min(next_birth, next_table)
        if n_heap > 0 and heap[0] < key:
            key = heap[0]
            n_heap = _pop(heap, n_heap)
        elif next_birth == key:
            if key != FAR:
                at_birth += 1
                next_birth = FAR
                if at_birth < n_needs:
                    next_birth = needs_birth_ms[at_birth] << 28 | ARRIVE << 23 | at_birth
        else:
            at_table += 1
            next_table = FAR
            if at_table < n_table:
                next_table = timetable[at_table]
        now = key >> 28
        if now >= stop:
            break
        event = key >> 23 & 31
        who = key & (w.MAX_ROWS - 1)

        # What this event leads to; each section below may set a later one's.
        joining, arriving, reaching, freeing, going_home, caller, server = -1, -1, -1, -1, -1, -1, -1
        gives_up, ended, ending, over_at, onward_from = -1, -1, 0, now, -1

        if event == FREE:
            agent = who
            if status[agent] != BUSY:
                before = load[agent]
                _settle(agent, now, b.rest_half_life_ms, threshold, load, load_at, spell, s_over_ms)
                s_load_taken[spell[agent]] += rules.load_rested(
                    before - load[agent], b.rest_half_life_ms, half_life[staffing_group_of[agent]]
                )
                if status[agent] == REST:
                    resting[staffing_group_of[agent]] -= 1
            freeing = agent
        elif event in (ARRIVE, RETURN):
            arriving = who
        elif event == REACH:
            reaching = who
        elif event == ABANDON:
            if c_outcome[who] == r.WAITING:
                waiting[queue_of[who]] -= 1
                n_waiting -= 1
                c_outcome[who] = r.ABANDONED
                c_end_ms[who] = now
                gives_up = who
        elif event == OVERFLOW:
            if c_outcome[who] == r.WAITING:
                q = queue_of[who]
                server = _first_ready(
                    q,
                    now - c_reach_ms[who],
                    routing_order,
                    routing_delay,
                    by_load,
                    first,
                    ready,
                    n_ready,
                    base,
                )
                if server >= 0:
                    waiting[q] -= 1
                    n_waiting -= 1
                    caller = who
        elif event == SIGN_ON:
            agent = staffing_agent[who]
            group = staffing_group_of[agent]
            absent[who] = 1
            if status[agent] == OFF and now < staffing_end_ms[who]:
                days = staffing_day[who] - exhaustion_day[agent]
                if days > 0:
                    exhaustion[agent] = rules.exhaustion_next(b, exhaustion[agent], days, 0.0)
                    exhaustion_day[agent] = staffing_day[who]
                absence = rules.p_absent(
                    b, groups_absence[group], exhaustion[agent], groups_exhaustion[group]
                )
                if not people_absent[who] < absence:
                    absent[who] = 0
                    act_first[agent] = staffing_act_from[who]
                    act_last[agent] = act_first[agent]
                    shift_of[agent] = who
                    joining = agent
        elif event == CAPACITY:
            group = staffing_slot_group[who]
            if staffing_slot_change[who] > 0:
                n_spare[group] -= 1
                if n_spare[group] < 0:
                    raise IndexError("capacity grows beyond the agents there are")
                agent = spare[base[group] + n_spare[group]]
                days = now // DAY_MS - exhaustion_day[agent]
                if days > 0:
                    exhaustion[agent] = rules.exhaustion_next(b, exhaustion[agent], days, 0.0)
                    exhaustion_day[agent] = now // DAY_MS
                shift_of[agent] = -1
                joining = agent
            elif n_ready[group] > 0:
                going_home = ready[base[group]] if by_load else first[group]
            else:
                to_leave[group] += 1
        elif event == ACTIVITY:
            agent = staffing_agent[shift_of_act[who]]
            if shift_of[agent] == shift_of_act[who] and status[agent] != OFF:
                if act_first[agent] == act_last[agent]:
                    act_first[agent] = who
                act_last[agent] = who + 1
                if status[agent] == IDLE:
                    freeing = agent
        elif event == SIGN_OFF:
            agent = staffing_agent[who]
            if shift_of[agent] == who and status[agent] != OFF:
                if status[agent] == IDLE:
                    going_home = agent
                else:
                    leaving[agent] = 1
        else:
            # The doors close: those for whom nobody is there any more, or everybody, are sent away.
            for q in range(n_queues):
                if waiting[q] == 0:
                    continue
                staffed = False
                for k in range(routing_order.shape[1]):
                    if routing_order[q, k] < 0:
                        break
                    if signed_on[routing_order[q, k]] > 0:
                        staffed = True
                if clock_at_close == w.SERVE_OUT and staffed:
                    continue
                row = head[q]
                while waiting[q] > 0:
                    if c_outcome[row] == r.WAITING:
                        waiting[q] -= 1
                        n_waiting -= 1
                        c_outcome[row] = r.CLOSED
                        c_end_ms[row] = now
                    row = chain[row]

        if joining >= 0:
            # Somebody is at work; load has eased since the last time.
            agent = joining
            spell[agent] = n_spells
            s_agent[n_spells] = agent
            s_shift[n_spells] = shift_of[agent]
            s_on_ms[n_spells] = now
            s_exhaustion[n_spells] = exhaustion[agent]
            n_spells += 1
            load[agent] = rules.decayed(load[agent], now - load_at[agent], b.off_half_life_ms)
            load_at[agent] = now
            s_load_taken[spell[agent]] = load[agent]
            leaving[agent] = 0
            owed[agent] = 0
            signed_on[staffing_group_of[agent]] += 1
            freeing = agent

        if arriving >= 0:
            # A contact starts: with the bot, where one is offered and up, or with people.
            row = arriving
            need = rows_need[row]
            kind = needs_type[need]
            c_arrive_ms[row] = now
            fate = d.NO_BOT
            if tier[need] == 0:
                fate = rows_fate[row]
                if fate != d.NO_BOT and not _bot_is_up(
                    kind, now, bot_from_ms, bot_to_ms, bot_outage_from, bot_outage_to
                ):
                    fate = d.NO_BOT
            if fate == d.NO_BOT:
                reaching = row
            else:
                c_bot_ms[row] = rows_bot_ms[row]
                over_at = now + rows_bot_ms[row]
                if rows_refused[row]:
                    c_flags[row] |= r.REFUSED
                    intensity_of[need] = min(1.0, intensity_of[need] + b.bot_loop_intensity)
                intensity = intensity_of[need]
                c_intensity[row] = intensity
                if fate == d.HANDED_OVER:
                    c_outcome[row] = r.IN_BOT
                    if not rows_context[row]:
                        c_flags[row] |= r.REPEATS
                    if over_at < stop:
                        n_heap = _push(heap, n_heap, over_at << 28 | REACH << 23 | row)
                elif fate == d.HUNG_UP:
                    c_outcome[row] = r.HUNG_UP
                    c_end_ms[row] = over_at
                    gives_up = row
                else:
                    # The log says contained; whether it is, the customer knows.
                    resolved = fate == d.CONTAINED
                    heard = rules.odds(
                        rules.heard_odds(b, heard_by_bot[kind], intensity, 0.0, 0.0, 0.0, 0, 0)
                    )
                    met = 1.0 if resolved else 0.0
                    c_outcome[row] = r.CONTAINED if resolved else r.CONTAINED_FALSELY
                    c_end_ms[row] = over_at
                    c_heard[row] = heard
                    c_if_heard[row] = met
                    c_if_not[row] = met
                    ending = rules.ending_of(resolved, rows_heard[row] < heard)
                    c_ending[row] = ending
                    if not resolved:
                        intensity_of[need] = min(1.0, intensity_of[need] + b.bot_loop_intensity)
                    ended = row

        if reaching >= 0:
            # A contact reaches the people's queue: an agent at once, a place in the line, or neither.
            row = reaching
            need = rows_need[row]
            kind = needs_type[need]
            c_reach_ms[row] = now
            c_intensity[row] = intensity_of[need]
            if not clock_always_open and not _is_open(now, clock_open_ms, clock_close_ms):
                if clock_out_of_hours == w.CALL_BACK:
                    # In the first hour of the next opening.
                    c_outcome[row] = r.WAITING
                    for day in range(now // DAY_MS, len(clock_open_ms)):
                        if now < clock_open_ms[day] < w.NEVER:
                            c_flags[row] |= r.CALLED_BACK
                            length = clock_close_ms[day] - clock_open_ms[day]
                            when = clock_open_ms[day] + min(rows_call_back_ms[row], length - 1)
                            if when < stop:
                                n_heap = _push(heap, n_heap, when << 28 | REACH << 23 | row)
                            break
                else:
                    c_outcome[row] = r.CLOSED
                    c_end_ms[row] = now
            else:
                # Second tier for escalations; the flagged queue where a detector hears something.
                q = kind
                if tier[need]:
                    c_flags[row] |= r.TIER_TWO
                    q = w.SECOND_TIER * n_types + kind
                else:
                    flagged = False
                    for k in range(n_ears):
                        if not ears_listens[k, kind]:
                            continue
                        there = rules.sees(
                            ears_target[k], ears_above[k], intensity_of[need], needs_vulnerable[need],
                            needs_keyword[need],
                        )  # fmt: skip
                        u = rows_detect[k, row]
                        if there and u < ears_sensitivity[k]:
                            c_flags[row] |= r.FLAG_RIGHT
                            flagged = True
                        elif there:
                            c_flags[row] |= r.FLAG_MISSED
                        elif u < 1.0 - ears_specificity[k]:
                            c_flags[row] |= r.FLAG_WRONG
                            flagged = True
                    if flagged:
                        q = w.FLAGGED * n_types + kind
                queue_of[row] = q
                server = _first_ready(
                    q, 0, routing_order, routing_delay, by_load, first, ready, n_ready, base
                )
                if server >= 0:
                    caller = row
                elif 0 < routing_max_queue <= n_waiting and not c_flags[row] & r.CALLED_BACK:
                    c_outcome[row] = r.TURNED_AWAY
                    c_end_ms[row] = now
                    gives_up = row
                else:
                    interval = c_arrive_ms[row] % DAY_MS // clock_interval_ms
                    patience = rows_patience_unit[row] * types_patience_ms[kind, interval]
                    called_back = c_flags[row] & r.CALLED_BACK
                    if patience <= 0.0 and not called_back:
                        c_outcome[row] = r.ABANDONED
                        c_end_ms[row] = now
                        gives_up = row
                    else:
                        c_outcome[row] = r.WAITING
                        if waiting[q] == 0:
                            head[q] = row
                        else:
                            chain[tail[q]] = row
                        tail[q] = row
                        waiting[q] += 1
                        n_waiting += 1
                        when = now + int(min(patience, float(w.NEVER)))
                        if when < stop and not called_back:
                            n_heap = _push(heap, n_heap, when << 28 | ABANDON << 23 | row)
                        for k in range(overflow_ms.shape[1]):
                            when = now + overflow_ms[q, k]
                            if now < when < stop:
                                n_heap = _push(heap, n_heap, when << 28 | OVERFLOW << 23 | row)

        leaver = freeing if freeing >= 0 else going_home
        if leaver >= 0 and status[leaver] == IDLE:
            # Time spent ready ends, with a break or with the shift.
            group = staffing_group_of[leaver]
            _no_longer_ready(
                leaver, group, by_load, first, last, ahead, behind, ready, place_of, n_ready, base,
                load_key, since,
            )  # fmt: skip
            s_idle_ms[spell[leaver]] += now - since[leaver]
            _settle(leaver, now, half_life[group], threshold, load, load_at, spell, s_over_ms)
            status[leaver] = AWAY

        if freeing >= 0:
            # What next: home, a break that is due, recovery, the next customer, or idle.
            agent = freeing
            group = staffing_group_of[agent]
            row = -1
            if n_waiting > 0:
                row = _next_in_line(
                    group, now, routing_queues, waiting, head, chain, c_outcome, c_reach_ms,
                    routing_delay_of_group, routing_priority,
                )  # fmt: skip
            going = leaving[agent] == 1 or to_leave[group] > 0
            serves_out = False
            if going and row >= 0 and clock_at_close == w.SERVE_OUT and not clock_always_open:
                serves_out = not _is_open(now, clock_open_ms, clock_close_ms)
            mine = spell[agent]
            if not going and shift_of[agent] < 0 and now - s_on_ms[mine] >= w.RELIEF_MS:
                # After eight hours somebody fresh takes an anonymous person's place, headset and all.
                s_off_ms[mine] = now
                s_load_end[mine] = load[agent]
                spell[agent] = n_spells
                s_agent[n_spells] = agent
                s_on_ms[n_spells] = now
                s_exhaustion[n_spells] = exhaustion[agent]
                n_spells += 1
                load[agent] = 0.0
                owed[agent] = 0
            rests = False
            if owed[agent] > 0 and not going:
                # Service is protected: not too many at once, not while too many wait.
                rests = (
                    resting[group] + 1 <= max(1.0, levers_rest_share * signed_on[group])
                    and _waiting_for(group, routing_queues, waiting) <= levers_rest_queue
                )
            if going and not serves_out:
                if leaving[agent] == 0:
                    to_leave[group] -= 1
                going_home = agent
            elif not going and act_first[agent] < act_last[agent]:
                act = act_first[agent]
                act_first[agent] += 1
                length = staffing_act_length_ms[act]
                mine = spell[agent]
                if staffing_act_kind[act] == w.BREAK:
                    s_break_ms[mine] += length
                elif staffing_act_kind[act] == w.LUNCH:
                    s_lunch_ms[mine] += length
                elif staffing_act_kind[act] == w.OFFLINE:
                    s_offline_ms[mine] += length
                else:
                    s_decompression_ms[mine] += length
                if not staffing_act_paid[act]:
                    s_unpaid_ms[mine] += length
                status[agent] = AWAY
                if now + length < stop:
                    n_heap = _push(heap, n_heap, now + length << 28 | FREE << 23 | agent)
            elif rests:
                length = owed[agent]
                owed[agent] = 0
                s_rest_ms[spell[agent]] += length
                status[agent] = REST
                resting[group] += 1
                if now + length < stop:
                    n_heap = _push(heap, n_heap, now + length << 28 | FREE << 23 | agent)
            elif row >= 0:
                waiting[queue_of[row]] -= 1
                n_waiting -= 1
                status[agent] = BUSY
                caller = row
                server = agent
            else:
                status[agent] = IDLE
                since[agent] = now
                n = n_ready[group]
                n_ready[group] = n + 1
                if by_load:
                    load_key[agent] = rules.idle_key(load[agent], now, half_life[group])
                    ready[base[group] + n] = agent
                    _rise(ready, place_of, base[group], n, load_key, since)
                else:
                    behind[agent] = -1
                    if n > 0:
                        ahead[agent] = last[group]
                        behind[last[group]] = agent
                    else:
                        ahead[agent] = -1
                        first[group] = agent
                    last[group] = agent

        if going_home >= 0:
            # Gone; what is left of the load feeds exhaustion.
            agent = going_home
            group = staffing_group_of[agent]
            mine = spell[agent]
            s_off_ms[mine] = now
            s_load_end[mine] = load[agent]
            exhaustion[agent] = rules.exhaustion_next(b, exhaustion[agent], 0, load[agent])
            status[agent] = OFF
            leaving[agent] = 0
            shift_of[agent] = -1
            spell[agent] = -1
            signed_on[group] -= 1
            if len(staffing_agent) == 0:
                spare[base[group] + n_spare[group]] = agent
                n_spare[group] += 1

        if caller >= 0:
            # An agent takes a contact: how long it will take, how it will end, what it leaves behind.
            row = caller
            agent = server
            need = rows_need[row]
            kind = needs_type[need]
            group = staffing_group_of[agent]
            mine = spell[agent]
            intensity = intensity_of[need]
            empathy = groups_empathy[group]
            if status[agent] == IDLE:
                _no_longer_ready(
                    agent, group, by_load, first, last, ahead, behind, ready, place_of, n_ready, base,
                    load_key, since,
                )  # fmt: skip
                s_idle_ms[mine] += now - since[agent]
            _settle(agent, now, half_life[group], threshold, load, load_at, spell, s_over_ms)
            load_now = load[agent]

            interval = c_arrive_ms[row] % DAY_MS // clock_interval_ms
            speed = people_speed[agent] * groups_speed[group, kind]
            talk = rows_talk_unit[row] * types_talk_ms[kind, interval] * rules.talk_factor(
                b, speed, load_now, now - s_on_ms[mine], intensity, empathy, levers_scripts
            )  # fmt: skip
            repeats = 0
            if c_flags[row] & r.REPEATS:
                talk += b.handover_ms
                repeats = 1
            acw = rows_acw_unit[row] * types_acw_ms[kind] * speed
            full = talk + acw
            cut = 0.0
            if n_waiting > 0:
                cut = talk * rules.hurried_share(b, _waiting_for(group, routing_queues, waiting))
            if levers_target_ms[kind] > 0.0:
                cut += levers_cut[kind] * rules.over_target(full - cut, levers_target_ms[kind])
            unmet = 0.0
            if cut > 0.0:
                unmet = rules.unmet_share(b, cut, full)
                talk = talk - cut
                if talk < 0.0:
                    acw = max(0.0, acw + talk)
                    talk = 0.0
            talk_ms = max(1, int(talk + 0.5))
            acw_ms = int(acw + 0.5)
            over_at = now + talk_ms

            heard = rules.odds(rules.heard_odds(
                b, heard_base[group, kind], intensity, empathy, unmet, load_now, repeats,
                now - c_reach_ms[row],
            ))  # fmt: skip
            last_one = rows_attempt[row] + 1 >= b.max_attempts
            if cut > 0.0 and not last_one and rules.is_passed_on(b, cut, full, rows_passed_on[row]):
                c_flags[row] |= r.PASSED_ON
                tier[need] = 1
                onward_from = row
            else:
                log_odds = rules.resolved_odds(
                    b, resolved_base[group, kind], needs_difficulty[need], unmet, load_now
                )
                if_heard = rules.odds(log_odds)
                if_not = if_heard
                if rules.unsafe(b, needs_vulnerable[need], intensity):
                    if_not = rules.odds(log_odds + b.resolved_not_heard)
                c_if_heard[row] = if_heard
                c_if_not[row] = if_not
                was_heard = rows_heard[row] < heard
                ending = rules.ending_of(rows_resolved[row] < (if_heard if was_heard else if_not), was_heard)
                c_ending[row] = ending
                if rows_escalates[row] < rules.p_escalate(b, ending) and not last_one:
                    c_flags[row] |= r.ESCALATED
                    tier[need] = 1
                    onward_from = row
                else:
                    ended = row

            if levers_rest_ms > 0:
                # What can be seen of a contact may make a recovery pause due.
                n = levers_rest_on_type[kind]
                if 0 < levers_rest_over_ms < talk_ms + acw_ms:
                    n += 1
                if levers_rest_on_flag and c_flags[row] & (r.FLAG_RIGHT | r.FLAG_WRONG):
                    n += 1
                if (
                    levers_rest_on_button
                    and intensity > b.intense_above
                    and rows_button[row] < b.button_uptake
                ):
                    n += 1
                if intensity > levers_rest_on_intensity:
                    n += 1
                due = rules.rest_due(n, levers_rest_ms, levers_rest_hardest_ms)
                if due > 0:
                    c_flags[row] |= r.REST_DUE
                    s_due_ms[mine] += due
                    left = levers_rest_budget_ms - s_rest_ms[mine] - owed[agent]
                    owed[agent] += max(0, min(due, left))
            c_outcome[row] = r.ANSWERED
            c_end_ms[row] = now
            c_agent[row] = agent
            c_talk_ms[row] = talk_ms
            c_acw_ms[row] = acw_ms
            c_full_ms[row] = int(full + 0.5)
            c_intensity[row] = intensity
            c_load[row] = load_now
            c_unmet[row] = unmet
            c_heard[row] = heard
            s_talk_ms[mine] += talk_ms
            s_acw_ms[mine] += acw_ms
            s_contacts[mine] += 1
            status[agent] = BUSY
            when = over_at + acw_ms
            _settle(agent, when, half_life[group], threshold, load, load_at, spell, s_over_ms)
            gained = rules.load_gained(
                intensity, talk_ms, rules.load_rate(b, people_absorption[agent], strained[kind])
            )
            s_load_taken[mine] += gained
            load[agent] += gained
            if when < stop:
                n_heap = _push(heap, n_heap, when << 28 | FREE << 23 | agent)

        comes_back = False
        if gives_up >= 0:
            # Without having been served: a redial within the hour, or a need unmet.
            row = gives_up
            if rows_redials[row] < b.redial and rows_attempt[row] + 1 < b.max_attempts:
                c_flags[row] |= r.REDIALS
                tier[rows_need[row]] = 0
                over_at += rows_redial_ms[row]
                comes_back = True
                onward_from = row
        elif ended >= 0:
            # By how it ended, the customer comes back after a while, more upset.
            row = ended
            if rows_returns[row] < rules.p_return(b, ending) and rows_attempt[row] + 1 < b.max_attempts:
                need = rows_need[row]
                c_flags[row] |= r.RETURNS
                intensity_of[need] = min(1.0, intensity_of[need] + b.return_intensity)
                tier[need] = 0
                over_at += rows_return_ms[row]
                comes_back = True
                onward_from = row
        if onward_from >= 0:
            row = rows_next[onward_from]
            if row < 0:
                raise RuntimeError("a journey goes on for which nothing was drawn")
            if comes_back and over_at < stop and not clock_always_open:
                closed = not _is_open(over_at, clock_open_ms, clock_close_ms)
                if closed:
                    # Whoever would call while nobody is there calls at some time of the next opening.
                    for day in range(over_at // DAY_MS, len(clock_open_ms)):
                        if over_at < clock_open_ms[day] < w.NEVER:
                            length = clock_close_ms[day] - clock_open_ms[day]
                            over_at = clock_open_ms[day] + rows_call_back_ms[row] * length // w.HOUR_MS
                            break
            if over_at < stop:
                n_heap = _push(heap, n_heap, over_at << 28 | RETURN << 23 | row)

    for agent in range(n_agents):
        if status[agent] != OFF:
            mine = spell[agent]
            if status[agent] == IDLE:
                s_idle_ms[mine] += stop - since[agent]
                _settle(
                    agent, stop, half_life[staffing_group_of[agent]], threshold, load, load_at, spell,
                    s_over_ms,
                )  # fmt: skip
            s_off_ms[mine] = stop
            s_load_end[mine] = load[agent]
    for mine in range(n_spells):
        s_load_area[mine] = rules.load_area(
            s_load_taken[mine], s_load_end[mine], half_life[staffing_group_of[s_agent[mine]]]
        )
    return n_spells


# --- compiling ----------------------------------------------------------------------------------------------

_HELPERS = (
    _push, _pop, _less_loaded, _rise, _sink, _first_ready, _no_longer_ready, _next_in_line, _waiting_for,
    _settle, _is_open, _bot_is_up,
)  # fmt: skip
SOURCES = ("draws.py", "kernel.py", "records.py", "rules.py", "world.py")
"""What the compiled loop is made of."""
_lock = Lock()
_compiled: list[Any] = []


def cache_folder() -> Path | None:
    """Where the compiled loop is kept: a folder for these very sources; None if it cannot be written.

    Numba's own cache watches a function's file alone and would keep a kernel with yesterday's rules.
    """
    numba: Any = import_module("numba")
    print_of = hashlib.sha256(f"{numba.__version__} {numba.config.BOUNDSCHECK}".encode())
    for name in SOURCES:
        source = Path(__file__).parent / name
        print_of.update(source.name.encode() + b"\0" + source.read_bytes())
    chosen = os.environ.get("UNHURRIED_CACHE")
    root = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "unhurried"
    try:
        folder = root.expanduser() / f"kernel-{print_of.hexdigest()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f"probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
        os.utime(folder)
    except (OSError, RuntimeError):
        return None
    with suppress(OSError):
        newest = sorted(folder.parent.glob("kernel-*"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in newest[CACHES_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
    return folder


def _engine() -> Any:
    """The loop as Numba has wrapped it; compiled, or loaded, when first called."""
    with _lock:
        if not _compiled:
            numba: Any = import_module("numba")
            # Without reference counts (nothing is allocated in here) the loop runs twice as fast.
            counts: Any = {"_nrt": False} if hasattr(numba.core.options.DefaultOptions, "_nrt") else {}
            jitable = numba.extending.register_jitable(
                no_cpython_wrapper=True, no_cfunc_wrapper=True, **counts
            )
            for function in (*_HELPERS, *filter(isfunction, vars(rules).values())):
                jitable(function)
            folder, before = cache_folder(), numba.config.CACHE_DIR
            if folder is not None:
                numba.config.CACHE_DIR = str(folder)
            try:
                _compiled.append(numba.njit(nogil=True, cache=folder is not None, **counts)(_loop))
            finally:
                numba.config.CACHE_DIR = before
        return _compiled[0]


def is_cached() -> bool:
    """Whether the compiled loop is at hand."""
    if _compiled and getattr(_compiled[0], "signatures", True):
        return True
    folder = cache_folder()
    return folder is not None and any(folder.rglob("*.nbc"))


def warm_up(say: Callable[[str], None]) -> None:
    """Have the loop compiled, and say so where it takes a while: once for each version of the sources."""
    from sim.plain import plain_world

    if not is_cached():
        say("Compiling the simulation engine; this takes some seconds, once.")
    world = plain_world(arrivals_per_hour=1.0, agents=1)
    simulate(world, d.draw(world, 0, 0))


# --- outside ------------------------------------------------------------------------------------------------


def _fields_of(prefix: str, part: Any) -> dict[str, Any]:
    """A named tuple's fields by prefixed name, of one type each: else Numba compiles again."""
    fields: dict[str, Any] = {}
    for name, value in zip(part._fields, part, strict=True):
        if isinstance(value, np.ndarray):
            array = np.ascontiguousarray(value, np.float64 if value.dtype.kind == "f" else np.int64).view()
            array.flags.writeable = False
            fields[f"{prefix}_{name}"] = array
        elif getattr(part.__annotations__[name], "__forward_arg__", "") == "float":
            fields[f"{prefix}_{name}"] = float(value)
        else:
            fields[f"{prefix}_{name}"] = int(value)
    return fields


def _planned(world: World, people: People) -> Ints:
    """The sorted keys of all that is planned: shifts, activities, capacity and closing."""
    staffing, clock = world.staffing, world.clock
    parts = [
        (staffing.start_ms + people.late_ms, SIGN_ON),
        (staffing.end_ms, SIGN_OFF),
        (staffing.act_ms, ACTIVITY),
        (staffing.slot_ms, CAPACITY),
    ]
    if not clock.always_open:
        parts.append((clock.close_ms, CLOSE))
    keys = []
    for whens, kind in parts:
        last = min(clock.stop_ms, w.NEVER) if kind == CLOSE else clock.stop_ms
        who = np.flatnonzero(whens < last)
        keys.append(whens[who] << 28 | kind << 23 | who)
    return np.sort(np.concatenate(keys))


def _fed(world: World) -> Ints:
    """(G, .) the queues that a group serves and that anybody can ever join; -1 ends the list."""
    fed = w.fed_queues(world)
    lists = [[q for q in mine if q >= 0 and fed[q]] for mine in world.routing.queues.tolist()]
    queues = np.full((len(lists), max(1, *map(len, lists))), -1, np.int64)
    for mine, row in zip(lists, queues, strict=True):
        row[: len(mine)] = mine
    queues.flags.writeable = False
    return queues


def _from_rules(world: World) -> dict[str, Any]:
    """What the rules make of type, group and policy alone, and the waits after which other groups help."""
    b, types, groups, levers = world.behaviour, world.types, world.groups, world.levers
    heard, resolved = types.heard.tolist(), types.resolved.tolist()
    people = np.stack([groups.heard, groups.resolved, groups.specialist], axis=1).tolist()
    order, delay = world.routing.order.tolist(), world.routing.delay.tolist()
    overflow = np.zeros((len(order), len(people) + 1), np.int64)
    for q, row in enumerate(order):
        waits = {wait for group, wait in zip(row, delay[q], strict=True) if group >= 0 and wait > 0}
        overflow[q, : len(waits)] = sorted(waits)
    shape = len(people), len(heard)
    return {
        "heard_base": np.array(
            [
                [rules.heard_base(b, base, skill, special, levers.scripts) for base in heard]
                for skill, _, special in people
            ],
            np.float64,
        ).reshape(shape),
        "resolved_base": np.array(
            [
                [rules.resolved_base(b, base, skill, special, levers.authority) for base in resolved]
                for _, skill, special in people
            ],
            np.float64,
        ).reshape(shape),
        "heard_by_bot": np.array([rules.heard_base(b, base, 0.0, 0.0, 1) for base in heard], np.float64),
        "half_life": np.array(
            [rules.half_life_on_queue(b, rest) for rest in world.staffing.unseen_rest.tolist()], np.float64
        ),
        "strained": ((levers.target_ms > 0) | (levers.scripts != 0)).astype(np.int64),
        "overflow_ms": overflow[:, : max(1, int((overflow > 0).sum(axis=1).max(initial=0)))].copy(),
    }


def _at_first(world: World, draws: Draws, n_overflows: int) -> dict[str, Any]:
    """The state of customers and agents before anything has happened."""
    group_of = world.staffing.group_of
    n_rows, n_agents = len(draws.rows.need), len(group_of)
    n_groups, n_queues = len(world.groups.specialist), len(world.routing.order)
    sizes = np.bincount(group_of, minlength=n_groups).astype(np.int64)

    def zeros(n: int, names: str, kind: Any = np.int64) -> dict[str, Any]:
        return {name: np.zeros(n, kind) for name in names.split()}

    return {
        **zeros(n_rows, "queue_of chain"),
        **zeros(n_queues, "head tail waiting"),
        **zeros(
            n_agents, "status since load_at owed leaving spell shift_of act_first act_last exhaustion_day"
        ),
        **zeros(n_agents, "ahead behind ready place_of"),
        **zeros(n_agents, "load load_key", np.float64),
        **zeros(n_groups, "first last resting signed_on to_leave n_ready"),
        "intensity_of": draws.needs.intensity.copy(),
        "tier": np.zeros(len(draws.needs.type), np.int64),
        "exhaustion": world.groups.exhaustion[group_of],
        "base": np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        # Of those without a shift, the first of each group lies on top.
        "spare": np.lexsort((-np.arange(n_agents), group_of)),
        "n_spare": sizes,
        # An agent has one event ahead of them, a contact one of its own and those of its overflows.
        "heap": np.empty(n_agents + n_rows * (1 + n_overflows) + 8, np.int64),
    }


def simulate(world: World, draws: Draws) -> Records:
    """One replication, compiled."""
    w.check(world)
    contacts = r.blank_contacts(len(draws.rows.need))
    spells = r.blank_spells(r.most_spells(world))
    staffing = world.staffing
    absent = np.zeros(len(staffing.agent), np.int64)
    behaviour = _fields_of("b", world.behaviour)
    engine = _engine()
    tables = _from_rules(world)
    given = {
        "stop": world.clock.stop_ms,
        "b": Behaviour(*behaviour.values()),
        "timetable": _planned(world, draws.people),
        "shift_of_act": np.repeat(np.arange(len(staffing.agent)), np.diff(staffing.act_from)),
        "absent": absent,
        **tables,
        **_at_first(world, draws, tables["overflow_ms"].shape[1]),
        **{f"c_{name}": column for name, column in zip(contacts._fields, contacts, strict=True)},
        **{f"s_{name}": column for name, column in zip(spells._fields, spells, strict=True)},
    }
    parts = {
        "clock": world.clock, "types": world.types, "bot": world.bot, "ears": world.detectors,
        "groups": world.groups, "routing": world.routing, "levers": world.levers, "staffing": staffing,
        "needs": draws.needs, "rows": draws.rows, "people": draws.people,
    }  # fmt: skip
    for prefix, part in parts.items():
        given.update(_fields_of(prefix, part))
    given["routing_queues"] = _fed(world)
    n_spells = engine(*(given[name] for name in _ARGUMENTS))
    taken = np.flatnonzero(contacts.agent >= 0)
    contacts.done_ms[taken] = contacts.end_ms[taken] + contacts.talk_ms[taken] + contacts.acw_ms[taken]
    contacts.live[taken] = 1
    return Records(contacts, r.trimmed(spells, n_spells), absent)


_ARGUMENTS = _loop.__code__.co_varnames[: _loop.__code__.co_argcount]
