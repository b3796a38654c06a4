"""Adding up, compiled: what happened to each contact of a block of replications, into the sums that `measures` names.

One pass over the rows in their order, attempt by attempt, so that a need's earlier contacts are met before its later
ones. A sum is a field of a record: a new one is a name here, and the line that adds to it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sim import records as r
from sim import world as w
from sim.compiled import compiled
from sim.world import HOUR_MS, MINUTE_MS, Behaviour, Floats, Ints

OF_CHANNELS = (
    "deferred", "deferred_answered", "deferred_in_time", "deferred_wait_h", "deferred_second_tier", "messages",
    "messages_answered", "message_wait_h", "silent",
)  # fmt: skip
"""Of types whose channel is deferred; then of messages that others left out of hours, for which an acceptable wait has no
meaning; then chats with nobody there."""
CUSTOMERS = (
    "contacts", "sessions", "contained", "falsely_contained", "hung_up", "handed_over", "refused", "queued", "answered",
    "abandoned", "turned_away", "closed", "in_system", "called_back", "live_answered", "live_abandoned", "in_time",
    "abandoned_in_time", "wait_answered_s", "wait_s", "talk_min", "acw_min", "handle_min", "full_min",
    "intense_answered", "intense_handle_min", "unmet", "heard", "spoken", "resolved_contacts", "passed_on",
    "flags_right", "flags_wrong", "flags_missed", "same_agent", "expert_answered", "wrong_flag_expert_min", "log_resolved", "needs",
    "first_answered", "first_resolved", "journey_contacts", "journey_answered", "journey_sessions",
    "journey_handle_min", "returns", "redials", "escalations", "transfers", "churned", "undisclosed",
    "contacts_sorted_heard", "contacts_sorted", "contacts_warm", "contacts_cold", "resolved_needs",
    "ended_sorted_heard", "ended_sorted", "ended_warm", "ended_cold", "ended_unserved", "ended_open", "refused_needs",
    *OF_CHANNELS, "unreached", "call_backs_taken", "call_back_wait_min", "backlog_end",
)  # fmt: skip
SERVICE = (
    "offered", "queued", "second_tier", "answered", "in_time", "abandoned", "abandoned_in_time", "wait_answered_s",
    "wait_s", *OF_CHANNELS,
)  # fmt: skip
BUSY = ("talk_min", "busy_min", "chat_min", "slot_min")
"""Minutes of talk, of all handling, with any chat open, and the same summed over the chats."""
CUSTOMER_SUMS, SERVICE_SUMS, BUSY_SUMS = (
    np.dtype([(name, np.float64) for name in names]) for names in (CUSTOMERS, SERVICE, BUSY)
)
ANSWERED_BEFORE, REFUSED_BEFORE = 1, 2


_UNITS = {"_min": MINUTE_MS, "_s": 1000, "_h": HOUR_MS}


def in_units(sums: Any) -> dict[str, Floats]:
    """The fields of an array of sums, each in the unit at the end of its name: while they are added up, times are ms."""
    names = sums.dtype.names
    units = [
        next((float(ms) for ending, ms in _UNITS.items() if name.endswith(ending)), 1.0) for name in names
    ]
    columns = np.moveaxis(sums.view(np.float64).reshape(*sums.shape, len(names)), -1, 0)
    columns = columns / np.array(units).reshape(-1, *(1 for _ in sums.shape))
    return dict(zip(names, columns, strict=True))


class Look(NamedTuple):
    """What adding up reads of a world and a lens."""

    b: Behaviour
    start_ms: int
    """The horizon, from and to."""
    end_ms: int
    interval_ms: int
    within_ms: Floats
    repeat_ms: float
    churn_scale: Floats
    channels: int
    """1 where there is anything but calls that are answered or lost; `chats` where there are chats."""
    chats: int
    channel: Ints
    expert: Ints
    """(agents,) 1 for specialists."""
    group_of: Ints


def _spread(
    look: Look, busy: Any, group: int, start: int, talk_ms: int, both_ms: int, waiting: Ints, n_waiting: int
) -> int:
    """Add a stretch of handling to the interval in which it starts; what is left over waits for its turn.

    Later intervals come later: every stretch's first, then every stretch's second, and so on.
    """
    place = start // look.interval_ms
    room = (place + 1) * look.interval_ms - start
    if 0 <= place < busy.shape[1]:
        busy[group, place].talk_min += min(talk_ms, room)
        busy[group, place].busy_min += min(both_ms, room)
    if both_ms > room and start + room < busy.shape[1] * look.interval_ms:
        waiting[n_waiting, 0] = group
        waiting[n_waiting, 1] = start + room
        waiting[n_waiting, 2] = max(0, talk_ms - room)
        waiting[n_waiting, 3] = both_ms - room
        n_waiting += 1
    return n_waiting


def _count_channels(t: Any, became: int, c: Any, channel: int, within_ms: float) -> None:
    """Add what is counted of deferred work, messages and chats, beside what is counted of every contact."""
    if became == r.SILENT:
        t.silent += 1.0
    if c.reach_ms < 0:
        return
    age_ms = float(c.end_ms - c.reach_ms)
    if c.flags & r.MESSAGE:
        t.messages += 1.0
        if became == r.ANSWERED:
            t.messages_answered += 1.0
            t.message_wait_h += age_ms
    elif channel == w.DEFERRED:
        t.deferred += 1.0
        if c.flags & r.TIER_TWO:
            t.deferred_second_tier += 1.0
        if became == r.ANSWERED:
            t.deferred_answered += 1.0
            t.deferred_wait_h += age_ms
            if age_ms <= within_ms:
                t.deferred_in_time += 1.0


def _serve(look: Look, s: Any, became: int, c: Any, kind: int) -> None:
    """Add a contact to the service of the interval of its arrival."""
    s.offered += 1.0
    within_ms = look.within_ms[kind]
    if look.channels:
        _count_channels(s, became, c, look.channel[kind], within_ms)
    # Call-backs and deferred work have no wait that a service level could count.
    if c.flags & (r.CALLED_BACK | r.MESSAGE) or look.channel[kind] == w.DEFERRED:
        return
    reached = c.reach_ms >= 0
    wait_ms = float(c.end_ms - c.reach_ms) if reached else 0.0
    in_time = wait_ms <= within_ms
    if became in (r.ANSWERED, r.SILENT):
        s.answered += 1.0
        s.wait_answered_s += wait_ms
        if in_time:
            s.in_time += 1.0
    elif became == r.ABANDONED:
        s.abandoned += 1.0
        if in_time:
            s.abandoned_in_time += 1.0
    elif not (became == r.TURNED_AWAY or (became == r.CLOSED and reached)):
        return
    s.queued += 1.0
    s.wait_s += wait_ms
    if c.flags & r.TIER_TWO:
        s.second_tier += 1.0


def _service_alone(
    look: Look, first_row: Ints, needs: Any, links: Any, outcome: Any, marks: Any, waiting: Ints, service: Any,
    busy: Any,
) -> None:  # fmt: skip
    """The service sums and handling minutes of `_add_up` without the others."""
    for i in range(len(first_row) - 1):
        n_waiting = 0
        for row in range(first_row[i], first_row[i + 1]):
            became = outcome[row]
            if became == r.NOTHING:
                continue
            c = marks[row]
            if c.agent >= 0 and c.end_ms < look.end_ms and not look.chats:
                n_waiting = _spread(
                    look, busy[i], look.group_of[c.agent], c.end_ms - look.start_ms, c.talk_ms,
                    c.talk_ms + c.acw_ms, waiting, n_waiting,
                )  # fmt: skip
            if look.start_ms <= c.arrive_ms < look.end_ms:
                kind = needs[links[row].need].type
                at = (c.arrive_ms - look.start_ms) // look.interval_ms
                _serve(look, service[i, kind, at], became, c, kind)
        _spread_on(look, busy[i], waiting, n_waiting)


def _spread_on(look: Look, busy: Any, waiting: Ints, n_waiting: int) -> None:
    """What lasts beyond the interval in which it starts."""
    while n_waiting > 0:
        n_left = 0
        for k in range(n_waiting):
            n_left = _spread(
                look, busy, waiting[k, 0], waiting[k, 1], waiting[k, 2], waiting[k, 3], waiting, n_left
            )
        n_waiting = n_left


def _add_up(
    look: Look, first_need: Ints, first_row: Ints, needs: Any, links: Any, outcome: Any, marks: Any, seen: Any, waiting: Ints,
    customers: Any, service: Any, busy: Any, loads: Floats, first_load: Ints,
) -> None:  # fmt: skip
    """Fill (n, T, S, 2) of CUSTOMER_SUMS, (n, T, days x I) of SERVICE_SUMS, (n, G, days x I) of BUSY_SUMS, and the loads
    at which contacts were answered; `seen` (needs) starts at 0, `waiting` (rows, 4) is room."""
    b = look.b
    n_loads = 0
    for i in range(len(first_row) - 1):
        n_waiting = 0
        for need in range(first_need[i], first_need[i + 1]):
            n = needs[need]
            if look.start_ms <= n.birth_ms < look.end_ms:
                customers[i, n.type, n.segment, n.vulnerable].needs += 1.0
        for row in range(first_row[i], first_row[i + 1]):
            became = outcome[row]
            if became == r.NOTHING:
                continue
            c = marks[row]
            answered = became == r.ANSWERED
            if c.agent >= 0 and c.end_ms < look.end_ms and not look.chats:
                n_waiting = _spread(
                    look, busy[i], look.group_of[c.agent], c.end_ms - look.start_ms, c.talk_ms,
                    c.talk_ms + c.acw_ms, waiting, n_waiting,
                )  # fmt: skip
            need = links[row].need
            n = needs[need]
            kind = n.type
            t = customers[i, kind, n.segment, n.vulnerable]
            if look.channels and became in (r.ANSWERED, r.WAITING) and 0 <= c.reach_ms < look.end_ms:
                # Deferred work left when the horizon ends, whenever it came.
                waits_on = c.end_ms < 0 or c.end_ms >= look.end_ms
                if waits_on and (c.flags & r.MESSAGE or look.channel[kind] == w.DEFERRED):
                    t.backlog_end += 1.0
            here = look.start_ms <= c.arrive_ms < look.end_ms
            ours = look.start_ms <= n.birth_ms < look.end_ms
            if not here and not ours:
                continue
            flags = c.flags
            abandoned = became == r.ABANDONED
            contained = became in (r.CONTAINED, r.CONTAINED_FALSELY)
            had_bot = c.bot_ms > 0 or contained or became == r.HUNG_UP
            handle_ms = float(c.done_ms - c.end_ms) if answered else 0.0
            h, yes, no = c.heard, c.if_heard, c.if_not
            p_resolved = h * yes + (1 - h) * no
            then = links[row].next
            goes_on = then >= 0 and outcome[then] != r.NOTHING

            if here:
                t.contacts += 1.0
                wait_ms = float(c.end_ms - c.reach_ms) if c.reach_ms >= 0 else 0.0
                # Call-backs have no wait that a service level could count: they are a figure of their own. Deferred work
                # has no line to wait in; a chat with nobody there was picked up like any other.
                live = not flags & (r.CALLED_BACK | r.MESSAGE) and look.channel[kind] != w.DEFERRED
                picked_up = answered or became == r.SILENT
                queued = live and (
                    picked_up
                    or abandoned
                    or became == r.TURNED_AWAY
                    or (became == r.CLOSED and c.reach_ms >= 0)
                )
                if look.channels:
                    _count_channels(t, became, c, look.channel[kind], look.within_ms[kind])
                    if became == r.UNREACHED:
                        t.unreached += 1.0
                    elif answered and flags & r.CALL_BACK_TAKEN:
                        t.call_backs_taken += 1.0
                        t.call_back_wait_min += float(c.end_ms - c.reach_ms)
                at = c.arrive_ms - look.start_ms
                _serve(look, service[i, kind, at // look.interval_ms], became, c, kind)
                if had_bot:
                    t.sessions += 1.0
                    if contained:
                        t.contained += 1.0
                        if became == r.CONTAINED_FALSELY:
                            t.falsely_contained += 1.0
                    elif became == r.HUNG_UP:
                        t.hung_up += 1.0
                if c.bot_ms > 0 and c.reach_ms >= 0:
                    t.handed_over += 1.0
                if flags & r.CALLED_BACK and not flags & r.CALL_BACK_TAKEN:
                    t.called_back += 1.0
                if queued:
                    t.queued += 1.0
                    t.wait_s += wait_ms
                if became == r.TURNED_AWAY:
                    t.turned_away += 1.0
                elif became == r.CLOSED:
                    t.closed += 1.0
                elif became in (r.WAITING, r.IN_BOT):
                    t.in_system += 1.0
                elif abandoned:
                    t.abandoned += 1.0
                    if live:
                        t.live_abandoned += 1.0
                        if wait_ms <= look.within_ms[kind]:
                            t.abandoned_in_time += 1.0
                elif picked_up and live:
                    t.live_answered += 1.0
                    t.wait_answered_s += wait_ms
                    if wait_ms <= look.within_ms[kind]:
                        t.in_time += 1.0
                if answered:
                    t.answered += 1.0
                    t.talk_min += c.talk_ms
                    t.acw_min += c.acw_ms
                    t.handle_min += handle_ms
                    t.full_min += c.full_ms
                    t.unmet += c.unmet
                    if c.intensity > b.intense_above:
                        t.intense_answered += 1.0
                        t.intense_handle_min += handle_ms
                    if c.ending >= 0:
                        t.spoken += 1.0
                        t.heard += h
                    t.resolved_contacts += p_resolved
                    if look.expert[c.agent]:
                        t.expert_answered += 1.0
                        if flags & (r.FLAG_WRONG | r.FLAG_RIGHT) == r.FLAG_WRONG:
                            t.wrong_flag_expert_min += handle_ms
                    # The log's view: no further contact of the same need within so many days.
                    if not (goes_on and marks[then].arrive_ms - c.end_ms <= look.repeat_ms):
                        t.log_resolved += 1.0
                    loads[n_loads] = c.load
                    n_loads += 1
                if flags:
                    if flags & r.REFUSED:
                        t.refused += 1.0
                    if flags & r.PASSED_ON:
                        t.passed_on += 1.0
                    if flags & r.FLAG_RIGHT:
                        t.flags_right += 1.0
                    if flags & r.FLAG_WRONG:
                        t.flags_wrong += 1.0
                    if flags & r.FLAG_MISSED:
                        t.flags_missed += 1.0
                    if flags & r.SAME_AGENT:
                        t.same_agent += 1.0

            if not ours:
                continue
            # Journeys of the needs born in the horizon, to their end.
            last_one = links[row].attempt + 1 >= b.max_attempts
            t.journey_contacts += 1.0
            if had_bot:
                t.journey_sessions += 1.0
            if answered:
                t.journey_answered += 1.0
                t.journey_handle_min += handle_ms
                if not seen[need] & ANSWERED_BEFORE:
                    seen[need] |= ANSWERED_BEFORE
                    t.first_answered += 1.0
                    t.first_resolved += p_resolved
                untold = (1 - h) * max(0.0, yes - no)
                t.undisclosed += untold * (1.0 if last_one else (1 - b.escalate_cold) * (1 - b.return_cold))
            if flags:
                if flags & r.RETURNS:
                    t.returns += 1.0
                if flags & r.REDIALS:
                    t.redials += 1.0
                if flags & r.ESCALATED:
                    t.escalations += 1.0
                if flags & r.PASSED_ON:
                    t.transfers += 1.0
                if flags & r.REFUSED and not seen[need] & REFUSED_BEFORE:
                    # The guardrail: refused a person they asked for.
                    seen[need] |= REFUSED_BEFORE
                    t.refused_needs += 1.0
            # How likely the journey stops here with each ending: expectations, so less noisy than coin flips.
            churn = 0.0
            if c.ending >= 0:
                p = (h * yes, (1 - h) * no, h * (1 - yes), (1 - h) * (1 - no))
                t.contacts_sorted_heard += p[0]
                t.contacts_sorted += p[1]
                t.contacts_warm += p[2]
                t.contacts_cold += p[3]
                stops = p
                if not last_one:
                    up = (b.escalate_sorted_heard, b.escalate_sorted, b.escalate_warm, b.escalate_cold)
                    back = (b.return_sorted_heard, b.return_sorted, b.return_warm, b.return_cold)
                    if answered:
                        stops = (
                            p[0] * (1 - (1 - (1 - up[0]) * (1 - back[0]))),
                            p[1] * (1 - (1 - (1 - up[1]) * (1 - back[1]))),
                            p[2] * (1 - (1 - (1 - up[2]) * (1 - back[2]))),
                            p[3] * (1 - (1 - (1 - up[3]) * (1 - back[3]))),
                        )
                    else:
                        stops = (
                            p[0] * (1 - back[0]), p[1] * (1 - back[1]), p[2] * (1 - back[2]), p[3] * (1 - back[3])
                        )  # fmt: skip
                t.resolved_needs += stops[0] + stops[1]
                churn = stops[0] * b.churn_sorted_heard + stops[1] * b.churn_sorted
                churn = churn + stops[2] * b.churn_warm + stops[3] * b.churn_cold
            if abandoned or became in (r.TURNED_AWAY, r.HUNG_UP, r.SILENT, r.UNREACHED):
                churn += b.churn_abandoned * (1.0 if last_one else 1 - b.redial)
            elif became == r.CLOSED:
                churn += b.churn_abandoned
            # Whoever the bot has falsely contained leaves it more upset than they came.
            upset = c.intensity
            if became == r.CONTAINED_FALSELY:
                upset = min(1.0, upset + b.bot_loop_intensity)
            scale = look.churn_scale[kind]
            scale *= max(0.0, 1 - b.churn_intensity + 2 * b.churn_intensity * upset)
            t.churned += min(1.0, churn * scale)
            # How journeys ended, as they did.
            if goes_on:
                continue
            if flags & (r.RETURNS | r.REDIALS | r.ESCALATED | r.PASSED_ON) or became in (r.WAITING, r.IN_BOT):
                t.ended_open += 1.0
            elif c.ending == 0:
                t.ended_sorted_heard += 1.0
            elif c.ending == 1:
                t.ended_sorted += 1.0
            elif c.ending == 2:
                t.ended_warm += 1.0
            elif c.ending == 3:
                t.ended_cold += 1.0
            else:
                t.ended_unserved += 1.0
        first_load[i + 1] = n_loads
        _spread_on(look, busy[i], waiting, n_waiting)


_HELPERS: list[Any] = [_spread, _spread_on, _count_channels, _serve]
add_up, service_alone = compiled(_add_up, _HELPERS), compiled(_service_alone)
