"""What the rules share: what a broken rule looks like, and what they may ask of a model that is being built.

A literal is true or false: a 0 or 1 where the roster is fixed, a variable of the model elsewhere. Rules only pass them on,
so that they, and the validator that uses them, know no solver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import accumulate
from typing import Any, NamedTuple, Protocol

from planner.rostering.problem import (
    DAY_MIN,
    SHARE_MIN,
    WEEK_DAYS,
    Duty,
    NamedRoster,
    Person,
    RosterProblem,
    Terms,
    Work,
)

Literal = Any
Sum = Iterable[tuple[int, Literal]]
"""Whole numbers, each times a literal."""


class Broken(NamedTuple):
    """A rule broken by one person."""

    rule: str
    person: int
    day: int | None
    """Where it shows; None for the whole horizon."""
    by: int
    """In the rule's units: what its price is multiplied by."""
    text: str


class Edge(NamedTuple):
    """Where a stretch may begin, or end, and whether it does so at that post."""

    post: int | None
    at_min: int
    """Minutes after the first midnight of the horizon."""
    literal: Literal


class Span(NamedTuple):
    """A stretch of a duty that may be given: exactly one begin and one end are true where it is, of the same post."""

    posts: Mapping[int | None, Literal]
    """Posts that it may have, and whether it has them."""
    begins: tuple[Edge, ...]
    ends: tuple[Edge, ...]


class Build(Protocol):
    """A model that is being built. Each limit is hard, or priced where `problem.prices` has the rule's name."""

    problem: RosterProblem

    def works(self, person: int, day: int) -> Literal:
        """Whether somebody works on a day."""

    def gives(self, person: int, day: int) -> Mapping[int, Literal]:
        """Each duty (its number) that may be given, and whether it is."""

    def starts(self, person: int, day: int, duty: int) -> Sequence[Mapping[int, Literal]]:
        """For each pause its possible starts, minutes into the duty; nothing where it does not matter when they are."""

    def spans(self, person: int, day: int, duty: int) -> Sequence[Span]:
        """For each stretch of a duty that may be given where it may begin and end, and at which post."""

    def hard(self, rule: str) -> bool:
        """Whether the rule must hold, so that only whether it is broken counts, not by how much."""

    def negation(self, literal: Literal) -> Literal:
        """Whether it is false."""

    def any_of(self, literals: Iterable[Literal]) -> Literal:
        """Whether any is true."""

    def equal(self, total: Sum, same: Literal) -> None:
        """The sum is the literal: part of what a roster is, never broken."""

    def never_above(self, total: Sum, most: Sum) -> None:
        """One sum is at most the other: part of what a roster is, never broken."""

    def at_most(
        self, rule: str, total: Sum, most: int, unit: int = 1, *, per: int = 1, top: int | None = None
    ) -> None:
        """The sum is at most so much; it is broken by `unit` for each `per` above, a begun one counts.

        top: a sum that is never exceeded, where that is known better than from the terms one by one.
        """

    def at_least(self, rule: str, total: Sum, least: int) -> None:
        """The sum is at least so much; it is broken by 1 for each 1 below."""

    def forbid(self, rule: str, all_of: Sequence[Literal], by: int = 1) -> None:
        """The literals are not all true; or else it is broken by so much."""

    def spread(
        self, rule: str, sums: Sequence[Sum], most: int, unit: int = 1, *, tops: Sequence[int] | None = None
    ) -> None:
        """The largest sum less the smallest, each in whole `unit`s, is at most so much; it is broken by 1 for each 1 above.

        tops: what the sums never exceed, nor are they ever below 0, where that is known better than from the terms one by one.
        """


Timetable = list[dict[int, Work]]
"""For each person the work by day."""


def timetable(problem: RosterProblem, roster: NamedRoster) -> Timetable:
    """Work by person and day; where somebody has several duties on a day, the first."""
    table: Timetable = [{} for _ in problem.people]
    for work in sorted(roster.work):
        table[work.person].setdefault(work.day, work)
    return table


def everybody(problem: RosterProblem, roster: NamedRoster) -> Iterator[tuple[int, Person, dict[int, Work]]]:
    """Each person's number, the person, and the work by day."""
    table = timetable(problem, roster)
    for number, person in enumerate(problem.people):
        yield number, person, table[number]


Worth = Callable[[Duty], int]
Limit = Callable[[Terms], int | None]


def totals_beyond(
    problem: RosterProblem,
    roster: NamedRoster,
    rule: str,
    worth: Worth,
    limit: Limit,
    *,
    least: bool,
    noun: str,
) -> list[Broken]:
    """People whose duties, each `worth` so much, come to less than the `least` of their terms, or to more than the most."""
    found = []
    for number, person, work in everybody(problem, roster):
        total, bound = sum(worth(problem.duties[w.duty]) for w in work.values()), limit(person.terms)
        by = 0 if bound is None else bound - total if least else total - bound
        if by > 0:
            text = f"{person.id}: {plural(total, noun)}, at {'least' if least else 'most'} {bound}"
            found.append(Broken(rule, number, None, by, text))
    return found


def bound_totals(build: Build, rule: str, worth: Worth, limit: Limit, *, least: bool) -> None:
    """The same as a sum for each person who has the limit."""
    problem = build.problem
    for number, person in enumerate(problem.people):
        bound = limit(person.terms)
        if bound is None or (least and bound <= 0):
            continue
        total = [
            (worth(problem.duties[duty]), given)
            for day in range(problem.days)
            for duty, given in build.gives(number, day).items()
        ]
        if least:
            build.at_least(rule, total, bound)
        else:
            build.at_most(rule, total, bound)


def circles(problem: RosterProblem) -> list[list[int]]:
    """People (their numbers) by circle, where a circle has more than one."""
    found: dict[int, list[int]] = {}
    for number, person in enumerate(problem.people):
        if person.circle is not None:
            found.setdefault(person.circle, []).append(number)
    return [people for people in found.values() if len(people) > 1]


def shares_apart(
    problem: RosterProblem,
    roster: NamedRoster,
    rule: str,
    share: Callable[[int, Mapping[int, Work]], int],
    noun: str,
) -> list[Broken]:
    """Circles in which the most and the least, each the `share` of a person with such work by day, are too far apart."""
    most = problem.spread.get(rule)
    if most is None:
        return []
    found, table = [], timetable(problem, roster)
    for people in circles(problem):
        shares = {number: share(number, table[number]) for number in people}
        high, low = max(people, key=shares.__getitem__), min(people, key=shares.__getitem__)
        by = shares[high] - shares[low] - most
        if by > 0:
            text = (
                f"{problem.people[high].id}: {plural(shares[high], noun)}, "
                f"{problem.people[low].id} {shares[low]}, at most {most} apart"
            )
            found.append(Broken(rule, high, None, by, text))
    return found


def bound_shares(build: Build, rule: str, share: Callable[[int], Sum]) -> None:
    """The same as a spread for each circle, of sums for each person."""
    most = build.problem.spread.get(rule)
    if most is not None:
        for people in circles(build.problem):
            build.spread(rule, [share(number) for number in people], most)


def published_duties(problem: RosterProblem) -> dict[tuple[int, int], int]:
    """Duties (their numbers) of the published roster by person and day."""
    published = problem.published.work if problem.published else ()
    return {(work.person, work.day): work.duty for work in sorted(published, reverse=True)}


def not_as_published(
    problem: RosterProblem, roster: NamedRoster, rule: str, days: Iterable[tuple[int, int]]
) -> list[Broken]:
    """Those of some people and days that have another duty than published, one more or one less."""
    found, table, published = [], timetable(problem, roster), published_duties(problem)
    for number, day in days:
        given = table[number].get(day)
        now, then = given.duty if given else None, published.get((number, day))
        if now != then:
            said = [_said(problem, duty) for duty in (now, then)]
            text = f"{problem.people[number].id}, day {day}: {said[0]}, published {said[1]}"
            found.append(Broken(rule, number, day, 1, text))
    return found


def _said(problem: RosterProblem, duty: int | None) -> str:
    if duty is None:
        return "off"
    hours, minutes = divmod(problem.duties[duty].start_min, 60)
    return f"{problem.duties[duty].kind} from {hours:02d}:{minutes:02d}"


def keep_published(build: Build, rule: str, days: Iterable[tuple[int, int]]) -> None:
    """The same: each duty published is given, and nobody works where there is none."""
    published = published_duties(build.problem)
    for number, day in days:
        duty = published.get((number, day))
        differs = build.works(number, day)
        if duty is not None:
            differs = build.negation(build.gives(number, day).get(duty, 0))
        build.at_most(rule, [(1, differs)], 0)


class Run(NamedTuple):
    """Days one after another."""

    first: int
    days: int

    @property
    def after(self) -> int:
        """The day after it."""
        return self.first + self.days


def runs(days: Iterable[int]) -> list[Run]:
    """Days, split into runs of days one after another."""
    found: list[Run] = []
    for day in sorted(days):
        if found and found[-1].after == day:
            found[-1] = Run(found[-1].first, found[-1].days + 1)
        else:
            found.append(Run(day, 1))
    return found


def inner(problem: RosterProblem, days: Iterable[int]) -> list[Run]:
    """The runs that touch neither end of the horizon: only those are known in full."""
    return [run for run in runs(days) if run.first > 0 and run.after < problem.days]


def sequences_too_long(build: Build, rule: str, literals: Sequence[Literal], most: int, before: int) -> None:
    """No `most` + 1 days one after another are all true, counting `before` true days before the first."""
    for last in range(len(literals)):
        first = last - most
        if first >= -before:
            build.forbid(rule, literals[max(first, 0) : last + 1])


def too_long(days: Iterable[int], most: int, before: int) -> list[tuple[Run, int]]:
    """Runs with more than `most` days, counting `before` days before the first, and by how many they are longer.

    Of a run that began before the horizon, only what is beyond the limit within the horizon counts.
    """
    found = []
    for run in runs(days):
        earlier = before if run.first == 0 else 0
        by = min(run.days, run.days + earlier - most)
        if by > 0:
            found.append((Run(run.first - earlier, run.days + earlier), by))
    return found


def too_short(build: Build, rule: str, literals: Sequence[Literal], least: int) -> None:
    """No run of true literals inside the horizon is shorter than `least`; broken by what is missing."""
    for length in range(1, least):
        for first in range(1, len(literals) - length):
            around = [build.negation(literals[first - 1]), build.negation(literals[first + length])]
            build.forbid(rule, [*literals[first : first + length], *around], least - length)


def weekends(problem: RosterProblem) -> list[list[int]]:
    """The Saturdays and Sundays of the horizon, together by weekend."""
    found: dict[int, list[int]] = {}
    for day in range(problem.days):
        week, weekday = divmod(problem.first_weekday + day, WEEK_DAYS)
        if weekday >= 5:
            found.setdefault(week, []).append(day)
    return list(found.values())


NIGHT_MIN = 120


def is_night(duty: Duty) -> bool:
    """Whether it covers 02:00."""
    return any(duty.start_min <= at < duty.end_min for at in (NIGHT_MIN, NIGHT_MIN + DAY_MIN))


def touches_leave(person: Person, day: int, duty: Duty) -> bool:
    """Whether a duty has time on a day of leave, be it after midnight."""
    first, last = day + duty.start_min // DAY_MIN, day + (duty.end_min - 1) // DAY_MIN
    return any(touched in person.leave for touched in range(first, last + 1))


def may_work(person: Person, day: int, duty: Duty) -> bool:
    """Whether neither leave nor a newcomer's limit stands against a duty."""
    only = person.terms.only_kinds
    return not touches_leave(person, day, duty) and (only is None or duty.kind in only)


def earliest_pauses(duty: Duty) -> tuple[int, ...] | None:
    """Each pause as early as it may be, minutes into the duty; None where they do not fit."""
    starts: list[int] = []
    free = 0
    for pause in duty.pauses:
        start = max(free, pause.earliest_min, 0)
        free = start + pause.minutes
        if start > pause.latest_min or free > duty.minutes:
            return None
        starts.append(start)
    return tuple(starts)


Stretch = tuple[int, int, int | None]
"""Start and end, minutes after the first midnight of the horizon, and the post; None for nobody's."""


def stretches(problem: RosterProblem, work: Work) -> list[Stretch]:
    """The times on the queue between the pauses of a duty, one more than there are pauses; some may have no length.

    Where the work says nothing of posts, it is the person's usual one.
    """
    duty, midnight = problem.duties[work.duty], work.day * DAY_MIN
    usual = next(iter(problem.people[work.person].posts), None)
    free, end = midnight + duty.start_min, midnight + duty.end_min
    spans = []
    for pause, at in zip(duty.pauses, work.pauses, strict=False):
        start = min(max(midnight + at, free), end)
        spans.append((free, start))
        free = min(max(midnight + at + pause.minutes, free), end)
    spans.append((free, end))
    return [
        (start, stop, work.posts[number] if number < len(work.posts) else usual)
        for number, (start, stop) in enumerate(spans)
    ]


def exposure(problem: RosterProblem, post: int | None, start_min: int, end_min: int) -> int:
    """Thousandths of emotional minutes from start to end (minutes after the first midnight of the horizon) at a post.

    None at no post, or at one that there is not.
    """
    if post is None or end_min <= start_min or not 0 <= post < len(problem.posts):
        return 0
    share = problem.posts[post].share
    if not share:
        return 0
    return _until(share, end_min) - _until(share, start_min)


def _until(share: tuple[int, ...], at_min: int) -> int:
    """Thousandths of emotional minutes from the first midnight."""
    slot, minutes = divmod(at_min, SHARE_MIN)
    rounds, slot = divmod(slot, len(share))
    sums = _sums(share)
    return (rounds * sums[-1] + sums[slot]) * SHARE_MIN + share[slot] * minutes


@lru_cache(maxsize=256)
def _sums(share: tuple[int, ...]) -> tuple[int, ...]:
    """Of the slots before each, and of all."""
    return tuple(accumulate(share, initial=0))


SHARES = 1000
"""Thousandths in a minute."""


def beyond(thousandths: int, most_min: int) -> int:
    """Minutes above a limit, a begun one counts; 0 or less where it is kept."""
    return -(-thousandths // SHARES) - most_min


class Amount(NamedTuple):
    """Minutes, or thousandths of them, of what a stretch may be."""

    total: list[tuple[int, Literal]]
    top: int
    """Never more than that."""


Value = Callable[[int | None, int, int], int]
"""What the time from start to end at a post comes to: it adds up over times one after another, and is never below 0."""


def amount(span: Span, value: Value) -> Amount:
    """What a stretch comes to: all until its end, less all until its begin."""
    first = min((edge.at_min for edge in span.begins), default=0)
    last = max((edge.at_min for edge in span.ends), default=first)
    total = [(value(edge.post, first, edge.at_min), edge.literal) for edge in span.ends]
    total += [(-value(edge.post, first, edge.at_min), edge.literal) for edge in span.begins]
    top = max((value(post, first, last) for post in span.posts), default=0)
    return Amount([(n, literal) for n, literal in total if n], top)


def added(amounts: Iterable[Amount]) -> Amount:
    """Several together."""
    parts = list(amounts)
    return Amount([term for part in parts for term in part.total], sum(part.top for part in parts))


def exposed(problem: RosterProblem, work: Work) -> list[int]:
    """Thousandths of emotional minutes in each stretch of a duty given."""
    return [exposure(problem, post, start, end) for start, end, post in stretches(problem, work)]


def may_be_exposed(build: Build, person: int, day: int) -> Iterator[tuple[int, list[Amount]]]:
    """For each duty that may be given the thousandths of emotional minutes that each of its stretches may have."""
    problem = build.problem
    if any(post.share for post in problem.posts):
        for duty in build.gives(person, day):
            yield duty, [amount(span, partial(exposure, problem)) for span in build.spans(person, day, duty)]


def exposed_on(build: Build, person: int, day: int) -> Amount:
    """The same for the one duty of a day that is given."""
    by_duty = [added(stretches) for _, stretches in may_be_exposed(build, person, day)]
    return Amount(added(by_duty).total, max((one.top for one in by_duty), default=0))


def bound_exposure(build: Build, rule: str, amounts: Iterable[Amount], most_min: int) -> None:
    """So many emotional minutes at most in all of these together."""
    total, top = added(amounts)
    if top > most_min * SHARES:
        build.at_most(rule, total, most_min * SHARES, per=SHARES, top=top)


def minutes_told(thousandths: int) -> str:
    """As a text that exceeds a limit where the amount does: a begun tenth counts."""
    return f"{-(-thousandths // (SHARES // 10)) / 10:g} emotional minutes"


def plural(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
