"""What is counted of chat, deferred work and call-backs, beside what is counted of every contact.

An agent's attention to chats is the union of the stretches in which they have any open; work that nobody waits for has
an age instead of a wait; a call-back accepted instead of waiting has a wait of its own. Worlds with calls alone have
zeros here, and pay nothing for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import records as r
from sim import world as w
from sim.draws import Draws
from sim.records import Contacts
from sim.world import HOUR_MS, Floats, Ints, World

Bools = NDArray[np.bool_]
Add = Callable[..., Floats]

SERVICE = (
    "deferred", "deferred_answered", "deferred_in_time", "deferred_wait_h", "deferred_second_tier", "messages",
    "messages_answered", "message_wait_h", "silent",
)  # fmt: skip
"""Sums by type and interval of arrival; the first ones of types whose channel is deferred, then of messages that others
left out of hours, for which `within_ms` has no meaning."""
CUSTOMERS = (*SERVICE, "unreached", "call_backs_taken", "call_back_wait_min", "backlog_end")


def is_deferred(world: World, kind: Ints, flags: Ints) -> Bools:
    """Which contacts, of these types and with these flags, nobody waits for on the line."""
    return np.asarray((world.types.channel[kind] == w.DEFERRED) | (flags & r.MESSAGE > 0))


def is_chat(world: World, kind: Ints, flags: Ints) -> Bools:
    """Which contacts, of these types and with these flags, are handled several at a time."""
    return np.asarray((world.types.channel[kind] == w.CHAT) & (flags & r.MESSAGE == 0))


def sums(
    world: World, kind: Ints, c: Contacts, here: Bools, within_ms: Floats, add: Add
) -> dict[str, Floats]:
    """`SERVICE`, and what does not hang on the follow-up's end of `CUSTOMERS`: `add(where, weight)` sums over contacts.

    `kind` are their types, `here` those that arrived inside the horizon; waits are hours of elapsed clock time.
    """
    if not w.has_channels(world):
        none = add(np.zeros(len(kind), np.bool_))
        return dict.fromkeys(CUSTOMERS[:-1], none)
    answered, message = c.outcome == r.ANSWERED, c.flags & r.MESSAGE > 0
    joined = here & (c.reach_ms >= 0)
    deferred = joined & is_deferred(world, kind, c.flags) & ~message
    messages = joined & message
    wait_h = np.where(answered, c.end_ms - c.reach_ms, 0) / HOUR_MS
    in_time = wait_h * HOUR_MS <= within_ms[kind]
    taken = here & answered & (c.flags & r.CALL_BACK_TAKEN > 0)
    return {
        "deferred": add(deferred),
        "deferred_answered": add(deferred & answered),
        "deferred_in_time": add(deferred & answered & in_time),
        "deferred_wait_h": add(deferred & answered, wait_h),
        "deferred_second_tier": add(deferred & (c.flags & r.TIER_TWO > 0)),
        "messages": add(messages),
        "messages_answered": add(messages & answered),
        "message_wait_h": add(messages & answered, wait_h),
        "silent": add(here & (c.outcome == r.SILENT)),
        "unreached": add(here & (c.outcome == r.UNREACHED)),
        "call_backs_taken": add(taken),
        "call_back_wait_min": add(taken, wait_h * 60),
    }


def backlog(world: World, draws: Draws, c: Contacts, cell_of_need: Ints, n_cells: int) -> Floats:
    """(n_cells,) deferred work left when the horizon ends, whenever it came, by the cell of its need."""
    if not w.has_deferred(world):
        return np.zeros(n_cells)
    end = world.clock.end_ms
    waits = (c.reach_ms >= 0) & (c.reach_ms < end) & ((c.end_ms < 0) | (c.end_ms >= end))
    row = np.flatnonzero(waits & np.isin(c.outcome, (r.ANSWERED, r.WAITING)))
    need = draws.rows.need[row]
    mine = is_deferred(world, draws.needs.type[need], c.flags[row])
    return np.bincount(cell_of_need[need[mine]], minlength=n_cells).astype(float)


def attention(c: Contacts) -> Contacts:
    """The same contacts, with each stretch of an agent's time once: `end_ms` to `done_ms` is what a contact adds to it.

    Of contacts one at a time that is all of their handling, of chats what lies beyond those that were open before.
    """
    taken = np.flatnonzero(c.agent >= 0)
    order = taken[np.lexsort((c.end_ms[taken], c.agent[taken]))]
    base = c.agent[order] << 36
    # Agents stand in order, so that the latest end so far never comes from another one's later times.
    latest = np.maximum.accumulate(base + c.done_ms[order])
    before = np.concatenate([[0], latest[:-1]]) - base
    start, done = c.end_ms.copy(), c.done_ms.copy()
    start[order] = np.minimum(np.maximum(c.end_ms[order], before), c.done_ms[order])
    return c._replace(end_ms=start, done_ms=done)


def handling(world: World, draws: Draws, c: Contacts) -> tuple[Contacts, dict[str, Ints]]:
    """Where people's time went: contacts by the stretches they add, and (rows,) ms of each by kind of work.

    `all` is talk, after-contact work and chats; `slot` counts each chat open, from its own start.
    """
    if not w.has_chat(world):
        none = np.zeros_like(c.talk_ms)
        return c, {"talk": c.talk_ms, "all": c.talk_ms + c.acw_ms, "chat": none, "slot": none}
    chats = is_chat(world, draws.needs.type[draws.rows.need], c.flags) & (c.agent >= 0)
    once = attention(c)
    return once, {
        "talk": np.where(chats, 0, c.talk_ms),
        "all": np.where(c.agent >= 0, once.done_ms - once.end_ms, 0),
        "chat": np.where(chats, once.done_ms - once.end_ms, 0),
        "slot": np.where(chats, c.done_ms - c.end_ms, 0),
    }


def slot_minutes(world: World, chat_min: Any) -> Floats:
    """(G,) minutes of slots that there were in these minutes (G,) with a chat open."""
    return np.asarray(world.groups.slots * chat_min, np.float64)
