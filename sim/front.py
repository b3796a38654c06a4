"""The front of the house: when its doors are open, and what the bot makes of people before anybody has met a person.

Until somebody reaches people, a journey hangs on nothing but its draws: the bot, a return after it, the bot again. So
all of that is known as soon as the journey starts, or goes on after people, and is worked out here for many customers
at once, attempt by attempt. It is the same story as `Model.arrive`, told in arrays, and a test holds the two together to the last bit.
"""

from __future__ import annotations

from math import exp
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim import draws as d
from sim import records as r
from sim import rules
from sim import world as w
from sim.draws import Draws
from sim.records import Contacts
from sim.world import DAY_MS, Behaviour, Bot, Clock, Floats, Ints, World

Truths = NDArray[np.bool_]


class Doors:
    """When people answer, and when those are heard who come while nobody does."""

    def __init__(self, clock: Clock) -> None:
        self.always_open = clock.always_open == 1
        self.opens: list[int] = clock.open_ms.tolist()
        self.closes: list[int] = clock.close_ms.tolist()

    def are_open(self, now: int) -> bool:
        """Whether people answer now; an opening may last past midnight."""
        day = now // DAY_MS
        if self.opens[day] <= now < self.closes[day]:
            return True
        return day > 0 and self.opens[day - 1] <= now < self.closes[day - 1]

    def are_open_at(self, when: Ints) -> Truths:
        """Whether people answer at each of these moments."""
        opens, closes = np.array([-1, *self.opens]), np.array([-1, *self.closes])
        day = when // DAY_MS + 1
        today = (opens[day] <= when) & (when < closes[day])
        return today | (opens[day - 1] <= when) & (when < closes[day - 1]) | self.always_open

    def next_day(self, now: int) -> int:
        """The day of the next opening, -1 if there is none."""
        for day in range(now // DAY_MS, len(self.opens)):
            if now < self.opens[day] < w.NEVER:
                return day
        return -1

    def calls_back(self, now: int, after_ms: int) -> int:
        """When somebody who came while nobody answers is called back, in the first hour; -1 for never."""
        day = self.next_day(now)
        if day < 0:
            return -1
        return self.opens[day] + min(after_ms, self.closes[day] - self.opens[day] - 1)

    def when_answered(self, when: int, at_ms: int) -> int:
        """Somebody who would call while nobody answers calls at some time of the next opening."""
        if self.always_open or self.are_open(when):
            return when
        day = self.next_day(when)
        if day < 0:
            return when
        return self.opens[day] + at_ms * (self.closes[day] - self.opens[day]) // w.HOUR_MS


class Reaching(NamedTuple):
    """Who reaches people without having met any before; each array has one entry per contact."""

    row: Ints
    when: Ints
    from_bot: Truths


def bot_is_up(bot: Bot, kind: Any, when: Any) -> Any:
    """Whether the bot is there, for arrays of contacts: its own hours, and no outage."""
    of_day = when % DAY_MS
    up = (bot.from_ms[kind] <= of_day) & (of_day < bot.to_ms[kind])
    for start, end in zip(bot.outage_from.tolist(), bot.outage_to.tolist(), strict=True):
        up = up & ((when < start) | (when >= end))
    return up


def reaching(
    world: World, draws: Draws, doors: Doors, c: Contacts, intensity: Floats, row: Ints, when: Ints
) -> Reaching:
    """Of those whose contacts (`row`) start then (`when`), who reaches people, and when.

    What happens before is written into `c`, and how upset the bot leaves them into `intensity` (per need).
    """
    parts: list[Reaching] = []
    while len(row):
        c.arrive_ms[row] = when
        kind = draws.needs.type[draws.rows.need[row]]
        meets_bot = draws.rows.fate[row] != d.NO_BOT
        meets_bot &= bot_is_up(world.bot, kind, when)
        parts.append(Reaching(row[~meets_bot], when[~meets_bot], np.zeros((~meets_bot).sum(), np.bool_)))
        row, when = row[meets_bot], when[meets_bot]
        out, row, when = _bot(world, draws, doors, c, intensity, row, when)
        parts.append(out)
    nobody = Reaching(row[:0], row[:0], np.zeros(0, np.bool_))
    return Reaching(*(np.concatenate(column) for column in zip(nobody, *parts, strict=True)))


def _bot(
    world: World, draws: Draws, doors: Doors, c: Contacts, intensity: Floats, row: Ints, when: Ints
) -> tuple[Reaching, Ints, Ints]:
    """These contacts meet the bot: who is handed over to people, and who comes back later, as a row and its time."""
    b, rows, stop = world.behaviour, draws.rows, world.clock.stop_ms
    need, fate = rows.need[row], rows.fate[row]
    end = when + rows.bot_ms[row]
    c.bot_ms[row] = rows.bot_ms[row]
    refused = rows.refused[row] == 1
    c.flags[row[refused]] |= r.REFUSED
    _stir(intensity, need[refused], b.bot_loop_intensity)
    c.intensity[row] = intensity[need]
    may_go_on = rows.attempt[row] + 1 < b.max_attempts

    handed = fate == d.HANDED_OVER
    c.outcome[row[handed]] = r.IN_BOT
    c.flags[row[handed & (rows.context[row] == 0)]] |= r.REPEATS

    hung = fate == d.HUNG_UP
    c.outcome[row[hung]] = r.HUNG_UP
    c.end_ms[row[hung]] = end[hung]
    redials = hung & may_go_on & (rows.redials[row] < b.redial)
    c.flags[row[redials]] |= r.REDIALS

    inside = ~handed & ~hung
    returns = np.zeros(len(row), np.bool_)
    returns[inside] = _ends_in_bot(world, draws, c, intensity, row[inside], end[inside])
    returns &= may_go_on
    c.flags[row[returns]] |= r.RETURNS
    _stir(intensity, need[returns], b.return_intensity)

    again = redials | returns
    later = end + np.where(hung, rows.redial_ms[row], rows.return_ms[row])
    following = rows.next[row[again]]
    if (following < 0).any():
        raise RuntimeError("a journey goes on for which nothing was drawn")
    comes = _when_answered(doors, later[again], rows.call_back_ms[following], stop)
    at_any_hour = world.types.channel[draws.needs.type[rows.need[following]]] == w.DEFERRED
    comes = np.where(at_any_hour, later[again], comes)
    in_time, through = comes < stop, handed & (end < stop)
    out = Reaching(row[through], end[through], np.ones(through.sum(), np.bool_))
    return out, following[in_time], comes[in_time]


def _stir(intensity: Floats, need: Ints, more: float) -> None:
    intensity[need] = np.minimum(1.0, intensity[need] + more)


def _ends_in_bot(world: World, draws: Draws, c: Contacts, intensity: Floats, row: Ints, end: Ints) -> Truths:
    """The log says contained; whether it is, the customer knows. Who would come back for it."""
    b, rows = world.behaviour, draws.rows
    need = rows.need[row]
    resolved = rows.fate[row] == d.CONTAINED
    base = np.array(heard_by_bot(world))
    heard = _odds(rules.heard_odds(b, base[draws.needs.type[need]], intensity[need], 0.0, 0.0, 0.0, 0, 0))
    ending_of = np.array(
        [[rules.ending_of(met, was_heard) for was_heard in (False, True)] for met in (False, True)]
    )
    ending = ending_of[resolved.astype(np.int64), (rows.heard[row] < heard).astype(np.int64)]
    c.outcome[row] = np.where(resolved, r.CONTAINED, r.CONTAINED_FALSELY)
    c.end_ms[row] = end
    c.heard[row] = heard
    c.if_heard[row] = resolved
    c.if_not[row] = resolved
    c.ending[row] = ending
    _stir(intensity, need[~resolved], b.bot_loop_intensity)
    p_return = np.array([rules.p_return(b, level) for level in range(4)])
    return np.asarray(rows.returns[row] < p_return[ending])


def _odds(x: Floats) -> Floats:
    """`rules.odds` of many, with the scalar exponential: numpy's differs in the last bit."""
    e = np.fromiter(map(exp, (-np.abs(x)).tolist()), np.float64, len(x))
    return np.where(x >= 0.0, 1.0 / (1.0 + e), e / (1.0 + e))


def heard_by_bot(world: World) -> list[float]:
    """The log-odds of being heard by the bot, by type."""
    b: Behaviour = world.behaviour
    return [rules.heard_base(b, float(base), 0.0, 0.0, 1) for base in world.types.heard]


def _when_answered(doors: Doors, when: Ints, at_ms: Ints, stop: int) -> Ints:
    """`Doors.when_answered` of many, those beyond the end left as they are."""
    whens: list[Any] = when.tolist()
    asked = zip(whens, at_ms.tolist(), strict=True)
    return np.array([x if x >= stop else doors.when_answered(x, at) for x, at in asked], np.int64)
