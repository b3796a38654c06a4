"""People, their terms, what is to be covered, and what a named roster looks like. Knows no solver.

A person works at most one duty a day. What a person's `Terms` limit is judged by the modules of `planner.rostering.rules`, one
rule each; what is covered is judged by `Need`s. Everything has a price in whole units, so that every problem has a roster:

    objective = people short and over x price, each need + requests not met x weight + dislike of duties given
              + soft rules broken x price

Somebody on the queue is at a post: all the skills they have, or some of them, for rotation. A stretch is the time on the queue between
two pauses, before the first or after the last; one keeps a post for a whole stretch. Emotional work is counted as it is expected:
minutes on the queue x the share that the post has at that time of the horizon, in thousandths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

DAY_MIN = 1440
WEEK_DAYS = 7
SHARE_MIN = 15
"""Minutes for which a post's share of emotional work holds."""


class Pause(NamedTuple):
    """A break that every duty of a kind contains."""

    name: str
    minutes: int
    paid: bool
    earliest_min: int
    """Earliest and latest start, minutes into the duty."""
    latest_min: int
    kind: str = "break"
    """break, lunch, offline or decompression."""


class Post(NamedTuple):
    """What somebody on the queue takes for a stretch."""

    name: str
    skills: frozenset[str] | None = None
    """Of one's own, those that count for needs while there; None for all."""
    emotional: bool = False
    """Whether it is one that people rotate away from."""
    share: tuple[int, ...] = ()
    """Emotional minutes in a thousand on the queue, for each SHARE_MIN minutes of the horizon, which then begins again;
    empty for none."""


class Duty(NamedTuple):
    """A shift that somebody may work: of a kind, at a time of the day."""

    kind: str
    start_min: int
    """Minutes after the midnight of its day."""
    minutes: int
    """From start to end, breaks inside."""
    paid_min: int
    pauses: tuple[Pause, ...] = ()
    posts: tuple[int, ...] = ()
    """Posts that its first stretches must have, where they are not free: of a shift under way, those that have begun."""

    @property
    def end_min(self) -> int:
        """Minutes after the midnight of its day; beyond 1440 where it runs into the next."""
        return self.start_min + self.minutes


class Terms(NamedTuple):
    """What a contract, a law or a works council limits for one person; None or nothing where it says nothing."""

    least_paid_min: int = 0
    """Paid minutes over the horizon, at least and at most."""
    most_paid_min: int | None = None
    least_shifts: int = 0
    """Duties over the horizon, at least and at most."""
    most_shifts: int | None = None
    most_of_kind: Mapping[str, int] = {}
    agreed_paid_min: int | None = None
    """Paid minutes over the horizon beyond which time is overtime."""
    least_rest_min: int = 0
    """Between the end of a duty and the start of the next."""
    least_in_a_row: int = 1
    """Days worked one after another, at least and at most. A run that touches an end of the horizon may be shorter."""
    most_in_a_row: int | None = None
    least_off_in_a_row: int = 1
    """Days off together, likewise."""
    most_weekends: int | None = None
    """Weekends with work on Saturday or Sunday."""
    most_nights_in_a_row: int | None = None
    forbidden: frozenset[tuple[str, str]] = frozenset()
    """Kinds that may not follow each other from one day to the next."""
    only_kinds: frozenset[str] | None = None
    """A newcomer's limit: no other kinds of duty."""
    most_exposed_stretch_min: int | None = None
    """Emotional minutes in a stretch, in the duties of a day, and in each seven days from the first of the horizon, at most."""
    most_exposed_day_min: int | None = None
    most_exposed_week_min: int | None = None
    decompress_after_min: int | None = None
    """Emotional minutes of a duty before its first decompression pause, between two, and after the last, at most."""
    most_at_emotional_min: int | None = None
    """Minutes on the queue at emotional posts, one stretch after another in a duty, at most."""


class Request(NamedTuple):
    """A wish: to work, or not, on a day, a kind of duty or any."""

    day: int
    kind: str | None
    wants: bool
    weight: int


class Before(NamedTuple):
    """How the days before the horizon ended for a person."""

    days_in_a_row: int = 0
    """Days worked without a break until the day before the horizon; 0 where that was off."""
    end_min: int | None = None
    """End of the last duty, minutes after the first midnight of the horizon: usually below 0."""
    kind: str | None = None
    """Kind of the duty on the day before the horizon; None where that was off."""
    nights_in_a_row: int = 0
    """Nights worked one after another until the day before the horizon."""


class Person(NamedTuple):
    """Somebody to be rostered."""

    id: str
    skills: frozenset[str]
    duties: tuple[tuple[int, ...], ...]
    """For each day the duties (their numbers) that may be given: availability, contract, parts of days of leave."""
    terms: Terms
    requests: tuple[Request, ...] = ()
    before: Before = Before()
    dislike: Mapping[int, int] = {}
    """Price of giving a duty (its number) on any day, such as a start outside the hours preferred."""
    posts: tuple[int, ...] = ()
    """Posts (their numbers) that may be given, the usual one first; none where the problem has none."""
    leave: frozenset[int] = frozenset()
    """Days that no duty may touch."""
    circle: int | None = None
    """Those with the same number are to have like shares of what is hard; None for nobody."""


class Need(NamedTuple):
    """People with any of these skills at work on a day, in certain duties or on the queue at a time of the day."""

    day: int
    people: int
    under: int
    """Price of each one short, and over."""
    over: int
    kind: str | None = None
    """Duties of this kind count; or else, those on the queue from `start_min` for all of the `minutes`."""
    start_min: int = 0
    minutes: int = 0
    skills: frozenset[str] = frozenset()
    """Any of these; empty for everybody. Who could count for several needs of the same time (or day and kind) counts
    for one; the cheapest split holds. Others on the queue count for none."""
    core: int = 0
    """So many of the people are needed most: each of them short costs `core_under` more."""
    core_under: int = 0

    def price(self, short: int, over: int) -> int:
        """What people short and over cost."""
        deep = max(0, short - (self.people - self.core))
        return short * self.under + deep * self.core_under + over * self.over


class RosterProblem(NamedTuple):
    """Everything that the optimiser and the validator may know."""

    days: int
    first_weekday: int
    """Weekday (0 is Monday) of the first day."""
    duties: tuple[Duty, ...]
    people: tuple[Person, ...]
    needs: tuple[Need, ...]
    prices: Mapping[str, int] = {}
    """Price of each unit by which a rule is broken, by its name: such a rule is soft, all others are hard."""
    posts: tuple[Post, ...] = ()
    spread: Mapping[str, int] = {}
    """By the name of a rule of fair spread: by how much the most may exceed the least within a circle. No name, no rule."""
    published: NamedRoster | None = None
    """A roster that people know already."""
    locked: frozenset[tuple[int, int]] = frozenset()
    """People and days that must stay as published."""

    def paid_min(self, roster: NamedRoster) -> list[int]:
        """Paid minutes of each person over the horizon."""
        paid = [0] * len(self.people)
        for work in roster.work:
            paid[work.person] += self.duties[work.duty].paid_min
        return paid


class Work(NamedTuple):
    """A duty given."""

    person: int
    day: int
    duty: int
    pauses: tuple[int, ...] = ()
    """Start of each of its pauses, minutes after the midnight of its day."""
    posts: tuple[int, ...] = ()
    """Post in each stretch, one more than there are pauses; empty for the usual one throughout."""


class NamedRoster(NamedTuple):
    """Who works what; in the order of people and days."""

    work: tuple[Work, ...]


class Outcome(NamedTuple):
    """A roster with its certificate."""

    roster: NamedRoster
    status: str
    """`optimal`, `feasible`, or `none` where no roster without a hard rule broken was found."""
    objective: float
    bound: float
    """No roster is cheaper."""
    seconds: float
    seed: int

    @property
    def gap(self) -> float:
        """Share of the objective by which it may lie above the cheapest."""
        return (
            0.0
            if self.objective <= self.bound
            else (self.objective - self.bound) / max(abs(self.objective), 1e-9)
        )
