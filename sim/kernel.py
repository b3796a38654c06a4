"""The compiled twin of `model`: one event loop over arrays, with the SimPy model's records bit for bit.

The same worlds and draws, the same rules, the same order of simultaneous events; only the containers differ.
An event is one whole number, time << 28 | kind << 23 | id, and the next one is the least of three: the sorted
arrivals, the sorted timetable, and a binary heap of all that follows from them. Each event runs through the
loop's sections from top to bottom: somebody signs on, arrives, reaches the queue, becomes free, signs off, is
answered, comes back. Everything here is plain Python until `simulate` first has Numba compile it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from inspect import isfunction
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from sim import draws as d
from sim import records as r
from sim import rules
from sim import world as w
from sim.compiled import cache_folder, compiled, lock
from sim.draws import Block, Draws
from sim.records import Records, Spells, Written
from sim.world import DAY_MS, Behaviour, Floats, Ints, World

if TYPE_CHECKING:
    from sim.drawing import fill  # needs Numba, which is slow to import: `_engine` brings it

(
    ABANDON, SIGN_ON, CAPACITY, ACTIVITY, SIGN_OFF, FREE, CHAT_OVER, LOOK, ARRIVE, RETURN, REACH, OVERFLOW, CLOSE,
) = range(1, 14)  # fmt: skip
OFF, IDLE, BUSY, REST, AWAY, CHATTING = range(6)
FAR = (1 << 63) - 1
_NONE, _ONE = np.uint64(0), np.uint64(1)
CHANNELS = True
"""Whether the loop knows anything but calls. Numba takes it for a constant: see `_engine`."""


# --- containers ---------------------------------------------------------------------------------------------


def _push(heap: Ints, n: int, key: int) -> int:
    """Add a key to a heap of `n`; its new size."""
    # Places count without a sign: nothing has to ask whether one lies before the first.
    i = np.uint64(n)
    while i > _NONE:
        up = (i - _ONE) >> _ONE
        if heap[up] <= key:
            break
        heap[i] = heap[up]
        i = up
    heap[i] = key
    return n + 1


def _pop(heap: Ints, n: int) -> int:
    """Drop the least key of a heap of `n`; its new size."""
    last = np.uint64(n) - _ONE
    key = heap[last]
    heap[last] = FAR  # whoever is alone has a sister that is never chosen
    i, child = _NONE, _ONE
    while child < last:
        child += np.uint64(heap[child + _ONE] < heap[child])
        if heap[child] >= key:
            break
        heap[i] = heap[child]
        i = child
        child = i + i + _ONE
    heap[i] = key
    return n - 1


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
    """The best waiting contact for this group, of the queues given: priority, then longest wait; -1 for none."""
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


def _next_live(
    group: int, now: int, queues: Ints, waiting: Ints, head: Ints, chain: Ints, outcome: Ints, reach_ms: Ints,
    delay_of_group: Ints, priority: Ints, called_from: Ints,
) -> int:  # fmt: skip
    """The best of those who wait on the line, who have not been promised a call-back; -1 for none."""
    best, best_priority, best_reach = -1, 0, 0
    for k in range(queues.shape[1]):
        q = queues[group, k]
        if q < 0:
            break
        left, row = waiting[q], head[q]
        while left > 0:
            if outcome[row] == r.WAITING:
                left -= 1
                if len(called_from) == 0 or called_from[row] > now:
                    break
            row = chain[row]
        else:
            continue
        reach, mine = reach_ms[row], priority[group, q]
        if now - reach < delay_of_group[q, group]:
            continue
        if best < 0 or (mine, reach, row) < (best_priority, best_reach, best):
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


def _may_rest(
    group: int, resting: Ints, signed_on: Ints, queues: Ints, waiting: Ints, share: float, most_waiting: int
) -> bool:
    """Service is protected: not too many at once, not while too many wait."""
    if resting[group] + 1 > max(1.0, share * signed_on[group]):
        return False
    return bool(_waiting_for(group, queues, waiting) <= most_waiting)


# --- several chats at once ----------------------------------------------------------------------------------


def _rest_falls_due(
    row: int, kind: int, took_ms: int, intensity: float, agent: int, mine: int, b: Behaviour, on_type: Ints,
    over_ms: int, on_flag: int, on_button: int, on_intensity: float, rest_ms: int, hardest_ms: int,
    budget_ms: int, button: Floats, flags: Ints, s_due: Ints, s_rest: Ints, owed: Ints,
) -> None:  # fmt: skip
    """What can be seen of a contact may make a recovery pause due, and is flagged then."""
    n = on_type[kind]
    if 0 < over_ms < took_ms:
        n += 1
    if on_flag and flags[row] & (r.FLAG_RIGHT | r.FLAG_WRONG):
        n += 1
    if on_button and intensity > b.intense_above and button[row] < b.button_uptake:
        n += 1
    if intensity > on_intensity:
        n += 1
    due = rules.rest_due(n, rest_ms, hardest_ms)
    if due > 0:
        flags[row] |= r.REST_DUE
        s_due[mine] += due
        left = budget_ms - s_rest[mine] - owed[agent]
        owed[agent] += max(0, min(due, left))


def _relieve(
    agent: int, now: int, n_spells: int, spell: Ints, load: Floats, owed: Ints, exhaustion: Floats, s_agent: Ints,
    s_on_ms: Ints, s_off_ms: Ints, s_load_end: Floats, s_exhaustion: Floats,
) -> int:  # fmt: skip
    """After eight hours somebody fresh takes an anonymous person's place, headset and all; how many spells there are."""
    s_off_ms[spell[agent]] = now
    s_load_end[spell[agent]] = load[agent]
    spell[agent] = n_spells
    s_agent[n_spells] = agent
    s_on_ms[n_spells] = now
    s_exhaustion[n_spells] = exhaustion[agent]
    load[agent] = 0.0
    owed[agent] = 0
    return n_spells + 1


def _line_up(
    agent: int, number: int, first: Ints, last: Ints, ahead: Ints, behind: Ints, n_ready: Ints
) -> None:
    """Put the agent at the end of a list."""
    behind[agent] = -1
    if n_ready[number] > 0:
        ahead[agent] = last[number]
        behind[last[number]] = agent
    else:
        ahead[agent] = -1
        first[number] = agent
    last[number] = agent
    n_ready[number] += 1


def _with_room(
    group: int, n_groups: int, slots: Ints, first: Ints, behind: Ints, n_ready: Ints, to_leave: Ints,
    leaving: Ints, act_first: Ints, act_last: Ints, owed: Ints, may_rest: bool,
) -> int:  # fmt: skip
    """Who of the group takes a further chat: the fewest chats first, then the longest with so many; -1 for nobody.

    Not those for whom something is due, nor, of the others, as many as are to leave.
    """
    leave = to_leave[group]
    for level in range(1, slots[group]):
        number = level * n_groups + group
        agent = first[number] if n_ready[number] > 0 else -1
        while agent >= 0:
            due = leaving[agent] == 1 or act_first[agent] < act_last[agent] or (owed[agent] > 0 and may_rest)
            if not due:
                if leave == 0:
                    return int(agent)
                leave -= 1
            agent = behind[agent]
    return -1


def _attend(
    agent: int, now: int, half_life_ms: float, threshold: float, load: Floats, load_at: Ints, spell: Ints,
    s_over: Ints, s_load_taken: Floats, s_chat: Ints, s_slot: Ints, n_open: Ints, n_live: Ints, pull: Floats,
) -> None:  # fmt: skip
    """Bring somebody with chats up to now: minutes, decay of load, and what the live chats have added."""
    elapsed = now - load_at[agent]
    if elapsed == 0:
        return
    mine = spell[agent]
    s_chat[mine] += elapsed
    s_slot[mine] += elapsed * n_open[agent]
    _settle(agent, now, half_life_ms, threshold, load, load_at, spell, s_over)
    if n_live[agent] > 0:
        gained = rules.load_pulled(pull[agent], elapsed, n_live[agent])
        load[agent] += gained
        s_load_taken[mine] += gained


def _pace(
    here: int, n: int, elapsed: int, before: float, after: float, now: int, left: Ints, end: Ints
) -> None:
    """The agent's live chats (places `here` to `here` + n) go on at another speed; silent ones have no work left, -1."""
    for i in range(here, here + n):
        if left[i] >= 0:
            left[i] = rules.work_left(left[i], elapsed, before)
            end[i] = rules.work_ends(now, left[i], after)


def _next_end(here: int, n: int, end: Ints) -> int:
    """When the first of the agent's chats will be over."""
    soonest = FAR
    for i in range(here, here + n):
        soonest = min(soonest, end[i])
    return soonest


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
    from_need: int, to_need: int, from_row: int, n_spells: int, timetable: Ints,
    people_speed: Floats, people_absorption: Floats, people_talk: Floats, people_heard: Floats,
    people_resolved: Floats, people_empathy: Floats, people_absent: Floats, absent: Ints,
    stop: int, b: Behaviour, shift_of_act: Ints,
    clock_interval_ms: int, clock_open_ms: Ints, clock_close_ms: Ints, clock_at_close: int,
    clock_out_of_hours: int, clock_always_open: int,
    types_talk_ms: Floats, types_acw_ms: Floats, types_patience_ms: Floats, types_channel: Ints,
    types_silent: Floats, types_silent_ms: Ints,
    bot_from_ms: Ints, bot_to_ms: Ints, bot_outage_from: Ints, bot_outage_to: Ints,
    ears_target: Ints, ears_above: Floats, ears_sensitivity: Floats, ears_specificity: Floats,
    ears_listens: Ints,
    groups_speed: Floats, groups_absence: Floats, groups_exhaustion: Floats,
    groups_slots: Ints, groups_slowing: Floats, groups_reserved: Floats,
    routing_order: Ints, routing_delay: Ints, routing_delay_of_group: Ints, routing_priority: Ints,
    routing_queues: Ints, routing_max_queue: int, routing_by_load: int,
    levers_target_ms: Floats, levers_cut: Floats, levers_scripts: int, levers_rest_on_type: Ints,
    levers_rest_over_ms: int, levers_rest_on_flag: int, levers_rest_on_button: int,
    levers_rest_on_intensity: float, levers_rest_ms: int, levers_rest_hardest_ms: int,
    levers_rest_share: float, levers_rest_queue: int, levers_rest_budget_ms: int,
    levers_call_back_after_ms: Ints, levers_call_back_accepts: Floats, levers_call_back_unanswered: float,
    levers_call_back_dial_ms: int, levers_same_agent: int,
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
    sheet: Any, lines: Any, ears: Floats, whole: bool, needs_key: Any, needs_segment: Ints,
    has_offers: int, has_rings: int, has_silence: int,
    rows_silent: Floats, rows_accepts: Floats, rows_unanswered: Floats,
    heard_base: Floats, resolved_base: Floats, heard_by_bot: Floats, strained: Ints, half_life: Floats,
    overflow_ms: Ints,
    intensity_of: Floats, tier: Ints, served_by: Ints, queue_of: Ints, chain: Ints, head: Ints, tail: Ints, waiting: Ints,
    status: Ints, since: Ints, load: Floats, load_at: Ints, load_key: Floats, owed: Ints,
    leaving: Ints, spell: Ints, shift_of: Ints, act_first: Ints, act_last: Ints, exhaustion: Floats,
    exhaustion_day: Ints, ahead: Ints, behind: Ints, ready: Ints, place_of: Ints, spare: Ints, base: Ints,
    resting: Ints, signed_on: Ints, to_leave: Ints, first: Ints, last: Ints, n_ready: Ints, n_spare: Ints,
    heap: Ints,
    chats: int, deferred: int, queue_channel: Ints, live_queues: Ints, call_queues: Ints, chat_queues: Ints,
    deferred_queues: Ints, called_from: Ints, works_deferred: Ints, on_deferred: Ints,
    n_open: Ints, n_live: Ints, pull: Floats, paced_at: Ints, chat_at: Ints, chat_row: Ints, chat_left: Ints,
    chat_end: Ints, chat_pull: Floats, looking: Ints,
    c_outcome: Ints, c_arrive_ms: Ints, c_reach_ms: Ints, c_end_ms: Ints, c_bot_ms: Ints, c_agent: Ints,
    c_talk_ms: Ints, c_acw_ms: Ints, c_full_ms: Ints, c_ending: Ints, c_flags: Ints, c_intensity: Floats,
    c_load: Floats, c_unmet: Floats, c_heard: Floats, c_if_heard: Floats, c_if_not: Floats,
    c_done_ms: Ints, c_live: Ints,
    s_agent: Ints, s_shift: Ints, s_on_ms: Ints, s_off_ms: Ints, s_talk_ms: Ints, s_acw_ms: Ints,
    s_idle_ms: Ints, s_rest_ms: Ints, s_break_ms: Ints, s_lunch_ms: Ints, s_offline_ms: Ints,
    s_decompression_ms: Ints, s_unpaid_ms: Ints, s_over_ms: Ints, s_due_ms: Ints, s_contacts: Ints,
    s_chat_ms: Ints, s_slot_ms: Ints, s_load_area: Floats, s_load_end: Floats, s_exhaustion: Floats,
) -> int:  # fmt: skip
    """Fill the records of one replication; how many spells there are by now. A name starts with the part that it is from."""
    n_types, n_table, from_spell = len(types_acw_ms), len(timetable), n_spells
    n_agents, n_queues, n_ears = len(staffing_group_of), len(waiting), len(ears_target)
    threshold, by_load = b.load_threshold, routing_by_load
    n_groups, most_slots = len(signed_on), len(n_ready) // max(1, len(signed_on))
    # Constants where the loop is compiled for calls alone, so that nothing of what follows costs them anything.
    has_chat, has_deferred = CHANNELS and chats == 1, CHANNELS and deferred == 1
    offers, rings, silence = (
        CHANNELS and has_offers == 1,
        CHANNELS and has_rings == 1,
        CHANNELS and has_silence == 1,
    )
    n_waiting, n_deferred, n_chats = 0, 0, 0
    n_heap = 0
    s_load_taken = s_load_area  # until the end, when it becomes the area
    # The rows of first attempts stand in the order of their needs.
    row_of_birth = from_row - from_need
    at_birth, at_table = from_need, 0
    next_birth, next_table = FAR, FAR
    if at_birth < to_need:
        next_birth = needs_birth_ms[at_birth] << 28 | ARRIVE << 23 | row_of_birth + at_birth
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
                if at_birth < to_need:
                    next_birth = needs_birth_ms[at_birth] << 28 | ARRIVE << 23 | row_of_birth + at_birth
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
        gives_up, ended, ending, over_at, onward_from, asking, opening = -1, -1, 0, now, -1, -1, -1

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
            elif has_deferred and works_deferred[agent]:
                works_deferred[agent] = 0
                on_deferred[staffing_group_of[agent]] -= 1
            freeing = agent
        elif event in (ARRIVE, RETURN):
            arriving = who
        elif event == REACH:
            reaching = who
        elif event == ABANDON:
            if c_outcome[who] == r.WAITING:
                waiting[queue_of[who]] -= 1
                if has_deferred and queue_channel[queue_of[who]] == w.DEFERRED:
                    n_deferred -= 1
                else:
                    n_waiting -= 1
                if has_chat and queue_channel[queue_of[who]] == w.CHAT:
                    n_chats -= 1
                c_outcome[who] = r.ABANDONED
                c_end_ms[who] = now
                gives_up = who
        elif event == OVERFLOW:
            if c_outcome[who] == r.WAITING:
                asking = who
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
        elif has_chat and event == CHAT_OVER:
            # One chat is over, the one with the least row of those due; unless the agent's chats have changed since.
            if status[who] == CHATTING and chat_at[who] == now:
                agent = who
                group = staffing_group_of[agent]
                here, n = agent * most_slots, n_open[agent]
                _attend(
                    agent, now, half_life[group], threshold, load, load_at, spell, s_over_ms, s_load_taken,
                    s_chat_ms, s_slot_ms, n_open, n_live, pull,
                )  # fmt: skip
                place = -1
                for i in range(here, here + n):
                    if chat_end[i] == now and (place < 0 or chat_row[i] < chat_row[place]):
                        place = i
                row, was_live, its_pull = chat_row[place], chat_left[place] >= 0, chat_pull[place]
                other = here + n - 1
                chat_row[place], chat_left[place] = chat_row[other], chat_left[other]
                chat_end[place], chat_pull[place] = chat_end[other], chat_pull[other]
                if n < groups_slots[group]:
                    _no_longer_ready(
                        agent, n * n_groups + group, 0, first, last, ahead, behind, ready, place_of, n_ready,
                        base, load_key, since,
                    )  # fmt: skip
                n_open[agent] = n - 1
                c_done_ms[row] = now
                if was_live:
                    _pace(
                        here, n - 1, now - paced_at[agent], groups_slowing[group, n_live[agent]],
                        groups_slowing[group, n_live[agent] - 1], now, chat_left, chat_end,
                    )  # fmt: skip
                    paced_at[agent] = now
                    n_live[agent] -= 1
                    pull[agent] = pull[agent] - its_pull if n_live[agent] > 0 else 0.0
                    # What it leaves behind was decided when it started.
                    need = rows_need[row]
                    if levers_rest_ms > 0:
                        _rest_falls_due(
                            row, needs_type[need], now - c_end_ms[row], c_intensity[row], agent, spell[agent],
                            b, levers_rest_on_type, levers_rest_over_ms, levers_rest_on_flag,
                            levers_rest_on_button, levers_rest_on_intensity, levers_rest_ms,
                            levers_rest_hardest_ms, levers_rest_budget_ms, rows_button, c_flags, s_due_ms,
                            s_rest_ms, owed,
                        )  # fmt: skip
                    if c_flags[row] & (r.PASSED_ON | r.ESCALATED):
                        tier[need] = 1
                        onward_from = row
                    else:
                        ended, ending = row, c_ending[row]
                if n == 1:
                    chat_at[agent] = FAR
                    status[agent] = BUSY
                    n_heap = _push(heap, n_heap, now << 28 | FREE << 23 | agent)
                else:
                    mine = spell[agent]
                    if shift_of[agent] < 0 and to_leave[group] == 0 and now - s_on_ms[mine] >= w.RELIEF_MS:
                        # Somebody fresh takes over in the middle of other chats.
                        n_spells = _relieve(
                            agent, now, n_spells, spell, load, owed, exhaustion, s_agent, s_on_ms, s_off_ms,
                            s_load_end, s_exhaustion,
                        )  # fmt: skip
                    _line_up(agent, (n - 1) * n_groups + group, first, last, ahead, behind, n_ready)
                    chat_at[agent] = _next_end(here, n - 1, chat_end)
                    if chat_at[agent] < stop:
                        n_heap = _push(heap, n_heap, chat_at[agent] << 28 | CHAT_OVER << 23 | agent)
        elif has_chat and event == LOOK:
            # A chat waits, and somebody has room for another.
            group = who
            looking[group] = 0
            if (
                _next_in_line(
                    group, now, call_queues, waiting, head, chain, c_outcome, c_reach_ms,
                    routing_delay_of_group, routing_priority,
                ) < 0
            ):  # fmt: skip
                row = _next_in_line(
                    group, now, chat_queues, waiting, head, chain, c_outcome, c_reach_ms,
                    routing_delay_of_group, routing_priority,
                )  # fmt: skip
                if row >= 0:
                    server = _with_room(
                        group, n_groups, groups_slots, first, behind, n_ready, to_leave, leaving, act_first,
                        act_last, owed,
                        _may_rest(
                            group, resting, signed_on, live_queues, waiting, levers_rest_share, levers_rest_queue
                        ),
                    )  # fmt: skip
                    if server >= 0:
                        waiting[queue_of[row]] -= 1
                        n_waiting -= 1
                        n_chats -= 1
                        caller = row
        else:
            # The doors close: those for whom nobody is there any more, or everybody, are sent away.
            for q in range(n_queues):
                if waiting[q] == 0 or (has_deferred and queue_channel[q] == w.DEFERRED):
                    continue
                staffed = False
                for k in range(routing_order.shape[1]):
                    if routing_order[q, k] < 0:
                        break
                    if signed_on[routing_order[q, k]] > 0:
                        staffed = True
                if clock_at_close == w.SERVE_OUT and staffed:
                    continue
                row, left_here = head[q], waiting[q]
                while left_here > 0:
                    if c_outcome[row] == r.WAITING:
                        left_here -= 1
                        if not (offers and called_from[row] <= now):
                            waiting[q] -= 1
                            n_waiting -= 1
                            if has_chat and queue_channel[q] == w.CHAT:
                                n_chats -= 1
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
            c_reach_ms[row] = -1
            c_end_ms[row] = -1
            c_bot_ms[row] = 0
            c_agent[row] = -1
            c_talk_ms[row] = 0
            c_acw_ms[row] = 0
            c_full_ms[row] = 0
            c_ending[row] = -1
            c_flags[row] = 0
            c_load[row] = 0.0
            c_unmet[row] = 0.0
            c_heard[row] = 0.0
            c_if_heard[row] = 0.0
            c_if_not[row] = 0.0
            c_done_ms[row] = -1
            c_live[row] = 0
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
            closed = not clock_always_open and not _is_open(now, clock_open_ms, clock_close_ms)
            if closed and has_deferred:
                closed = types_channel[kind] != w.DEFERRED and clock_out_of_hours != w.MESSAGE
                if types_channel[kind] != w.DEFERRED and not closed:
                    c_flags[row] |= r.MESSAGE
            if closed:
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
                if c_flags[row] & r.MESSAGE:
                    q = w.MESSAGES * n_types + kind
                elif tier[need]:
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
                asking = row
                if levers_same_agent and tier[need] == 0:
                    # Whoever comes back goes to the person they know, if that person is idle and serves the queue.
                    agent = served_by[need]
                    if (
                        agent >= 0
                        and status[agent] == IDLE
                        and routing_delay_of_group[q, staffing_group_of[agent]] >= 0
                    ):
                        c_flags[row] |= r.SAME_AGENT
                        server = agent

        if asking >= 0:
            # Whom they get: the contact's preference of groups, then the longest idle, then room for a further chat.
            row = asking
            q = queue_of[row]
            waited = now - c_reach_ms[row]
            if server >= 0:
                pass  # somebody they know
            elif has_chat and queue_channel[q] == w.CHAT:
                for k in range(routing_order.shape[1]):
                    group = routing_order[q, k]
                    if group < 0 or server >= 0:
                        break
                    if routing_delay[q, k] > waited:
                        continue
                    if n_ready[group] > 0:
                        server = ready[base[group]] if by_load else first[group]
                    elif (
                        _next_in_line(
                            group, now, call_queues, waiting, head, chain, c_outcome, c_reach_ms,
                            routing_delay_of_group, routing_priority,
                        ) < 0
                    ):  # fmt: skip
                        server = _with_room(
                            group, n_groups, groups_slots, first, behind, n_ready, to_leave, leaving,
                            act_first, act_last, owed,
                            _may_rest(
                                group, resting, signed_on, live_queues, waiting, levers_rest_share,
                                levers_rest_queue,
                            ),
                        )  # fmt: skip
            else:
                server = _first_ready(
                    q, waited, routing_order, routing_delay, by_load, first, ready, n_ready, base
                )
            if server >= 0:
                caller = row
            if event == OVERFLOW:
                if server >= 0:
                    waiting[q] -= 1
                    if has_deferred and queue_channel[q] == w.DEFERRED:
                        n_deferred -= 1
                    else:
                        n_waiting -= 1
                    if has_chat and queue_channel[q] == w.CHAT:
                        n_chats -= 1
            elif server < 0:
                kind = needs_type[rows_need[row]]
                if has_deferred and queue_channel[q] == w.DEFERRED:
                    c_outcome[row] = r.WAITING
                    if waiting[q] == 0:
                        head[q] = row
                    else:
                        chain[tail[q]] = row
                    tail[q] = row
                    waiting[q] += 1
                    n_deferred += 1
                    if not c_flags[row] & r.MESSAGE:
                        interval = c_arrive_ms[row] % DAY_MS // clock_interval_ms
                        patience = rows_patience_unit[row] * types_patience_ms[kind, interval]
                        when = now + int(min(patience, float(w.NEVER)))
                        if when < stop:
                            n_heap = _push(heap, n_heap, when << 28 | ABANDON << 23 | row)
                    for k in range(overflow_ms.shape[1]):
                        when = now + overflow_ms[q, k]
                        if now < when < stop:
                            n_heap = _push(heap, n_heap, when << 28 | OVERFLOW << 23 | row)
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
                        if has_chat and queue_channel[q] == w.CHAT:
                            n_chats += 1
                        when = now + int(min(patience, float(w.NEVER)))
                        if offers and not called_back and levers_call_back_after_ms[kind] >= 0:
                            # A call-back instead of waiting will be accepted: no patience to lose.
                            offer = now + levers_call_back_after_ms[kind]
                            if offer < when and rows_accepts[row] < levers_call_back_accepts[kind]:
                                called_from[row] = offer
                                called_back = 1
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
            if n_waiting > 0 or (has_deferred and n_deferred > 0):
                row = _next_in_line(
                    group, now, routing_queues, waiting, head, chain, c_outcome, c_reach_ms,
                    routing_delay_of_group, routing_priority,
                )  # fmt: skip
            going = leaving[agent] == 1 or to_leave[group] > 0
            serves_out = False
            if going and row >= 0 and clock_at_close == w.SERVE_OUT and not clock_always_open:
                serves_out = not _is_open(now, clock_open_ms, clock_close_ms)
                if serves_out and (has_deferred or offers):
                    row = _next_live(
                        group, now, live_queues, waiting, head, chain, c_outcome, c_reach_ms,
                        routing_delay_of_group, routing_priority, called_from,
                    )  # fmt: skip
                    serves_out = row >= 0
            elif (
                has_deferred
                and not going
                and n_deferred > 0
                and on_deferred[group] < groups_reserved[group] * signed_on[group]
            ):
                other = _next_in_line(
                    group, now, deferred_queues, waiting, head, chain, c_outcome, c_reach_ms,
                    routing_delay_of_group, routing_priority,
                )  # fmt: skip
                if other >= 0:
                    row = other
            mine = spell[agent]
            if not going and shift_of[agent] < 0 and now - s_on_ms[mine] >= w.RELIEF_MS:
                n_spells = _relieve(
                    agent, now, n_spells, spell, load, owed, exhaustion, s_agent, s_on_ms, s_off_ms, s_load_end,
                    s_exhaustion,
                )  # fmt: skip
            rests = False
            if owed[agent] > 0 and not going:
                rests = _may_rest(
                    group, resting, signed_on, live_queues, waiting, levers_rest_share, levers_rest_queue
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
                if has_deferred and queue_channel[queue_of[row]] == w.DEFERRED:
                    n_deferred -= 1
                else:
                    n_waiting -= 1
                if has_chat and queue_channel[queue_of[row]] == w.CHAT:
                    n_chats -= 1
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
            # An agent takes a contact.
            row = caller
            agent = server
            need = rows_need[row]
            kind = needs_type[need]
            group = staffing_group_of[agent]
            mine = spell[agent]
            intensity = intensity_of[need]
            empathy = people_empathy[agent]
            if status[agent] == IDLE:
                _no_longer_ready(
                    agent, group, by_load, first, last, ahead, behind, ready, place_of, n_ready, base,
                    load_key, since,
                )  # fmt: skip
                s_idle_ms[mine] += now - since[agent]
            elif has_chat and status[agent] == CHATTING:
                _no_longer_ready(
                    agent, n_open[agent] * n_groups + group, 0, first, last, ahead, behind, ready, place_of,
                    n_ready, base, load_key, since,
                )  # fmt: skip
                _attend(
                    agent, now, half_life[group], threshold, load, load_at, spell, s_over_ms, s_load_taken,
                    s_chat_ms, s_slot_ms, n_open, n_live, pull,
                )  # fmt: skip
            _settle(agent, now, half_life[group], threshold, load, load_at, spell, s_over_ms)
            load_now = load[agent]
            s_contacts[mine] += 1
            c_end_ms[row] = now
            c_agent[row] = agent
            c_intensity[row] = intensity
            c_load[row] = load_now

            channel, live, waited, holds_ms = w.VOICE, 1, now - c_reach_ms[row], -1
            if has_chat or has_deferred:
                channel = queue_channel[queue_of[row]]
                if channel == w.CHAT:
                    live = n_live[agent] + 1
                elif channel == w.DEFERRED:
                    waited = 0
                    works_deferred[agent] = 1
                    on_deferred[group] += 1
            c_live[row] = live
            if offers and called_from[row] <= now:
                # On the line no longer than until the offer.
                waited = called_from[row] - c_reach_ms[row]
                c_flags[row] |= r.CALLED_BACK | r.CALL_BACK_TAKEN
                if rings and rows_unanswered[row] < levers_call_back_unanswered:
                    c_outcome[row] = r.UNREACHED
                    holds_ms = max(1, levers_call_back_dial_ms)
            elif (
                silence
                and channel == w.CHAT
                and not c_flags[row] & r.CALLED_BACK
                and rows_silent[row] < types_silent[kind]
            ):
                c_outcome[row] = r.SILENT
                holds_ms = max(1, types_silent_ms[kind])
            if CHANNELS and holds_ms >= 0:
                # Nobody is there: time is lost, and nothing else happens.
                gives_up = row
                caller = -1
                if channel == w.CHAT:
                    opening = row
                else:
                    c_acw_ms[row] = holds_ms
                    s_acw_ms[mine] += holds_ms
                    status[agent] = BUSY
                    when = now + holds_ms
                    c_done_ms[row] = when
                    _settle(agent, when, half_life[group], threshold, load, load_at, spell, s_over_ms)
                    if when < stop:
                        n_heap = _push(heap, n_heap, when << 28 | FREE << 23 | agent)

        if caller >= 0:
            # How long it will take, how it will end, what it leaves behind.
            interval = c_arrive_ms[row] % DAY_MS // clock_interval_ms
            speed = people_speed[agent] * groups_speed[group, kind]
            talk = rows_talk_unit[row] * types_talk_ms[kind, interval] * rules.talk_factor(
                b, speed * people_talk[agent], load_now, now - s_on_ms[mine], intensity, empathy, levers_scripts
            )  # fmt: skip
            known = 0
            if levers_same_agent:
                served_by[need] = agent
                if c_flags[row] & r.SAME_AGENT:
                    known = 1
                    talk = talk * rules.talk_with(b, 1)
            repeats = 0
            if c_flags[row] & r.REPEATS:
                talk += b.handover_ms
                repeats = 1
            acw = rows_acw_unit[row] * types_acw_ms[kind] * speed
            full = talk + acw
            cut = 0.0
            if n_waiting > 0:
                cut = talk * rules.hurried_share(b, _waiting_for(group, live_queues, waiting))
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

            base_heard = rules.heard_by(b, heard_base[group, kind], people_heard[agent], known)
            base_resolved = rules.resolved_by(b, resolved_base[group, kind], people_resolved[agent], known)
            if has_chat and live > 1:
                base_heard += b.heard_concurrency * (live - 1)
                base_resolved += b.resolved_concurrency * (live - 1)
            heard = rules.odds(
                rules.heard_odds(b, base_heard, intensity, empathy, unmet, load_now, repeats, waited)
            )
            last_one = rows_attempt[row] + 1 >= b.max_attempts
            if cut > 0.0 and not last_one and rules.is_passed_on(b, cut, full, rows_passed_on[row]):
                c_flags[row] |= r.PASSED_ON
                if channel != w.CHAT:
                    tier[need] = 1
                    onward_from = row
            else:
                log_odds = rules.resolved_odds(b, base_resolved, needs_difficulty[need], unmet, load_now)
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
                    if channel != w.CHAT:
                        tier[need] = 1
                        onward_from = row
                elif channel != w.CHAT:
                    ended = row
                elif rows_returns[row] < rules.p_return(b, ending) and not last_one:
                    c_flags[row] |= r.RETURNS

            if levers_rest_ms > 0 and channel != w.CHAT:
                _rest_falls_due(
                    row, kind, talk_ms + acw_ms, intensity, agent, mine, b, levers_rest_on_type,
                    levers_rest_over_ms, levers_rest_on_flag, levers_rest_on_button, levers_rest_on_intensity,
                    levers_rest_ms, levers_rest_hardest_ms, levers_rest_budget_ms, rows_button, c_flags,
                    s_due_ms, s_rest_ms, owed,
                )  # fmt: skip
            c_outcome[row] = r.ANSWERED
            c_talk_ms[row] = talk_ms
            c_acw_ms[row] = acw_ms
            c_full_ms[row] = int(full + 0.5)
            c_unmet[row] = unmet
            c_heard[row] = heard
            rate = rules.load_rate(b, people_absorption[agent], strained[kind])
            if channel == w.CHAT:
                opening = row
            else:
                s_talk_ms[mine] += talk_ms
                s_acw_ms[mine] += acw_ms
                status[agent] = BUSY
                when = over_at + acw_ms
                c_done_ms[row] = when
                _settle(agent, when, half_life[group], threshold, load, load_at, spell, s_over_ms)
                gained = rules.load_gained(intensity, talk_ms, rate)
                s_load_taken[mine] += gained
                load[agent] += gained
                if when < stop:
                    n_heap = _push(heap, n_heap, when << 28 | FREE << 23 | agent)

        if has_chat and opening >= 0:
            # A chat takes one of the agent's slots; the others go on at another speed.
            here, n = agent * most_slots, n_open[agent]
            status[agent] = CHATTING
            chat_row[here + n] = row
            if holds_ms >= 0:
                chat_left[here + n] = -1
                chat_end[here + n] = now + holds_ms
                chat_pull[here + n] = 0.0
            else:
                before, after = groups_slowing[group, live - 1], groups_slowing[group, live]
                _pace(here, n, now - paced_at[agent], before, after, now, chat_left, chat_end)
                paced_at[agent] = now
                n_live[agent] = live
                work_ms = talk_ms + acw_ms
                chat_left[here + n] = work_ms
                chat_end[here + n] = rules.work_ends(now, work_ms, after)
                chat_pull[here + n] = rules.load_pull(intensity, talk_ms, work_ms, rate)
                pull[agent] += chat_pull[here + n]
            n_open[agent] = n + 1
            if n + 1 < groups_slots[group]:
                _line_up(agent, (n + 1) * n_groups + group, first, last, ahead, behind, n_ready)
            soonest = _next_end(here, n + 1, chat_end)
            if soonest != chat_at[agent]:
                chat_at[agent] = soonest
                if soonest < stop:
                    n_heap = _push(heap, n_heap, soonest << 28 | CHAT_OVER << 23 | agent)

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
            if not whole:
                # What is drawn about it hangs on nothing that has happened, so it can be drawn as well now.
                need = rows_need[row]
                kind = needs_type[need]
                fill(
                    sheet.one[0], sheet.kinds[kind], sheet.meetings[kind, needs_segment[need]],
                    sheet.pieces[kind], lines[row], ears[row], needs_key[need], rows_attempt[row], needs_difficulty[need],
                    False, False,
                )  # fmt: skip
            at_any_hour = has_deferred and types_channel[needs_type[rows_need[row]]] == w.DEFERRED
            if comes_back and over_at < stop and not clock_always_open and not at_any_hour:
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

        if has_chat and n_chats > 0 and (arriving < 0 or reaching >= 0):
            # Whoever has room takes a waiting chat next. Who meets the bot changes nothing of that.
            for group in range(n_groups):
                if looking[group] or _next_in_line(
                    group, now, chat_queues, waiting, head, chain, c_outcome, c_reach_ms,
                    routing_delay_of_group, routing_priority,
                ) < 0:  # fmt: skip
                    continue
                if _next_in_line(
                    group, now, call_queues, waiting, head, chain, c_outcome, c_reach_ms,
                    routing_delay_of_group, routing_priority,
                ) >= 0:  # fmt: skip
                    continue
                agent = _with_room(
                    group, n_groups, groups_slots, first, behind, n_ready, to_leave, leaving, act_first,
                    act_last, owed,
                    _may_rest(
                        group, resting, signed_on, live_queues, waiting, levers_rest_share, levers_rest_queue
                    ),
                )  # fmt: skip
                if agent >= 0:
                    looking[group] = 1
                    n_heap = _push(heap, n_heap, now << 28 | LOOK << 23 | group)

    for agent in range(n_agents):
        if status[agent] != OFF:
            mine = spell[agent]
            if status[agent] == IDLE:
                s_idle_ms[mine] += stop - since[agent]
                _settle(
                    agent, stop, half_life[staffing_group_of[agent]], threshold, load, load_at, spell,
                    s_over_ms,
                )  # fmt: skip
            elif has_chat and status[agent] == CHATTING:
                _attend(
                    agent, stop, half_life[staffing_group_of[agent]], threshold, load, load_at, spell,
                    s_over_ms, s_load_taken, s_chat_ms, s_slot_ms, n_open, n_live, pull,
                )  # fmt: skip
                for i in range(agent * most_slots, agent * most_slots + n_open[agent]):
                    c_done_ms[chat_row[i]] = chat_end[i]
            s_off_ms[mine] = stop
            s_load_end[mine] = load[agent]
    for mine in range(from_spell, n_spells):
        s_load_area[mine] = rules.load_area(
            s_load_taken[mine], s_load_end[mine], half_life[staffing_group_of[s_agent[mine]]]
        )
    return n_spells


def _block(
    first_need: Ints, first_row: Ints, first_spell: Ints, first_event: Ints, timetable: Ints,
    speed: Floats, absorption: Floats, talk: Floats, heard: Floats, resolved: Floats, empathy: Floats,
    absent_u: Floats, absent: Ints,
    whole_state: Ints, whole_at_first: Ints, real_state: Floats, real_at_first: Floats, *others: Any,
) -> None:  # fmt: skip
    """Simulate one replication after another, each from the state at first."""
    n_spells = 0
    for i in range(len(first_need) - 1):
        for k in range(len(whole_state)):
            whole_state[k] = whole_at_first[k]
        for k in range(len(real_state)):
            real_state[k] = real_at_first[k]
        n_spells = _loop(
            first_need[i], first_need[i + 1], first_row[i], n_spells, timetable[first_event[i]:first_event[i + 1]],
            speed[i], absorption[i], talk[i], heard[i], resolved[i], empathy[i], absent_u[i], absent[i], *others,
        )  # fmt: skip
        first_spell[i + 1] = n_spells


# --- compiling ----------------------------------------------------------------------------------------------

_HELPERS = (
    _push, _pop, _less_loaded, _rise, _sink, _first_ready, _no_longer_ready, _next_in_line, _waiting_for,
    _settle, _is_open, _bot_is_up, _next_live, _may_rest, _rest_falls_due, _line_up, _with_room, _attend, _pace,
    _next_end, _relieve,
)  # fmt: skip
_compiled: dict[bool, Any] = {}
_say: list[Callable[[str], None]] = []


def _engine(channels: bool = False) -> Any:
    """The loop as Numba has wrapped it, for calls alone or for all channels; compiled, or loaded, when first called."""
    with lock:
        if channels not in _compiled:
            if channels and _say and not is_cached(channels):
                _say[0]("Compiling the simulation engine for all channels; this takes some seconds, once.")
            # The same text with another constant; the name tells their files apart.
            name = "_block_for_all" if channels else "_block_for_calls"
            known = {**globals(), "CHANNELS": channels, "fill": import_module("sim.drawing").fill}
            known["_loop"] = loop = FunctionType(_loop.__code__, known, "_loop")
            block = FunctionType(_block.__code__, known, name)
            block.__qualname__ = name
            helpers: list[Any] = [*_HELPERS, loop, *filter(isfunction, vars(rules).values())]
            _compiled[channels] = compiled(block, helpers)
        return _compiled[channels]


def is_cached(channels: bool = False) -> bool:
    """Whether the compiled loop is at hand, for calls alone or for all channels."""
    if channels in _compiled and getattr(_compiled[channels], "signatures", True):
        return True
    folder = cache_folder()
    name = "_block_for_all" if channels else "_block_for_calls"
    return folder is not None and any(folder.rglob(f"*{name}*.nbc"))


def warm_up(say: Callable[[str], None]) -> None:
    """Have the loop for calls compiled, and say so where it takes a while: once for each version of the sources.

    The one for all channels is compiled when a world first needs it, and says so too.
    """
    from sim.plain import plain_world

    _say[:] = [say]
    if not is_cached():
        say("Compiling the simulation engine; this takes some seconds, once.")
    world = plain_world(arrivals_per_hour=1.0, agents=1)
    simulate_block(world, d.draw_block(world, 0, [0]))


# --- outside ------------------------------------------------------------------------------------------------


def _fields_of(prefix: str, part: Any) -> dict[str, Any]:
    """A named tuple's fields by prefixed name, of one type each: else Numba compiles again."""
    return {f"{prefix}_{name}": value for name, value in w.typed(part)._asdict().items()}


@w.once("clock", "staffing")
def _plan(world: World) -> Ints:
    """The sorted keys of all that is planned, but for people's coming: leaving, activities, capacity and closing."""
    staffing, clock = world.staffing, world.clock
    parts = [(staffing.end_ms, SIGN_OFF), (staffing.act_ms, ACTIVITY), (staffing.slot_ms, CAPACITY)]
    if not clock.always_open:
        parts.append((clock.close_ms, CLOSE))
    keys = []
    for whens, kind in parts:
        last = min(clock.stop_ms, w.NEVER) if kind == CLOSE else clock.stop_ms
        who = np.flatnonzero(whens < last)
        keys.append(whens[who] << 28 | kind << 23 | who)
    return np.sort(np.concatenate(keys))


def _planned(world: World, late_ms: Ints) -> tuple[Ints, Ints]:
    """Where each replication's timetable begins, and the timetables, with people coming as (n, shifts) late as drawn."""
    plan = _plan(world)
    n, n_shifts = late_ms.shape
    first = np.zeros(n + 1, np.int64)
    if n_shifts == 0:
        np.cumsum(np.full(n, len(plan)), out=first[1:])
        return first, np.tile(plan, n)
    parts = []
    for late in late_ms:
        whens = world.staffing.start_ms + late
        who = np.flatnonzero(whens < world.clock.stop_ms)
        # Both are nearly in order, of which a stable sort makes use.
        parts.append(np.sort(np.concatenate([plan, whens[who] << 28 | SIGN_ON << 23 | who]), kind="stable"))
    np.cumsum([len(part) for part in parts], out=first[1:])
    return first, np.concatenate(parts)


def _by_channel(world: World) -> dict[str, Any]:
    """(G, .) the queues that a group serves and that anybody can ever join, all and by channel; -1 ends each list."""
    fed, channel = w.fed_queues(world), w.queue_channels(world)

    def served(*channels: int) -> Ints:
        lists = [
            [q for q in mine if q >= 0 and fed[q] and channel[q] in channels]
            for mine in world.routing.queues.tolist()
        ]
        queues = np.full((len(lists), max([1, *map(len, lists)])), -1, np.int64)
        for mine, row in zip(lists, queues, strict=True):
            row[: len(mine)] = mine
        queues.flags.writeable = False
        return queues

    return {
        "routing_queues": served(w.VOICE, w.CHAT, w.DEFERRED),
        "live_queues": served(w.VOICE, w.CHAT),
        "call_queues": served(w.VOICE),
        "chat_queues": served(w.CHAT),
        "deferred_queues": served(w.DEFERRED),
        "queue_channel": channel,
        "chats": int(w.has_chat(world)),
        "deferred": int(w.has_deferred(world)),
    }


@w.once("behaviour", "types", "groups", "levers", "routing", "staffing")
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


@w.once("clock", "types", "groups", "routing", "staffing")
def _at_first(world: World) -> dict[str, Any]:
    """The state of agents, queues and groups before anything has happened."""
    group_of = world.staffing.group_of
    n_agents = len(group_of)
    n_groups, n_queues = len(world.groups.specialist), len(world.routing.order)
    sizes = np.bincount(group_of, minlength=n_groups).astype(np.int64)
    chats = w.has_chat(world)
    most_slots = int(world.groups.slots.max(initial=1)) if chats else 1
    n_chatting, n_slots = (n_agents, n_agents * most_slots) if chats else (0, 0)

    def zeros(n: int, names: str, kind: Any = np.int64) -> dict[str, Any]:
        return {name: np.zeros(n, kind) for name in names.split()}

    return {
        **zeros(n_queues, "head tail waiting"),
        **zeros(
            n_agents, "status since load_at owed leaving spell shift_of act_first act_last exhaustion_day"
        ),
        **zeros(n_agents, "ahead behind ready place_of"),
        **zeros(n_agents, "load load_key", np.float64),
        **zeros(n_groups, "resting signed_on to_leave on_deferred looking"),
        # A list of idle agents for each group, and then of those with so many chats who have room for more.
        **zeros(n_groups * most_slots, "first last n_ready"),
        **zeros(n_agents if w.has_deferred(world) else 0, "works_deferred"),
        **zeros(n_chatting, "n_open n_live paced_at chat_at"),
        **zeros(n_slots, "chat_row chat_left chat_end"),
        "pull": np.zeros(n_chatting),
        "chat_pull": np.zeros(n_slots),
        "exhaustion": world.groups.exhaustion[group_of],
        "base": np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        # Of those without a shift, the first of each group lies on top.
        "spare": np.lexsort((-np.arange(n_agents), group_of)),
        "n_spare": sizes,
    }


def _state(world: World) -> dict[str, Any]:
    """The same as two stretches of memory (whole numbers and others), each field a view, and what they hold at first.

    Fields of one length lie side by side: what is known of an agent is near together. Not so for all channels, a loop
    with which LLVM would be busy for minutes then.
    """
    at_first, together = _at_first(world), not w.has_channels(world)
    found: dict[str, Any] = {}
    for stretch, kind in (("whole", np.int64), ("real", np.float64)):
        mine = {name: value for name, value in at_first.items() if value.dtype == kind}
        parts: list[tuple[int, list[str]]] = []
        for name, value in mine.items():
            known = [names for n, names in parts if n == len(value)]
            if known and together:
                known[0].append(name)
            else:
                parts.append((len(value), [name]))
        found[f"{stretch}_at_first"] = np.concatenate(
            [np.stack([mine[name] for name in names], axis=1).ravel() for _, names in parts]
        )
        found[f"{stretch}_state"] = state = np.empty_like(found[f"{stretch}_at_first"])
        begin = 0
        for n, names in parts:
            table = state[begin : begin + n * len(names)].reshape(n, len(names))
            begin += n * len(names)
            found |= {name: table[:, i] if together else table.ravel() for i, name in enumerate(names)}
    return found


@w.once(*World._fields)
def _of_world(world: World) -> dict[str, Any]:
    """All arguments of the loop that hang on the world alone."""
    staffing = world.staffing
    given = {
        "stop": world.clock.stop_ms,
        "b": w.typed(world.behaviour),
        "shift_of_act": np.repeat(np.arange(len(staffing.agent)), np.diff(staffing.act_from)),
        **_from_rules(world),
    }
    parts = {
        "clock": world.clock, "types": world.types, "bot": world.bot, "ears": world.detectors,
        "groups": world.groups, "routing": world.routing, "levers": world.levers, "staffing": staffing,
    }  # fmt: skip
    for prefix, part in parts.items():
        given.update(_fields_of(prefix, part))
    given.update(_by_channel(world))
    given.update(zip(("has_silence", "has_offers", "has_rings"), map(int, d.asked(world)), strict=True))
    return given


def simulate_block(world: World, block: Block, room: w.Space = w.fresh) -> Written:
    """Several replications, compiled; draws into the block what is not drawn yet of attempts that happen."""
    w.check(world)
    n, n_rows, given = len(block.numbers), len(block.lines), _of_world(world)
    written = r.blank_written(n_rows, n * r.most_spells(world), len(world.staffing.agent), n, room)
    most = int(np.diff(block.first_row).max(initial=0))
    n_overflows, n_people = (
        given["overflow_ms"].shape[1],
        len(world.staffing.group_of) + len(world.groups.slots),
    )
    first_event, timetable = _planned(world, block.people.late_ms)
    given = {
        **given,
        **_state(world),
        **{f"rows_{name}": block.links[name] for name in d.LINK.names or ()},
        **{f"rows_{name}": block.lines[name] for name in d.LINE.names or ()},
        "rows_returns": block.lines["again"],
        "rows_redials": block.lines["again"],
        "rows_detect": block.ears.T,
        **{f"needs_{name}": column for name, column in zip(block.needs._fields, block.needs, strict=True)},
        **{f"c_{name}": written.lines[name] for name in r.LINE.names or ()},
        **{f"s_{name}": column for name, column in zip(written.spells._fields, written.spells, strict=True)},
        "c_outcome": written.outcome,
        "queue_of": written.lines["queue"],
        "chain": written.lines["behind"],
        "intensity_of": block.needs.intensity.copy(),
        "tier": np.zeros(len(block.needs.type), np.int8),
        "served_by": np.full(len(block.needs.type) if given["levers_same_agent"] else 0, -1, np.int32),
        "called_from": np.full(n_rows if given["has_offers"] else 0, FAR, np.int64),
        # An agent has one event ahead of them, a contact one of its own and those of its overflows, and a chat changes
        # twice when the agent's next one is over; a group looks at the line once at a time.
        "heap": room("heap", n_people + most * (1 + n_overflows + 2 * given["chats"]) + 8, np.int64),
        "sheet": import_module("sim.drawing").sheet(world), "lines": block.lines, "ears": block.ears, "whole": block.whole,
    }  # fmt: skip
    p = block.people
    traits = (p.speed, p.absorption, p.talk, p.heard, p.resolved, p.empathy, p.absent)
    people = (np.ascontiguousarray(column) for column in traits)
    _engine(w.has_channels(world))(
        block.first_need, block.first_row, written.first_spell, first_event, timetable, *people, written.absent,
        given["whole_state"], given["whole_at_first"], given["real_state"], given["real_at_first"],
        *(given[name] for name in _ARGUMENTS[_OWN:]),
    )  # fmt: skip
    if given["has_offers"]:
        promised = (written.outcome == r.WAITING) & (given["called_from"] < world.clock.stop_ms)
        written.lines["flags"][promised] |= r.CALLED_BACK | r.CALL_BACK_TAKEN
    spells: list[Any] = [column[: written.first_spell[-1]] for column in written.spells]
    return written._replace(spells=Spells(*spells))


def simulate(world: World, draws: Draws) -> Records:
    """One replication, compiled."""
    block = d.block_of(draws)
    return r.records_of(simulate_block(world, block), block.first_row, 0)


_ARGUMENTS = _loop.__code__.co_varnames[: _loop.__code__.co_argcount]
_OWN = 13
"""So many of the loop's arguments are of each replication, the others of the block."""
