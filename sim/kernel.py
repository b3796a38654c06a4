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
from sim.records import Records, Written
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


def _table_of(whole: str, real: str = "") -> np.dtype[Any]:
    return np.dtype(
        [*((name, np.int64) for name in whole.split()), *((name, np.float64) for name in real.split())]
    )


AGENT = _table_of(
    "number group post status since load_at owed leaving spell shift act_first act_last exhaustion_day ahead behind place"
    " works_deferred n_open n_live paced_at chat_at",
    "load load_key exhaustion pull speed absorption talk heard resolved empathy",
)
"""`post`: whose queues they take; `shift` and `spell` -1 for none; from `act_first` to `act_last` what is due; `ahead` and `behind` in an idle list, `place`
in the heap of the least loaded; chats open and live, when their speed last changed and the first is over, and what they add
to the load together; then what is drawn about the person."""
TRAITS = ("speed", "absorption", "talk", "heard", "resolved", "empathy")
_TRAITS = np.dtype([(name, np.float64) for name in TRAITS])
GROUP = _table_of("base n_spare resting signed_on to_leave on_deferred looking")
"""`base`: where the group's agents begin in `ready` and `spare`."""
IDLE_LIST = _table_of("first last n")
"""For each group, then for each again with those who have one chat open and room for more, with two, and so on."""
QUEUE = _table_of("head tail waiting")
CHAT = _table_of("row left end", "pull")
COURSE = np.dtype([("intensity", np.float64), ("served_by", np.int32), ("tier", np.int32)])
"""What has become of a need so far."""


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


def _less_loaded(a: Any, b: Any) -> bool:
    """Whether agent `a` comes before `b`."""
    if a.load_key != b.load_key:
        return bool(a.load_key < b.load_key)
    if a.since != b.since:
        return bool(a.since < b.since)
    return bool(a.number < b.number)


def _rise(ready: Ints, agents: Any, base: int, i: int) -> None:
    """Move the agent at place `i` of a group's heap, which starts at `base`, up to where it belongs."""
    agent = ready[base + i]
    while i > 0:
        up = (i - 1) >> 1
        other = ready[base + up]
        if not _less_loaded(agents[agent], agents[other]):
            break
        ready[base + i] = other
        agents[other].place = i
        i = up
    ready[base + i] = agent
    agents[agent].place = i


def _sink(ready: Ints, agents: Any, base: int, i: int, n: int) -> None:
    """Move the agent at place `i` of a group's heap of `n` down to where it belongs."""
    agent = ready[base + i]
    child = 2 * i + 1
    while child < n:
        other = ready[base + child]
        if child + 1 < n and _less_loaded(agents[ready[base + child + 1]], agents[other]):
            child += 1
            other = ready[base + child]
        if not _less_loaded(agents[other], agents[agent]):
            break
        ready[base + i] = other
        agents[other].place = i
        i = child
        child = 2 * i + 1
    ready[base + i] = agent
    agents[agent].place = i


def _join(one: Any, row: int, contacts: Any) -> None:
    """Wait at the end of a queue."""
    if one.waiting == 0:
        one.head = row
    else:
        contacts[one.tail].behind = row
    one.tail = row
    one.waiting += 1


def _ready_at(
    q: int, group: int, by_load: int, idle: Any, ready: Ints, groups: Any, agents: Any, delay_of_group: Ints
) -> int:
    """Of a group with somebody idle, the longest idle (or least loaded) whose post serves the queue, or -1."""
    if by_load:
        best = -1
        for place in range(groups[group].base, groups[group].base + idle[group].n):
            agent = int(ready[place])
            if delay_of_group[q, agents[agent].post] < 0:
                continue
            if best < 0 or _less_loaded(agents[agent], agents[best]):
                best = agent
        return best
    agent = int(idle[group].first)
    while agent >= 0 and delay_of_group[q, agents[agent].post] < 0:
        agent = int(agents[agent].behind)
    return agent


def _first_ready(
    q: int, waited: int, order: Ints, delay: Ints, by_load: int, idle: Any, ready: Ints, groups: Any, rotates: bool,
    agents: Any, delay_of_group: Ints,
) -> int:  # fmt: skip
    """The best free agent: the contact's preference of groups, then longest idle (or least loaded), or -1."""
    for place in range(order.shape[1]):
        group = order[q, place]
        if group < 0:
            break
        if delay[q, place] <= waited and idle[group].n > 0:
            if not rotates:
                return int(ready[groups[group].base] if by_load else idle[group].first)
            agent = _ready_at(q, group, by_load, idle, ready, groups, agents, delay_of_group)
            if agent >= 0:
                return agent
    return -1


def _no_longer_ready(
    agent: int, number: int, base: int, by_load: int, idle: Any, ready: Ints, agents: Any
) -> None:
    """Take an agent out of an idle list, or out of the heap of agents from `base`."""
    one = idle[number]
    one.n -= 1
    if by_load:
        i, n = agents[agent].place, one.n
        other = ready[base + n]
        if other != agent:
            ready[base + i] = other
            agents[other].place = i
            _sink(ready, agents, base, i, n)
            _rise(ready, agents, base, agents[other].place)
        return
    before, after = agents[agent].ahead, agents[agent].behind
    if before >= 0:
        agents[before].behind = after
    else:
        one.first = after
    if after >= 0:
        agents[after].ahead = before
    else:
        one.last = before


def _next_in_line(
    post: int,
    now: int,
    queues: Ints,
    queue: Any,
    contacts: Any,
    outcome: Ints,
    delay_of_group: Ints,
    priority: Ints,
) -> int:
    """The best waiting contact for this post, of the queues given: priority, then longest wait; -1 for none."""
    best, best_priority, best_reach = -1, 0, 0
    for k in range(queues.shape[1]):
        q = queues[post, k]
        if q < 0:
            break
        if queue[q].waiting == 0:
            continue
        row = queue[q].head
        while outcome[row] != r.WAITING:
            row = contacts[row].behind
        queue[q].head = row
        reach = contacts[row].reach_ms
        if now - reach < delay_of_group[q, post]:
            continue
        mine = priority[post, q]
        if best >= 0:
            if mine > best_priority:
                continue
            if mine == best_priority and (reach > best_reach or (reach == best_reach and row > best)):
                continue
        best, best_priority, best_reach = row, mine, reach
    return best


def _next_live(
    post: int, now: int, queues: Ints, queue: Any, contacts: Any, outcome: Ints, delay_of_group: Ints, priority: Ints,
    called_from: Ints,
) -> int:  # fmt: skip
    """The best of those who wait on the line, who have not been promised a call-back; -1 for none."""
    best, best_priority, best_reach = -1, 0, 0
    for k in range(queues.shape[1]):
        q = queues[post, k]
        if q < 0:
            break
        left, row = queue[q].waiting, queue[q].head
        while left > 0:
            if outcome[row] == r.WAITING:
                left -= 1
                if len(called_from) == 0 or called_from[row] > now:
                    break
            row = contacts[row].behind
        else:
            continue
        reach, mine = contacts[row].reach_ms, priority[post, q]
        if now - reach < delay_of_group[q, post]:
            continue
        if best < 0 or (mine, reach, row) < (best_priority, best_reach, best):
            best, best_priority, best_reach = row, mine, reach
    return best


def _waiting_for(post: int, queues: Ints, queue: Any) -> int:
    """How many wait in the queues that a post serves."""
    n = 0
    for k in range(queues.shape[1]):
        q = queues[post, k]
        if q < 0:
            break
        n += queue[q].waiting
    return n


def _settle(a: Any, now: int, half_life_ms: float, threshold: float, spells: Any) -> None:
    """Bring an agent's load up to now, and account for the time over the threshold."""
    elapsed = now - a.load_at
    if elapsed == 0:
        return
    before = a.load
    a.load_at = now
    if before == 0.0:
        return
    a.load = rules.decayed(before, elapsed, half_life_ms)
    spells[a.spell].over_ms += rules.time_over(before, elapsed, half_life_ms, threshold)


def _may_rest(g: Any, post: int, queues: Ints, queue: Any, share: float, most_waiting: int) -> bool:
    """Service is protected: not too many of the group at once, not while too many wait for the post."""
    if g.resting + 1 > max(1.0, share * g.signed_on):
        return False
    return bool(_waiting_for(post, queues, queue) <= most_waiting)


# --- several chats at once ----------------------------------------------------------------------------------


def _rest_falls_due(
    c: Any, kind: int, took_ms: int, intensity: float, a: Any, spell: Any, b: Behaviour, on_type: Ints, over_ms: int,
    on_flag: int, on_button: int, on_intensity: float, rest_ms: int, hardest_ms: int, budget_ms: int, button: float,
) -> None:  # fmt: skip
    """What can be seen of a contact may make a recovery pause due, and is flagged then."""
    n = on_type[kind]
    if 0 < over_ms < took_ms:
        n += 1
    if on_flag and c.flags & (r.FLAG_RIGHT | r.FLAG_WRONG):
        n += 1
    if on_button and intensity > b.intense_above and button < b.button_uptake:
        n += 1
    if intensity > on_intensity:
        n += 1
    due = rules.rest_due(n, rest_ms, hardest_ms)
    if due > 0:
        c.flags |= r.REST_DUE
        spell.due_ms += due
        left = budget_ms - spell.rest_ms - a.owed
        a.owed += max(0, min(due, left))


def _sign_on(a: Any, now: int, shift: int, n_spells: int, spells: Any) -> int:
    """A spell begins; how many there are now."""
    a.spell = n_spells
    a.owed = 0
    one = spells[n_spells]
    one.agent = a.number
    one.shift = shift
    one.on_ms = now
    one.exhaustion = a.exhaustion
    return n_spells + 1


def _relieve(a: Any, now: int, n_spells: int, spells: Any) -> int:
    """After eight hours somebody fresh takes an anonymous person's place, headset and all; how many spells there are."""
    spells[a.spell].off_ms = now
    spells[a.spell].load_end = a.load
    a.load = 0.0
    return _sign_on(a, now, -1, n_spells, spells)


def _line_up(agent: int, one: Any, agents: Any) -> None:
    """Put the agent at the end of an idle list."""
    agents[agent].behind = -1
    if one.n > 0:
        agents[agent].ahead = one.last
        agents[one.last].behind = agent
    else:
        agents[agent].ahead = -1
        one.first = agent
    one.last = agent
    one.n += 1


def _with_room(
    q: int, group: int, now: int, n_groups: int, slots: Ints, idle: Any, agents: Any, g: Any, queue: Any, contacts: Any,
    outcome: Ints, delay_of_group: Ints, priority: Ints, live_queues: Ints, call_queues: Ints, chat_queues: Ints,
    rest_share: float, rest_queue: int,
) -> int:  # fmt: skip
    """Who of the group takes a further chat: the fewest chats first, then the longest with so many; -1 for nobody.

    Out of queue `q`, or for -1 out of any. Not while a call waits for their post; not those for whom something is due,
    nor, of the others, as many as are to leave.
    """
    leave, post, takes, may_rest = g.to_leave, -1, False, False
    for level in range(1, slots[group]):
        number = level * n_groups + group
        agent = idle[number].first if idle[number].n > 0 else -1
        while agent >= 0:
            a = agents[agent]
            if a.post != post:
                post = a.post
                if q >= 0:
                    takes = delay_of_group[q, post] >= 0
                else:
                    takes = (
                        _next_in_line(post, now, chat_queues, queue, contacts, outcome, delay_of_group, priority) >= 0
                    )  # fmt: skip
                if takes:
                    takes = (
                        _next_in_line(post, now, call_queues, queue, contacts, outcome, delay_of_group, priority) < 0
                    )  # fmt: skip
                may_rest = _may_rest(g, post, live_queues, queue, rest_share, rest_queue)
            due = a.leaving == 1 or a.act_first < a.act_last or (a.owed > 0 and may_rest)
            if takes and not due:
                if leave == 0:
                    return int(agent)
                leave -= 1
            agent = a.behind
    return -1


def _attend(a: Any, now: int, half_life_ms: float, threshold: float, spells: Any) -> None:
    """Bring somebody with chats up to now: minutes, decay of load, and what the live chats have added."""
    elapsed = now - a.load_at
    if elapsed == 0:
        return
    spell = spells[a.spell]
    spell.chat_ms += elapsed
    spell.slot_ms += elapsed * a.n_open
    _settle(a, now, half_life_ms, threshold, spells)
    if a.n_live > 0:
        gained = rules.load_pulled(a.pull, elapsed, a.n_live)
        a.load += gained
        spell.load_area += gained


def _pace(here: int, n: int, elapsed: int, before: float, after: float, now: int, chats: Any) -> None:
    """The agent's live chats (places `here` to `here` + n) go on at another speed; silent ones have no work left, -1."""
    for i in range(here, here + n):
        if chats[i].left >= 0:
            chats[i].left = rules.work_left(chats[i].left, elapsed, before)
            chats[i].end = rules.work_ends(now, chats[i].left, after)


def _next_end(here: int, n: int, chats: Any) -> int:
    """When the first of the agent's chats will be over."""
    soonest = FAR
    for i in range(here, here + n):
        soonest = min(soonest, chats[i].end)
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
    from_need: int, to_need: int, from_row: int, n_spells: int, timetable: Ints, people_absent: Floats, absent: Ints,
    started: Ints, agents: Any,
    needs: Any, course: Any, links: Any, lines: Any, ears: Floats, whole: bool, sheet: Any,
    outcome: Any, contacts: Any, spells: Any, called_from: Ints,
    groups: Any, idle: Any, ready: Ints, spare: Ints, queue: Any, chats: Any, heap: Ints,
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
    staffing_agent: Ints, staffing_end_ms: Ints, staffing_day: Ints,
    staffing_act_from: Ints, staffing_act_ms: Ints, staffing_act_length_ms: Ints, staffing_act_kind: Ints,
    staffing_act_paid: Ints, staffing_shift_post: Ints, staffing_act_post: Ints,
    staffing_slot_group: Ints, staffing_slot_change: Ints,
    any_chat: int, any_deferred: int, has_offers: int, has_rings: int, has_silence: int,
    queue_channel: Ints, live_queues: Ints, call_queues: Ints, chat_queues: Ints, deferred_queues: Ints,
    heard_base: Floats, resolved_base: Floats, heard_by_bot: Floats, strained: Ints, half_life: Floats,
    overflow_ms: Ints,
) -> int:  # fmt: skip
    """Fill the records of one replication; how many spells there are by now. A name starts with the part that it is from.

    Tables, of the dtypes above and in `draws` and `records`: `needs`, the `course` of each need's journey, `links` and
    `lines` (draws), `contacts` (records), `spells`, and the state of `agents`, `groups`, `idle` lists, each `queue`, `chats`.
    """
    n_types, n_table, from_spell = len(types_acw_ms), len(timetable), n_spells
    n_agents, n_queues, n_ears = len(agents), len(queue), len(ears_target)
    threshold, by_load = b.load_threshold, routing_by_load
    n_groups, most_slots = len(groups), len(idle) // max(1, len(groups))
    rotates = len(routing_priority) > n_groups
    # Constants where the loop is compiled for calls alone, so that nothing of what follows costs them anything.
    has_chat, has_deferred = CHANNELS and any_chat == 1, CHANNELS and any_deferred == 1
    offers, rings, silence = (
        CHANNELS and has_offers == 1,
        CHANNELS and has_rings == 1,
        CHANNELS and has_silence == 1,
    )
    n_waiting, n_deferred, n_chats = 0, 0, 0
    n_heap = 0
    # Until the end a spell's `load_area` holds the load that was taken on.
    # The rows of first attempts stand in the order of their needs.
    row_of_birth = from_row - from_need
    at_birth, at_table = from_need, 0
    next_birth, next_table = FAR, FAR
    if at_birth < to_need:
        next_birth = needs[at_birth].birth_ms << 28 | ARRIVE << 23 | row_of_birth + at_birth
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
                    next_birth = needs[at_birth].birth_ms << 28 | ARRIVE << 23 | row_of_birth + at_birth
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
            a = agents[who]
            if a.status != BUSY:
                before = a.load
                _settle(a, now, b.rest_half_life_ms, threshold, spells)
                spells[a.spell].load_area += rules.load_rested(
                    before - a.load, b.rest_half_life_ms, half_life[a.group]
                )
                if a.status == REST:
                    groups[a.group].resting -= 1
            elif has_deferred and a.works_deferred:
                a.works_deferred = 0
                groups[a.group].on_deferred -= 1
            freeing = who
        elif event in (ARRIVE, RETURN):
            arriving = who
        elif event == REACH:
            reaching = who
        elif event == ABANDON:
            if outcome[who] == r.WAITING:
                c = contacts[who]
                queue[c.queue].waiting -= 1
                if has_deferred and queue_channel[c.queue] == w.DEFERRED:
                    n_deferred -= 1
                else:
                    n_waiting -= 1
                if has_chat and queue_channel[c.queue] == w.CHAT:
                    n_chats -= 1
                outcome[who] = r.ABANDONED
                c.end_ms = now
                gives_up = who
        elif event == OVERFLOW:
            if outcome[who] == r.WAITING:
                asking = who
        elif event == SIGN_ON:
            agent = staffing_agent[who]
            a = agents[agent]
            absent[who] = 1
            if a.status == OFF and now < staffing_end_ms[who]:
                days = staffing_day[who] - a.exhaustion_day
                if days > 0:
                    a.exhaustion = rules.exhaustion_next(b, a.exhaustion, days, 0.0)
                    a.exhaustion_day = staffing_day[who]
                absence = rules.p_absent(b, groups_absence[a.group], a.exhaustion, groups_exhaustion[a.group])
                if not people_absent[who] < absence:
                    absent[who] = 0
                    a.act_first = staffing_act_from[who]
                    a.act_last = a.act_first
                    a.shift = who
                    a.post = staffing_shift_post[who]
                    if a.post < 0:
                        a.post = a.group
                    for act in range(staffing_act_from[who], staffing_act_from[who + 1]):
                        # Whoever comes after it takes the post that follows.
                        if staffing_act_ms[act] < now and staffing_act_post[act] >= 0:
                            a.post = staffing_act_post[act]
                    joining = agent
        elif event == CAPACITY:
            group = staffing_slot_group[who]
            g = groups[group]
            if staffing_slot_change[who] > 0:
                g.n_spare -= 1
                if g.n_spare < 0:
                    raise IndexError("capacity grows beyond the agents there are")
                agent = spare[g.base + g.n_spare]
                a = agents[agent]
                days = now // DAY_MS - a.exhaustion_day
                if days > 0:
                    a.exhaustion = rules.exhaustion_next(b, a.exhaustion, days, 0.0)
                    a.exhaustion_day = now // DAY_MS
                a.shift = -1
                joining = agent
            elif idle[group].n > 0:
                going_home = ready[g.base] if by_load else idle[group].first
            else:
                g.to_leave += 1
        elif event == ACTIVITY:
            agent = staffing_agent[shift_of_act[who]]
            a = agents[agent]
            if a.shift == shift_of_act[who] and a.status != OFF:
                if a.act_first == a.act_last:
                    a.act_first = who
                a.act_last = who + 1
                if a.status == IDLE:
                    freeing = agent
        elif event == SIGN_OFF:
            agent = staffing_agent[who]
            a = agents[agent]
            if a.shift == who and a.status != OFF:
                if a.status == IDLE:
                    going_home = agent
                else:
                    a.leaving = 1
        elif has_chat and event == CHAT_OVER:
            # One chat is over, the one with the least row of those due; unless the agent's chats have changed since.
            a = agents[who]
            if a.status == CHATTING and a.chat_at == now:
                agent = who
                group = a.group
                here, n = agent * most_slots, a.n_open
                _attend(a, now, half_life[group], threshold, spells)
                place = -1
                for i in range(here, here + n):
                    if chats[i].end == now and (place < 0 or chats[i].row < chats[place].row):
                        place = i
                row, was_live, its_pull = chats[place].row, chats[place].left >= 0, chats[place].pull
                other = here + n - 1
                chats[place].row, chats[place].left = chats[other].row, chats[other].left
                chats[place].end, chats[place].pull = chats[other].end, chats[other].pull
                if n < groups_slots[group]:
                    _no_longer_ready(agent, n * n_groups + group, 0, 0, idle, ready, agents)
                a.n_open = n - 1
                c = contacts[row]
                c.done_ms = now
                if was_live:
                    _pace(
                        here, n - 1, now - a.paced_at, groups_slowing[group, a.n_live],
                        groups_slowing[group, a.n_live - 1], now, chats,
                    )  # fmt: skip
                    a.paced_at = now
                    a.n_live -= 1
                    a.pull = a.pull - its_pull if a.n_live > 0 else 0.0
                    # What it leaves behind was decided when it started.
                    need = links[row].need
                    if levers_rest_ms > 0:
                        _rest_falls_due(
                            c, needs[need].type, now - c.end_ms, c.intensity, a, spells[a.spell], b, levers_rest_on_type,
                            levers_rest_over_ms, levers_rest_on_flag, levers_rest_on_button,
                            levers_rest_on_intensity, levers_rest_ms, levers_rest_hardest_ms, levers_rest_budget_ms,
                            lines[row].button,
                        )  # fmt: skip
                    if c.flags & (r.PASSED_ON | r.ESCALATED):
                        course[need].tier = 1
                        onward_from = row
                    else:
                        ended, ending = row, int(c.ending)
                if n == 1:
                    a.chat_at = FAR
                    a.status = BUSY
                    n_heap = _push(heap, n_heap, now << 28 | FREE << 23 | agent)
                else:
                    if (
                        a.shift < 0
                        and groups[group].to_leave == 0
                        and now - spells[a.spell].on_ms >= w.RELIEF_MS
                    ):
                        # Somebody fresh takes over in the middle of other chats.
                        n_spells = _relieve(a, now, n_spells, spells)
                    _line_up(agent, idle[(n - 1) * n_groups + group], agents)
                    a.chat_at = _next_end(here, n - 1, chats)
                    if a.chat_at < stop:
                        n_heap = _push(heap, n_heap, a.chat_at << 28 | CHAT_OVER << 23 | agent)
        elif has_chat and event == LOOK:
            # A chat waits, and somebody has room for another.
            groups[who].looking = 0
            server = _with_room(
                -1, who, now, n_groups, groups_slots, idle, agents, groups[who], queue, contacts, outcome,
                routing_delay_of_group, routing_priority, live_queues, call_queues, chat_queues, levers_rest_share,
                levers_rest_queue,
            )  # fmt: skip
            if server >= 0:
                caller = _next_in_line(
                    agents[server].post, now, chat_queues, queue, contacts, outcome, routing_delay_of_group, routing_priority
                )  # fmt: skip
                queue[contacts[caller].queue].waiting -= 1
                n_waiting -= 1
                n_chats -= 1
        else:
            # The doors close: those for whom nobody is there any more, or everybody, are sent away.
            for q in range(n_queues):
                if queue[q].waiting == 0 or (has_deferred and queue_channel[q] == w.DEFERRED):
                    continue
                staffed = False
                for k in range(routing_order.shape[1]):
                    if routing_order[q, k] < 0:
                        break
                    if groups[routing_order[q, k]].signed_on > 0:
                        staffed = True
                if rotates and staffed:
                    staffed = False
                    for agent in range(n_agents):
                        a = agents[agent]
                        staffed = staffed or (a.status != OFF and routing_delay_of_group[q, a.post] >= 0)
                if clock_at_close == w.SERVE_OUT and staffed:
                    continue
                row, left_here = queue[q].head, queue[q].waiting
                while left_here > 0:
                    if outcome[row] == r.WAITING:
                        left_here -= 1
                        if not (offers and called_from[row] <= now):
                            queue[q].waiting -= 1
                            n_waiting -= 1
                            if has_chat and queue_channel[q] == w.CHAT:
                                n_chats -= 1
                            outcome[row] = r.CLOSED
                            contacts[row].end_ms = now
                    row = contacts[row].behind

        if joining >= 0:
            # Somebody is at work; load has eased since the last time.
            a = agents[joining]
            n_spells = _sign_on(a, now, a.shift, n_spells, spells)
            a.load = rules.decayed(a.load, now - a.load_at, b.off_half_life_ms)
            a.load_at = now
            spells[a.spell].load_area = a.load
            a.leaving = 0
            groups[a.group].signed_on += 1
            freeing = joining

        if arriving >= 0:
            # A contact starts: with the bot, where one is offered and up, or with people.
            row = arriving
            need, line, c = links[row].need, lines[row], contacts[row]
            kind, trip = needs[need].type, course[need]
            c.reach_ms = -1
            c.end_ms = -1
            c.bot_ms = 0
            c.agent = -1
            c.talk_ms = 0
            c.acw_ms = 0
            c.full_ms = 0
            c.ending = -1
            c.flags = 0
            c.load = 0.0
            c.unmet = 0.0
            c.heard = 0.0
            c.if_heard = 0.0
            c.if_not = 0.0
            c.done_ms = -1
            c.live = 0
            c.arrive_ms = now
            fate = d.NO_BOT
            if trip.tier == 0:
                fate = int(line.fate)
                if fate != d.NO_BOT and not _bot_is_up(
                    kind, now, bot_from_ms, bot_to_ms, bot_outage_from, bot_outage_to
                ):
                    fate = d.NO_BOT
            if fate == d.NO_BOT:
                reaching = row
            else:
                c.bot_ms = line.bot_ms
                over_at = now + line.bot_ms
                if line.refused:
                    c.flags |= r.REFUSED
                    trip.intensity = min(1.0, trip.intensity + b.bot_loop_intensity)
                intensity = trip.intensity
                c.intensity = intensity
                if fate == d.HANDED_OVER:
                    outcome[row] = r.IN_BOT
                    if not line.context:
                        c.flags |= r.REPEATS
                    if over_at < stop:
                        n_heap = _push(heap, n_heap, over_at << 28 | REACH << 23 | row)
                elif fate == d.HUNG_UP:
                    outcome[row] = r.HUNG_UP
                    c.end_ms = over_at
                    gives_up = row
                else:
                    # The log says contained; whether it is, the customer knows.
                    resolved = fate == d.CONTAINED
                    heard = rules.odds(
                        rules.heard_odds(b, heard_by_bot[kind], intensity, 0.0, 0.0, 0.0, 0, 0)
                    )
                    met = 1.0 if resolved else 0.0
                    outcome[row] = r.CONTAINED if resolved else r.CONTAINED_FALSELY
                    c.end_ms = over_at
                    c.heard = heard
                    c.if_heard = met
                    c.if_not = met
                    ending = rules.ending_of(resolved, line.heard < heard)
                    c.ending = ending
                    if not resolved:
                        trip.intensity = min(1.0, trip.intensity + b.bot_loop_intensity)
                    ended = row

        if reaching >= 0:
            # A contact reaches the people's queue: an agent at once, a place in the line, or neither.
            row = reaching
            need, c = links[row].need, contacts[row]
            kind, trip = needs[need].type, course[need]
            c.reach_ms = now
            c.intensity = trip.intensity
            closed = not clock_always_open and not _is_open(now, clock_open_ms, clock_close_ms)
            if closed and has_deferred:
                closed = types_channel[kind] != w.DEFERRED and clock_out_of_hours != w.MESSAGE
                if types_channel[kind] != w.DEFERRED and not closed:
                    c.flags |= r.MESSAGE
            if closed:
                if clock_out_of_hours == w.CALL_BACK:
                    # In the first hour of the next opening.
                    outcome[row] = r.WAITING
                    for day in range(now // DAY_MS, len(clock_open_ms)):
                        if now < clock_open_ms[day] < w.NEVER:
                            c.flags |= r.CALLED_BACK
                            length = clock_close_ms[day] - clock_open_ms[day]
                            when = clock_open_ms[day] + min(lines[row].call_back_ms, length - 1)
                            if when < stop:
                                n_heap = _push(heap, n_heap, when << 28 | REACH << 23 | row)
                            break
                else:
                    outcome[row] = r.CLOSED
                    c.end_ms = now
            else:
                # Second tier for escalations; the flagged queue where a detector hears something.
                q = int(kind)
                if c.flags & r.MESSAGE:
                    q = w.MESSAGES * n_types + kind
                elif trip.tier:
                    c.flags |= r.TIER_TWO
                    q = w.SECOND_TIER * n_types + kind
                else:
                    flagged = False
                    for k in range(n_ears):
                        if not ears_listens[k, kind]:
                            continue
                        there = rules.sees(
                            ears_target[k],
                            ears_above[k],
                            trip.intensity,
                            needs[need].vulnerable,
                            needs[need].keyword,
                        )
                        u = ears[row, k]
                        if there and u < ears_sensitivity[k]:
                            c.flags |= r.FLAG_RIGHT
                            flagged = True
                        elif there:
                            c.flags |= r.FLAG_MISSED
                        elif u < 1.0 - ears_specificity[k]:
                            c.flags |= r.FLAG_WRONG
                            flagged = True
                    if flagged:
                        q = w.FLAGGED * n_types + kind
                c.queue = q
                asking = row
                if levers_same_agent and trip.tier == 0:
                    # Whoever comes back goes to the person they know, if that person is idle and serves the queue.
                    agent = trip.served_by
                    if (
                        agent >= 0
                        and agents[agent].status == IDLE
                        and routing_delay_of_group[q, agents[agent].post] >= 0
                    ):
                        c.flags |= r.SAME_AGENT
                        server = int(agent)

        if asking >= 0:
            # Whom they get: the contact's preference of groups, then the longest idle, then room for a further chat.
            row, c = asking, contacts[asking]
            q = int(c.queue)
            waited = now - c.reach_ms
            if server >= 0:
                pass  # somebody they know
            elif has_chat and queue_channel[q] == w.CHAT:
                for k in range(routing_order.shape[1]):
                    group = routing_order[q, k]
                    if group < 0 or server >= 0:
                        break
                    if routing_delay[q, k] > waited:
                        continue
                    if idle[group].n > 0:
                        server = _ready_at(
                            q, group, by_load, idle, ready, groups, agents, routing_delay_of_group
                        ) if rotates else int(ready[groups[group].base] if by_load else idle[group].first)  # fmt: skip
                    if server < 0:
                        server = _with_room(
                            q, group, now, n_groups, groups_slots, idle, agents, groups[group], queue, contacts, outcome,
                            routing_delay_of_group, routing_priority, live_queues, call_queues, chat_queues,
                            levers_rest_share, levers_rest_queue,
                        )  # fmt: skip
            else:
                server = _first_ready(
                    q, waited, routing_order, routing_delay, by_load, idle, ready, groups, rotates, agents,
                    routing_delay_of_group,
                )  # fmt: skip
            if server >= 0:
                caller = row
            if event == OVERFLOW:
                if server >= 0:
                    queue[q].waiting -= 1
                    if has_deferred and queue_channel[q] == w.DEFERRED:
                        n_deferred -= 1
                    else:
                        n_waiting -= 1
                    if has_chat and queue_channel[q] == w.CHAT:
                        n_chats -= 1
            elif server < 0:
                kind, line = needs[links[row].need].type, lines[row]
                if has_deferred and queue_channel[q] == w.DEFERRED:
                    outcome[row] = r.WAITING
                    _join(queue[q], row, contacts)
                    n_deferred += 1
                    if not c.flags & r.MESSAGE:
                        interval = c.arrive_ms % DAY_MS // clock_interval_ms
                        patience = line.patience_unit * types_patience_ms[kind, interval]
                        when = now + int(min(patience, float(w.NEVER)))
                        if when < stop:
                            n_heap = _push(heap, n_heap, when << 28 | ABANDON << 23 | row)
                    for k in range(overflow_ms.shape[1]):
                        when = now + overflow_ms[q, k]
                        if now < when < stop:
                            n_heap = _push(heap, n_heap, when << 28 | OVERFLOW << 23 | row)
                elif 0 < routing_max_queue <= n_waiting and not c.flags & r.CALLED_BACK:
                    outcome[row] = r.TURNED_AWAY
                    c.end_ms = now
                    gives_up = row
                else:
                    interval = c.arrive_ms % DAY_MS // clock_interval_ms
                    patience = line.patience_unit * types_patience_ms[kind, interval]
                    called_back = c.flags & r.CALLED_BACK
                    if patience <= 0.0 and not called_back:
                        outcome[row] = r.ABANDONED
                        c.end_ms = now
                        gives_up = row
                    else:
                        outcome[row] = r.WAITING
                        _join(queue[q], row, contacts)
                        n_waiting += 1
                        if has_chat and queue_channel[q] == w.CHAT:
                            n_chats += 1
                        when = now + int(min(patience, float(w.NEVER)))
                        if offers and not called_back and levers_call_back_after_ms[kind] >= 0:
                            # A call-back instead of waiting will be accepted: no patience to lose.
                            offer = now + levers_call_back_after_ms[kind]
                            if offer < when and line.accepts < levers_call_back_accepts[kind]:
                                called_from[row] = offer
                                called_back = 1
                        if when < stop and not called_back:
                            n_heap = _push(heap, n_heap, when << 28 | ABANDON << 23 | row)
                        for k in range(overflow_ms.shape[1]):
                            when = now + overflow_ms[q, k]
                            if now < when < stop:
                                n_heap = _push(heap, n_heap, when << 28 | OVERFLOW << 23 | row)

        leaver = freeing if freeing >= 0 else going_home
        if leaver >= 0 and agents[leaver].status == IDLE:
            # Time spent ready ends, with a break or with the shift.
            a = agents[leaver]
            group = a.group
            _no_longer_ready(leaver, group, groups[group].base, by_load, idle, ready, agents)
            spells[a.spell].idle_ms += now - a.since
            _settle(a, now, half_life[group], threshold, spells)
            a.status = AWAY

        if freeing >= 0:
            # What next: home, a break that is due, recovery, the next customer, or idle.
            agent, a = freeing, agents[freeing]
            group, post = a.group, a.post
            g = groups[group]
            row = -1
            if n_waiting > 0 or (has_deferred and n_deferred > 0):
                row = _next_in_line(
                    post,
                    now,
                    routing_queues,
                    queue,
                    contacts,
                    outcome,
                    routing_delay_of_group,
                    routing_priority,
                )
            going = a.leaving == 1 or g.to_leave > 0
            serves_out = False
            if going and row >= 0 and clock_at_close == w.SERVE_OUT and not clock_always_open:
                serves_out = not _is_open(now, clock_open_ms, clock_close_ms)
                if serves_out and (has_deferred or offers):
                    row = _next_live(
                        post, now, live_queues, queue, contacts, outcome, routing_delay_of_group, routing_priority,
                        called_from,
                    )  # fmt: skip
                    serves_out = row >= 0
            elif (
                has_deferred
                and not going
                and n_deferred > 0
                and rules.is_reserved(groups_reserved[group], g.signed_on, g.on_deferred)
            ):
                other = _next_in_line(
                    post,
                    now,
                    deferred_queues,
                    queue,
                    contacts,
                    outcome,
                    routing_delay_of_group,
                    routing_priority,
                )
                if other >= 0:
                    row = other
            if not going and a.shift < 0 and now - spells[a.spell].on_ms >= w.RELIEF_MS:
                n_spells = _relieve(a, now, n_spells, spells)
            rests = False
            if a.owed > 0 and not going:
                rests = _may_rest(g, post, live_queues, queue, levers_rest_share, levers_rest_queue)
            if going and not serves_out:
                if a.leaving == 0:
                    g.to_leave -= 1
                going_home = agent
            elif not going and a.act_first < a.act_last:
                act, spell = a.act_first, spells[a.spell]
                a.act_first += 1
                started[act] = now
                if staffing_act_post[act] >= 0:
                    a.post = staffing_act_post[act]
                length = staffing_act_length_ms[act]
                if staffing_act_kind[act] == w.BREAK:
                    spell.break_ms += length
                elif staffing_act_kind[act] == w.LUNCH:
                    spell.lunch_ms += length
                elif staffing_act_kind[act] == w.OFFLINE:
                    spell.offline_ms += length
                else:
                    spell.decompression_ms += length
                if not staffing_act_paid[act]:
                    spell.unpaid_ms += length
                a.status = AWAY
                if now + length < stop:
                    n_heap = _push(heap, n_heap, now + length << 28 | FREE << 23 | agent)
            elif rests:
                length = a.owed
                a.owed = 0
                spells[a.spell].rest_ms += length
                a.status = REST
                g.resting += 1
                if now + length < stop:
                    n_heap = _push(heap, n_heap, now + length << 28 | FREE << 23 | agent)
            elif row >= 0:
                q = int(contacts[row].queue)
                queue[q].waiting -= 1
                if has_deferred and queue_channel[q] == w.DEFERRED:
                    n_deferred -= 1
                else:
                    n_waiting -= 1
                if has_chat and queue_channel[q] == w.CHAT:
                    n_chats -= 1
                a.status = BUSY
                caller = row
                server = agent
            else:
                a.status = IDLE
                a.since = now
                if by_load:
                    n = idle[group].n
                    idle[group].n = n + 1
                    a.load_key = rules.idle_key(a.load, now, half_life[group])
                    ready[g.base + n] = agent
                    _rise(ready, agents, g.base, n)
                else:
                    _line_up(agent, idle[group], agents)

        if going_home >= 0:
            # Gone; what is left of the load feeds exhaustion.
            a = agents[going_home]
            g = groups[a.group]
            spells[a.spell].off_ms = now
            spells[a.spell].load_end = a.load
            a.exhaustion = rules.exhaustion_next(b, a.exhaustion, 0, a.load)
            a.status = OFF
            a.leaving = 0
            a.shift = -1
            a.spell = -1
            g.signed_on -= 1
            if len(staffing_agent) == 0:
                spare[g.base + g.n_spare] = going_home
                g.n_spare += 1

        if caller >= 0:
            # An agent takes a contact.
            row, agent = caller, server
            need, line, c, a = links[row].need, lines[row], contacts[row], agents[agent]
            trip, group, spell = course[need], a.group, spells[a.spell]
            kind, intensity, empathy = needs[need].type, trip.intensity, a.empathy
            if a.status == IDLE:
                _no_longer_ready(agent, group, groups[group].base, by_load, idle, ready, agents)
                spell.idle_ms += now - a.since
            elif has_chat and a.status == CHATTING:
                _no_longer_ready(agent, a.n_open * n_groups + group, 0, 0, idle, ready, agents)
                _attend(a, now, half_life[group], threshold, spells)
            _settle(a, now, half_life[group], threshold, spells)
            load_now = a.load
            spell.contacts += 1
            c.end_ms = now
            c.agent = agent
            c.intensity = intensity
            c.load = load_now

            channel, live, waited, holds_ms = w.VOICE, 1, now - c.reach_ms, -1
            if has_chat or has_deferred:
                channel = queue_channel[c.queue]
                if channel == w.CHAT:
                    live = a.n_live + 1
                elif channel == w.DEFERRED:
                    waited = 0
                    a.works_deferred = 1
                    groups[group].on_deferred += 1
            c.live = live
            if offers and called_from[row] <= now:
                # On the line no longer than until the offer.
                waited = called_from[row] - c.reach_ms
                c.flags |= r.CALLED_BACK | r.CALL_BACK_TAKEN
                if rings and line.unanswered < levers_call_back_unanswered:
                    outcome[row] = r.UNREACHED
                    holds_ms = max(1, levers_call_back_dial_ms)
            elif (
                silence
                and channel == w.CHAT
                and not c.flags & r.CALLED_BACK
                and line.silent < types_silent[kind]
            ):
                outcome[row] = r.SILENT
                holds_ms = max(1, types_silent_ms[kind])
            if CHANNELS and holds_ms >= 0:
                # Nobody is there: time is lost, and nothing else happens.
                gives_up = row
                caller = -1
                if channel == w.CHAT:
                    opening = row
                else:
                    c.acw_ms = holds_ms
                    spell.acw_ms += holds_ms
                    a.status = BUSY
                    when = now + holds_ms
                    c.done_ms = when
                    _settle(a, when, half_life[group], threshold, spells)
                    if when < stop:
                        n_heap = _push(heap, n_heap, when << 28 | FREE << 23 | agent)

        if caller >= 0:
            # How long it will take, how it will end, what it leaves behind.
            interval = c.arrive_ms % DAY_MS // clock_interval_ms
            speed = a.speed * groups_speed[group, kind]
            talk = line.talk_unit * types_talk_ms[kind, interval] * rules.talk_factor(
                b, speed * a.talk, load_now, now - spell.on_ms, intensity, empathy, levers_scripts
            )  # fmt: skip
            known = 0
            if levers_same_agent:
                trip.served_by = agent
                if c.flags & r.SAME_AGENT:
                    known = 1
                    talk = talk * rules.talk_with(b, 1)
            repeats = 0
            if c.flags & r.REPEATS:
                talk += b.handover_ms
                repeats = 1
            acw = line.acw_unit * types_acw_ms[kind] * speed
            full = talk + acw
            cut = 0.0
            if n_waiting > 0:
                cut = talk * rules.hurried_share(b, _waiting_for(a.post, live_queues, queue))
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

            base_heard = rules.heard_by(b, heard_base[group, kind], a.heard, known)
            base_resolved = rules.resolved_by(b, resolved_base[group, kind], a.resolved, known)
            if has_chat and live > 1:
                base_heard += b.heard_concurrency * (live - 1)
                base_resolved += b.resolved_concurrency * (live - 1)
            heard = rules.odds(
                rules.heard_odds(b, base_heard, intensity, empathy, unmet, load_now, repeats, waited)
            )
            last_one = links[row].attempt + 1 >= b.max_attempts
            if cut > 0.0 and not last_one and rules.is_passed_on(b, cut, full, line.passed_on):
                c.flags |= r.PASSED_ON
                if channel != w.CHAT:
                    trip.tier = 1
                    onward_from = row
            else:
                log_odds = rules.resolved_odds(b, base_resolved, needs[need].difficulty, unmet, load_now)
                if_heard = rules.odds(log_odds)
                if_not = if_heard
                if rules.unsafe(b, needs[need].vulnerable, intensity):
                    if_not = rules.odds(log_odds + b.resolved_not_heard)
                c.if_heard = if_heard
                c.if_not = if_not
                was_heard = line.heard < heard
                ending = rules.ending_of(line.resolved < (if_heard if was_heard else if_not), was_heard)
                c.ending = ending
                if line.escalates < rules.p_escalate(b, ending) and not last_one:
                    c.flags |= r.ESCALATED
                    if channel != w.CHAT:
                        trip.tier = 1
                        onward_from = row
                elif channel != w.CHAT:
                    ended = row
                elif line.again < rules.p_return(b, ending) and not last_one:
                    c.flags |= r.RETURNS

            if levers_rest_ms > 0 and channel != w.CHAT:
                _rest_falls_due(
                    c, kind, talk_ms + acw_ms, intensity, a, spell, b, levers_rest_on_type,
                    levers_rest_over_ms, levers_rest_on_flag, levers_rest_on_button, levers_rest_on_intensity,
                    levers_rest_ms, levers_rest_hardest_ms, levers_rest_budget_ms, line.button,
                )  # fmt: skip
            outcome[row] = r.ANSWERED
            c.talk_ms = talk_ms
            c.acw_ms = acw_ms
            c.full_ms = int(full + 0.5)
            c.unmet = unmet
            c.heard = heard
            rate = rules.load_rate(b, a.absorption, strained[kind])
            if channel == w.CHAT:
                opening = row
            else:
                spell.talk_ms += talk_ms
                spell.acw_ms += acw_ms
                a.status = BUSY
                when = over_at + acw_ms
                c.done_ms = when
                _settle(a, when, half_life[group], threshold, spells)
                gained = rules.load_gained(intensity, talk_ms, rate)
                spell.load_area += gained
                a.load += gained
                if when < stop:
                    n_heap = _push(heap, n_heap, when << 28 | FREE << 23 | agent)

        if has_chat and opening >= 0:
            # A chat takes one of the agent's slots; the others go on at another speed.
            here, n = agent * most_slots, a.n_open
            a.status = CHATTING
            mine = chats[here + n]
            mine.row = row
            if holds_ms >= 0:
                mine.left = -1
                mine.end = now + holds_ms
                mine.pull = 0.0
            else:
                before, after = groups_slowing[group, live - 1], groups_slowing[group, live]
                _pace(here, n, now - a.paced_at, before, after, now, chats)
                a.paced_at = now
                a.n_live = live
                work_ms = talk_ms + acw_ms
                mine.left = work_ms
                mine.end = rules.work_ends(now, work_ms, after)
                mine.pull = rules.load_pull(intensity, talk_ms, work_ms, rate)
                a.pull += mine.pull
            a.n_open = n + 1
            if n + 1 < groups_slots[group]:
                _line_up(agent, idle[(n + 1) * n_groups + group], agents)
            soonest = _next_end(here, n + 1, chats)
            if soonest != a.chat_at:
                a.chat_at = soonest
                if soonest < stop:
                    n_heap = _push(heap, n_heap, soonest << 28 | CHAT_OVER << 23 | agent)

        comes_back = False
        if gives_up >= 0:
            # Without having been served: a redial within the hour, or a need unmet.
            row, line = gives_up, lines[gives_up]
            if line.again < b.redial and links[row].attempt + 1 < b.max_attempts:
                contacts[row].flags |= r.REDIALS
                course[links[row].need].tier = 0
                over_at += line.redial_ms
                comes_back = True
                onward_from = row
        elif ended >= 0:
            # By how it ended, the customer comes back after a while, more upset.
            row, line = ended, lines[ended]
            if line.again < rules.p_return(b, ending) and links[row].attempt + 1 < b.max_attempts:
                trip = course[links[row].need]
                contacts[row].flags |= r.RETURNS
                trip.intensity = min(1.0, trip.intensity + b.return_intensity)
                trip.tier = 0
                over_at += line.return_ms
                comes_back = True
                onward_from = row
        if onward_from >= 0:
            row = int(links[onward_from].next)
            if row < 0:
                raise RuntimeError("a journey goes on for which nothing was drawn")
            one, line = needs[links[row].need], lines[row]
            if not whole:
                # What is drawn about it hangs on nothing that has happened, so it can be drawn as well now.
                fill(
                    sheet.one[0], sheet.kinds[one.type], sheet.meetings[one.type, one.segment], sheet.pieces[one.type],
                    line, ears[row], one.key, links[row].attempt, one.difficulty, False, False,
                )  # fmt: skip
            at_any_hour = has_deferred and types_channel[one.type] == w.DEFERRED
            if comes_back and over_at < stop and not clock_always_open and not at_any_hour:
                closed = not _is_open(over_at, clock_open_ms, clock_close_ms)
                if closed:
                    # Whoever would call while nobody is there calls at some time of the next opening.
                    for day in range(over_at // DAY_MS, len(clock_open_ms)):
                        if over_at < clock_open_ms[day] < w.NEVER:
                            length = clock_close_ms[day] - clock_open_ms[day]
                            over_at = clock_open_ms[day] + line.call_back_ms * length // w.HOUR_MS
                            break
            if over_at < stop:
                n_heap = _push(heap, n_heap, over_at << 28 | RETURN << 23 | row)

        if has_chat and n_chats > 0 and (arriving < 0 or reaching >= 0):
            # Whoever has room takes a waiting chat next. Who meets the bot changes nothing of that.
            for group in range(n_groups):
                if groups[group].looking or _next_in_line(
                    group, now, chat_queues, queue, contacts, outcome, routing_delay_of_group, routing_priority
                ) < 0:  # fmt: skip
                    continue
                agent = _with_room(
                    -1, group, now, n_groups, groups_slots, idle, agents, groups[group], queue, contacts, outcome,
                    routing_delay_of_group, routing_priority, live_queues, call_queues, chat_queues, levers_rest_share,
                    levers_rest_queue,
                )  # fmt: skip
                if agent >= 0:
                    groups[group].looking = 1
                    n_heap = _push(heap, n_heap, now << 28 | LOOK << 23 | group)

    for agent in range(n_agents):
        a = agents[agent]
        if a.status != OFF:
            spell = spells[a.spell]
            if a.status == IDLE:
                spell.idle_ms += stop - a.since
                _settle(a, stop, half_life[a.group], threshold, spells)
            elif has_chat and a.status == CHATTING:
                _attend(a, stop, half_life[a.group], threshold, spells)
                for i in range(agent * most_slots, agent * most_slots + a.n_open):
                    contacts[chats[i].row].done_ms = chats[i].end
            spell.off_ms = stop
            spell.load_end = a.load
    for number in range(from_spell, n_spells):
        spell = spells[number]
        spell.load_area = rules.load_area(
            spell.load_area, spell.load_end, half_life[agents[spell.agent].group]
        )
    return n_spells


def _block(
    first_need: Ints, first_row: Ints, first_spell: Ints, first_event: Ints, timetable: Ints, absent_u: Floats,
    absent: Ints, started: Ints, traits: Any, agents_at_first: Any, groups_at_first: Any, spare_at_first: Ints, agents: Any,
    needs: Any, course: Any, links: Any, lines: Any, ears: Floats, whole: bool, sheet: Any,
    outcome: Any, contacts: Any, spells: Any, called_from: Ints,
    groups: Any, idle: Any, ready: Ints, spare: Ints, queue: Any, chats: Any, heap: Ints, *others: Any,
) -> None:  # fmt: skip
    """Simulate one replication after another, each from the state at first."""
    n_spells = 0
    for need in range(len(needs)):
        course[need].intensity = needs[need].intensity
        course[need].tier = 0
        course[need].served_by = -1
    for i in range(len(first_need) - 1):
        for k in range(len(agents)):
            a, t = agents[k], traits[i, k]
            agents[k] = agents_at_first[k]
            a.speed, a.absorption, a.talk = t.speed, t.absorption, t.talk
            a.heard, a.resolved, a.empathy = t.heard, t.resolved, t.empathy
        for k in range(len(groups)):
            groups[k] = groups_at_first[k]
        for k in range(len(idle)):
            idle[k].n = 0
        for k in range(len(spare)):
            spare[k] = spare_at_first[k]
        for k in range(len(queue)):
            queue[k].waiting = 0
        n_spells = _loop(
            first_need[i], first_need[i + 1], first_row[i], n_spells, timetable[first_event[i]:first_event[i + 1]],
            absent_u[i], absent[i], started[i], agents, needs, course, links, lines, ears, whole, sheet, outcome, contacts,
            spells, called_from, groups, idle, ready, spare, queue, chats, heap, *others,
        )  # fmt: skip
        first_spell[i + 1] = n_spells


# --- compiling ----------------------------------------------------------------------------------------------

_HELPERS = (
    _push, _pop, _less_loaded, _rise, _sink, _first_ready, _no_longer_ready, _next_in_line, _waiting_for,
    _settle, _is_open, _bot_is_up, _ready_at, _next_live, _may_rest, _rest_falls_due, _line_up, _with_room, _attend, _pace,
    _next_end, _sign_on, _relieve, _join,
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
    """(P, .) the queues that a post serves and that anybody can ever join, all and by channel; -1 ends each list."""
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
        "any_chat": int(w.has_chat(world)),
        "any_deferred": int(w.has_deferred(world)),
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


@w.once("groups", "staffing")
def _at_first(world: World) -> tuple[Any, Any, Ints]:
    """Agents, groups, and those without a shift before anything has happened: of these the group's first lies on top."""
    group_of = world.staffing.group_of
    agents, groups = np.zeros(len(group_of), AGENT), np.zeros(len(world.groups.specialist), GROUP)
    sizes = np.bincount(group_of, minlength=len(groups))
    agents["number"], agents["group"], agents["post"] = np.arange(len(agents)), group_of, group_of
    agents["exhaustion"] = world.groups.exhaustion[group_of]
    groups["base"], groups["n_spare"] = np.cumsum(sizes) - sizes, sizes
    spare = np.lexsort((-np.arange(len(agents)), group_of))
    for table in (agents, groups, spare):
        table.flags.writeable = False
    return agents, groups, spare


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
    n_shifts, n_acts = len(world.staffing.agent), len(world.staffing.act_ms)
    written = r.blank_written(n_rows, n * r.most_spells(world), n_shifts, n_acts, n, room)
    first_event, timetable = _planned(world, block.people.late_ms)
    agents_at_first, groups_at_first, spare_at_first = _at_first(world)
    n_agents, n_groups, n_queues = len(agents_at_first), len(groups_at_first), len(world.routing.order)
    chats = w.has_chat(world)
    most_slots = int(world.groups.slots.max(initial=1)) if chats else 1
    traits = np.empty((n, n_agents), _TRAITS)
    for name in TRAITS:
        traits[name] = getattr(block.people, name)
    called_from = np.full(n_rows if given["has_offers"] else 0, FAR, np.int64)
    # An agent has one event ahead of them, a contact one of its own and those of its overflows, and a chat changes
    # twice when the agent's next one is over; a group looks at the line once at a time.
    most = int(np.diff(block.first_row).max(initial=0)) * (1 + given["overflow_ms"].shape[1] + 2 * chats)
    _engine(w.has_channels(world))(
        block.first_need, block.first_row, written.first_spell, first_event, timetable,
        np.ascontiguousarray(block.people.absent), written.absent, written.started, traits, agents_at_first,
        groups_at_first, spare_at_first,
        np.empty(n_agents, AGENT),
        block.needs, room("course", len(block.needs), COURSE), block.links, block.lines, block.ears, block.whole,
        import_module("sim.drawing").sheet(world), written.outcome, written.lines, written.spell_lines, called_from,
        np.empty(n_groups, GROUP), np.empty(n_groups * most_slots, IDLE_LIST), np.empty(n_agents, np.int64),
        np.empty(n_agents, np.int64), np.empty(n_queues, QUEUE), np.empty(n_agents * most_slots if chats else 0, CHAT),
        room("heap", n_agents + n_groups + most + 8, np.int64),
        *(given[name] for name in _OF_WORLD),
    )  # fmt: skip
    if given["has_offers"]:
        promised = (written.outcome == r.WAITING) & (called_from < world.clock.stop_ms)
        written.lines["flags"][promised] |= r.CALLED_BACK | r.CALL_BACK_TAKEN
    return written._replace(spell_lines=written.spell_lines[: written.first_spell[-1]])


def simulate(world: World, draws: Draws) -> Records:
    """One replication, compiled."""
    block = d.block_of(draws)
    return r.records_of(simulate_block(world, block), block.first_row, 0)


_OF_WORLD = _loop.__code__.co_varnames[_loop.__code__.co_varnames.index("stop") : _loop.__code__.co_argcount]
"""The loop's arguments that hang on the world alone."""
