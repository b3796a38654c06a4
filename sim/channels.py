"""Where people's time goes who chat with several customers at once: each stretch of it once, however many are open.

An agent's attention to chats is the union of the stretches in which they have any open; of contacts one at a time it is
all of their handling. Only worlds with chats come here: in all others a contact's handling is its own stretch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import records as r
from sim import world as w
from sim.draws import Block
from sim.records import Written
from sim.world import Ints, World

Bools = NDArray[np.bool_]


def is_chat(world: World, kind: Ints, flags: Ints) -> Bools:
    """Which contacts, of these types and with these flags, are handled several at a time."""
    return np.asarray((world.types.channel[kind] == w.CHAT) & (flags & r.MESSAGE == 0))


def attention(agent: Ints, start_ms: Ints, done_ms: Ints) -> Ints:
    """When each contact begins to add to its agent's time, so that each stretch counts once.

    Of contacts one at a time that is their start, of chats what lies beyond those that were open before.
    """
    order = np.lexsort((start_ms, agent))
    base = agent[order] << 36
    # Agents stand in order, so that the latest end so far never comes from another one's later times.
    latest = np.maximum.accumulate(base + done_ms[order])
    before = np.concatenate([[0], latest[:-1]]) - base
    begins = start_ms.copy()
    begins[order] = np.minimum(np.maximum(start_ms[order], before), done_ms[order])
    return begins


def fill_busy(world: World, block: Block, written: Written, busy: Any) -> None:
    """Add ms to `busy`, (n, G, days x I) of `measuring.BUSY_SUMS`, by group and the interval in which they were spent."""
    for i in range(len(block.numbers)):
        rows = block.first_row[i] + np.flatnonzero(
            written.outcome[block.first_row[i] : block.first_row[i + 1]]
        )
        rows = rows[written.lines["agent"][rows] >= 0]
        c = written.lines[rows]
        agent = c["agent"].astype(np.int64)
        chats = is_chat(world, block.needs["type"][block.links["need"][rows]], c["flags"])
        begins = attention(agent, c["end_ms"], c["done_ms"])
        once, group = c["done_ms"] - begins, world.staffing.group_of[agent]
        _spread(world, busy["talk_min"][i], group, begins, np.where(chats, 0, c["talk_ms"]))
        _spread(world, busy["busy_min"][i], group, begins, once)
        _spread(world, busy["chat_min"][i], group, begins, np.where(chats, once, 0))
        _spread(
            world, busy["slot_min"][i], group, c["end_ms"], np.where(chats, c["done_ms"] - c["end_ms"], 0)
        )


def _spread(world: World, busy: Any, group: Ints, begins: Ints, ms: Ints) -> None:
    clock, size = world.clock, busy.shape[1]
    index = np.flatnonzero((begins < clock.end_ms) & (ms > 0))
    group, start, left = group[index], begins[index] - clock.start_ms, ms[index]
    while len(start):
        place = start // clock.interval_ms
        within = np.minimum(left, (place + 1) * clock.interval_ms - start)
        inside = (place >= 0) & (place < size)
        np.add.at(busy, (group[inside], place[inside]), within[inside])
        left, start = left - within, start + within
        going = (left > 0) & (start < size * clock.interval_ms)
        group, start, left = group[going], start[going], left[going]
