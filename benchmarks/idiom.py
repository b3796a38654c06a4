"""The same contacts written as SimPy is usually written: a process for each of them, and a resource for each group.

The arrivals and times are those of a run of the other engines, repeats among them: a session with the bot, then a
request raced against patience, then the conversation. No load, pressure, outcome, recovery, breaks or overflow, and
who comes back is known beforehand; each group has as many agents as are on its queue on average. So it does less than
they do, not more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import simpy

from sim import records as r
from sim import world as w
from sim.draws import Draws
from sim.records import Records
from sim.world import DAY_MS, World

ANSWERED, ABANDONED, IN_BOT = 1, 2, 3


class Contact(NamedTuple):
    """What one contact brings, in seconds."""

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


def contacts_of(world: World, drawn: Draws, records: Records) -> list[Contact]:
    """All contacts of a run, by arrival, as the idiom wants them."""
    c, rows = records.contacts, drawn.rows
    row = np.flatnonzero(c.outcome > 0)
    row = row[np.argsort(c.arrive_ms[row], kind="stable")]
    kind = drawn.needs.type[rows.need[row]]
    interval = c.arrive_ms[row] % DAY_MS // world.clock.interval_ms
    talk = rows.talk_unit[row] * world.types.talk_ms[kind, interval]
    drawn_ms = talk + rows.acw_unit[row] * world.types.acw_ms[kind]
    handle = np.where(c.outcome[row] == r.ANSWERED, c.talk_ms[row] + c.acw_ms[row], drawn_ms) / 1000
    patience = np.minimum(rows.patience_unit[row] * world.types.patience_ms[kind, interval] / 1000, 1e9)
    through = ~np.isin(c.outcome[row], (r.CONTAINED, r.CONTAINED_FALSELY, r.HUNG_UP, r.IN_BOT))
    tier_two = c.flags[row] & r.TIER_TWO > 0
    queue = kind + np.where(tier_two, w.SECOND_TIER * len(world.types.acw_ms), 0)
    columns = (
        c.arrive_ms[row] / 1000, c.bot_ms[row] / 1000, through, world.routing.order[queue, 0], patience, handle,
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
