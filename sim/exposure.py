"""How much emotional work people had, and when: for the shares that a roster is planned with, and for its proof.

Emotional minutes are an agent's attention to contacts that are answered and more intense than `behaviour.intense_above`,
from the answer to the end of the work after it; live chats share it evenly at each moment. On the queue is whoever is at work
and at no activity of the roster's: waiting for a contact and recovery are inside. A stretch is the time on the queue
between two activities, before the first or after the last. All from the records alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sim import records as r
from sim.draws import Block
from sim.records import Spells, Written
from sim.world import DAY_MS, MINUTE_MS, Floats, Ints, World, has_chat

SLOT_MS = 15 * MINUTE_MS
WEEK_DAYS = 7


class Stretches(NamedTuple):
    """Time on the queue, in the order of agents and times."""

    agent: Ints
    spell: Ints
    post: Ints
    start_ms: Ints
    end_ms: Ints


class Exposure(NamedTuple):
    """Of one replication. The samples hold minutes of people whom nothing names, in ascending order."""

    emotional_min: Floats
    """(P, days, slots) emotional minutes by post, day of the horizon and time of the day; `Routing.home_of` has the group."""
    on_queue_min: Floats
    """(P, days, slots) minutes on the queue, likewise."""
    by_day_min: Floats
    """(person-days,) emotional minutes in the shifts that start on a day, of those who came."""
    by_week_min: Floats
    """(person-weeks,) the same in each seven days from the first of the horizon, the last ones perhaps fewer; none of
    anonymous people."""
    longest_min: Floats
    """(person-days,) emotional minutes in the stretch that has most of them."""


def stretches(world: World, spells: Spells, started: Ints) -> Stretches:
    """When each agent was on the queue, and at which post."""
    staffing, n = world.staffing, len(spells.agent)
    named = np.flatnonzero(spells.shift >= 0)
    first = staffing.group_of[spells.agent]
    given = staffing.shift_post[spells.shift[named]]
    first[named] = np.where(given >= 0, given, first[named])
    spell_of = np.full(len(staffing.agent), -1, np.int64)
    spell_of[spells.shift[named]] = named
    owner = np.repeat(spell_of, np.diff(staffing.act_from))
    # Whoever comes late starts at the post that follows what they have missed.
    missed = np.flatnonzero((owner >= 0) & (staffing.act_post >= 0) & (staffing.act_ms < spells.on_ms[owner]))
    first[owner[missed]] = staffing.act_post[missed]
    acts = np.flatnonzero(started >= 0)
    owner, began = owner[acts], started[acts]
    over = np.minimum(began + staffing.act_length_ms[acts], spells.off_ms[owner])

    spell = np.concatenate([np.arange(n), owner])
    start, end = np.concatenate([spells.on_ms, over]), np.concatenate([spells.off_ms, began])
    order = np.lexsort((start, spell))
    post = np.concatenate([first, staffing.act_post[acts]])[order]
    post = post[np.maximum.accumulate(np.where(post >= 0, np.arange(len(post)), 0))]
    # Within a spell the k-th stretch ends with the k-th end.
    spell, start, end = spell[order], start[order], end[np.lexsort((end, spell))]
    order = np.lexsort((start, spells.agent[spell]))
    spell = spell[order]
    return Stretches(spells.agent[spell], spell, post[order], start[order], end[order])


def _attention(world: World, c: Any) -> tuple[Ints, Ints, Ints, Floats]:
    """Pieces of time with emotional work: agent, from, to, and how much of the attention it has; `c` was answered."""
    agent, start = c["agent"].astype(np.int64), c["end_ms"]
    end = np.minimum(c["done_ms"], world.clock.stop_ms)
    emotional = c["intensity"] > world.behaviour.intense_above
    if not has_chat(world):
        return agent[emotional], start[emotional], end[emotional], np.ones(int(emotional.sum()))
    when, who = np.concatenate([start, end]), np.tile(agent, 2)
    order = np.lexsort((when, who))
    one = np.ones(len(start), np.int64)
    n = np.cumsum(np.concatenate([one, -one])[order])[:-1]
    n_emotional = np.cumsum(np.concatenate([one * emotional, -one * emotional])[order])[:-1]
    when, who = when[order], who[order]
    some = np.flatnonzero((n_emotional > 0) & (when[1:] > when[:-1]))
    return who[some], when[some], when[some + 1], n_emotional[some] / n[some]


def _by_slot(world: World, post: Ints, start: Ints, end: Ints, share: Floats, slot_ms: int) -> Floats:
    """(P, days, slots) minutes of these pieces of time within the horizon, each times its share."""
    clock, n_posts = world.clock, len(world.routing.home_of)
    size = clock.days * DAY_MS // slot_ms
    total = np.zeros(n_posts * size)
    start = np.maximum(start, clock.start_ms) - clock.start_ms
    end = np.minimum(end, clock.end_ms) - clock.start_ms
    while len(start):
        going = start < end
        post, start, end, share = post[going], start[going], end[going], share[going]
        slot = start // slot_ms
        upto = np.minimum(end, (slot + 1) * slot_ms)
        total += np.bincount(post * size + slot, share * (upto - start), len(total))
        start = upto
    return total.reshape(n_posts, clock.days, -1) / MINUTE_MS


def _samples(world: World, spells: Spells, on: Stretches, emotional_ms: Floats) -> tuple[Floats, ...]:
    """By day, by week, and the longest stretch of each day, from emotional ms by stretch."""
    clock, staffing = world.clock, world.staffing
    shift = spells.shift[on.spell]
    named = shift >= 0
    day = on.start_ms // DAY_MS
    day[~named] = spells.on_ms[on.spell[~named]] // DAY_MS
    day[named] = staffing.day[shift[named]]
    day -= clock.warm_days
    inside = np.flatnonzero((day >= 0) & (day < clock.days))
    named, day, minutes = named[inside], day[inside], emotional_ms[inside] / MINUTE_MS
    # An agent without shifts is a place, in which somebody else sits after each spell.
    who = np.where(named, on.agent[inside], on.spell[inside])
    days, of_day = np.unique(who * clock.days + day, return_inverse=True)
    longest = np.zeros(len(days))
    np.maximum.at(longest, of_day, minutes)
    weeks, of_week = np.unique((who * clock.days + day // WEEK_DAYS)[named], return_inverse=True)
    return (
        np.sort(np.bincount(of_day, minutes, len(days))),
        np.sort(np.bincount(of_week, minutes[named], len(weeks))),
        np.sort(longest),
    )


def exposures(world: World, block: Block, written: Written, slot_ms: int = SLOT_MS) -> list[Exposure]:
    """What the people of each replication of a block had to bear; a day is a whole number of slots."""
    found = []
    for i, started in enumerate(written.started):
        rows = slice(block.first_row[i], block.first_row[i + 1])
        answered = written.lines[rows][written.outcome[rows] == r.ANSWERED]
        mine = slice(written.first_spell[i], written.first_spell[i + 1])
        columns: list[Any] = [column[mine] for column in written.spells]
        spells = Spells(*columns)
        on = stretches(world, spells, started)
        agent, start, end, share = _attention(world, answered)
        # Agents and times in one number: nobody is on the queue twice at a time.
        of = np.searchsorted(on.agent << 36 | on.start_ms, agent << 36 | start, side="right") - 1
        emotional_ms = np.bincount(of, share * (end - start), len(on.agent)).astype(np.float64)
        found.append(
            Exposure(
                _by_slot(world, on.post[of], start, end, share, slot_ms),
                _by_slot(world, on.post, on.start_ms, on.end_ms, np.ones(len(on.agent)), slot_ms),
                *_samples(world, spells, on, emotional_ms),
            )
        )
    return found


def shares(emotional_min: Floats, on_queue_min: Floats) -> Ints:
    """(P, days x slots) emotional minutes in a thousand on the queue, from sums or means over replications.

    Where nobody was at a post, what it has over the whole horizon; 0 where nobody ever was.
    """
    n_posts = len(emotional_min)
    above, below = emotional_min.reshape(n_posts, -1), on_queue_min.reshape(n_posts, -1)
    usual = above.sum(axis=1) / np.maximum(below.sum(axis=1), 1e-9)
    here = np.divide(above, below, out=np.repeat(usual[:, None], below.shape[1], axis=1), where=below > 0)
    return np.asarray(np.rint(1000 * here), np.int64)
