"""The same contacts written as SimPy is usually written: a process for each of them, and a resource for each group.

First handling only, with the arrivals and times that were drawn for the other engines: a session with the bot, then
a request raced against patience, then the conversation. No load, pressure, outcome, recovery, breaks, overflow or
return; each group has as many agents as are on its queue on average. So it does less than they do, not more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import simpy

from sim import draws as d
from sim.draws import Draws
from sim.world import DAY_MS, World

ANSWERED, ABANDONED, IN_BOT = 1, 2, 3


class Contact(NamedTuple):
    """What was drawn for one contact, in seconds."""

    birth: float
    bot: float
    leaves_bot: bool
    group: int
    patience: float
    handle: float


class Centre:
    """The environment, the groups, and what is written down."""

    def __init__(self, agents: list[int]) -> None:
        self.env = simpy.Environment()
        self.groups = [simpy.Resource(self.env, capacity=n) for n in agents]
        self.outcome: list[int] = []
        self.wait: list[float] = []

    def arrivals(self, contacts: list[Contact]) -> Iterator[Any]:
        """One customer after another."""
        for contact in contacts:
            yield self.env.timeout(contact.birth - self.env.now)
            self.env.process(self.contact(contact))

    def contact(self, c: Contact) -> Iterator[Any]:
        """The bot, the queue, the conversation."""
        if c.bot > 0:
            yield self.env.timeout(c.bot)
            if not c.leaves_bot:
                self.written(IN_BOT, 0.0)
                return
        reached = self.env.now
        with self.groups[c.group].request() as request:
            answer = yield request | self.env.timeout(c.patience)
            if request not in answer:
                self.written(ABANDONED, self.env.now - reached)
                return
            self.written(ANSWERED, self.env.now - reached)
            yield self.env.timeout(c.handle)

    def written(self, outcome: int, wait: float) -> None:
        """One line in the log."""
        self.outcome.append(outcome)
        self.wait.append(wait)


def contacts_of(world: World, drawn: Draws) -> list[Contact]:
    """First contacts as the idiom wants them."""
    needs, rows = drawn.needs, drawn.rows
    n = len(needs.birth_ms)
    kind = needs.type
    interval = needs.birth_ms % DAY_MS // world.clock.interval_ms
    talk = rows.talk_unit[:n] * world.types.talk_ms[kind, interval]
    handle = (talk + rows.acw_unit[:n] * world.types.acw_ms[kind]) / 1000
    patience = np.minimum(rows.patience_unit[:n] * world.types.patience_ms[kind, interval] / 1000, 1e9)
    fate = rows.fate[:n]
    through = (fate == d.NO_BOT) | (fate == d.HANDED_OVER)
    columns = (
        needs.birth_ms / 1000, rows.bot_ms[:n] / 1000, through, world.routing.order[kind, 0], patience, handle,
    )  # fmt: skip
    return [Contact(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]


def agents_on_queue(world: World) -> list[int]:
    """Each group's agents on the queue, averaged over the hours in which people answer."""
    staffing, clock = world.staffing, world.clock
    if not len(staffing.agent):
        raise ValueError("the idiom wants a roster of shifts, or agents given outright")
    away = np.zeros(len(staffing.agent))
    np.add.at(
        away,
        np.repeat(np.arange(len(away)), np.diff(staffing.act_from)),
        staffing.act_length_ms.astype(float),
    )
    on = np.maximum(staffing.end_ms - staffing.start_ms - away, 0.0)
    open_ms = float((clock.close_ms - clock.open_ms).sum())
    group = staffing.group_of[staffing.agent]
    minutes = np.bincount(group, on, len(world.groups.specialist))
    return [max(1, round(float(m) / open_ms)) for m in minutes]


def simulate(contacts: list[Contact], agents: list[int]) -> Centre:
    """Run them all."""
    centre = Centre(agents)
    centre.env.process(centre.arrivals(contacts))
    centre.env.run()
    return centre
