"""What is left of a day, planned anew after something happened: who stays longer, goes home, comes in, or pauses at another time.

The rest of the day is a problem of its own: for everybody the shifts that the day may still become, each with its price, what has begun
of them fixed. Rules over days and weeks decide which there are, so that the search sees the day alone; the validator then judges
the whole horizon. Needs follow the load: n people for a load of a erlangs become r a + sqrt(r) (n - a) for r times the load.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from planner.rostering import cover, rules
from planner.rostering import improve as search
from planner.rostering.people import CORE
from planner.rostering.problem import (
    DAY_MIN,
    SHARE_MIN,
    WEEK_DAYS,
    Duty,
    NamedRoster,
    Need,
    Pause,
    Person,
    RosterProblem,
    Terms,
    Work,
)
from planner.rostering.rules.base import exposure, stretches
from planner.rostering.validate import Audit, audit, count, short_hours
from sim.world import Floats

STEP_MIN = 30
"""People stay, or leave, by whole half hours."""
NOTICE_MIN = 60
"""Who is at home cannot begin sooner."""
LEAST_MIN = 120
"""Nobody comes to work for less before being sent home."""
MANY_OVER = 2
"""People leave early only while so many are over at least."""
WARMTH = 0.2
"""Of the search: the day is bettered, not made anew."""

# The prices of what a day is changed by, in points; a person short costs 20 for a quarter of an hour (40 where most are missing), one over 1.
MOVED = 5
"""A person's breaks or later queues change: a quarter of what somebody missing for a quarter-hour costs, or else people would be told
to move for nothing."""
OVERTIME = 8
"""Each quarter-hour of staying longer: less than half of somebody missing, for it is paid with a premium and costs an evening; it is not
worth it where fewer than every other quarter-hour is short."""
LEAVE = 4
"""Leaving early, once: nobody is sent home for less than an hour over."""
OTHER_START = 15
"""Beginning at another time, once: somebody at home is called and turns their day around; less than a quarter-hour missing."""
CALLED_IN = 160
"""Coming in on a day off, once: as much as somebody missing for two hours."""

AS_IS, BREAKS, STAYS, LEAVES, STARTS, COMES_IN = "as_is", "breaks", "stays", "leaves", "starts", "comes_in"
QUEUES = "queues"
BY_SEARCH = frozenset({
    "pauses", "queues", "exposure_stretch", "exposure_day", "exposure_week", "decompression", "rotation",
})  # fmt: skip
"""Rules that pauses and posts decide on: the search keeps them."""
NOT_OF_DUTIES = BY_SEARCH | {
    "one_shift_a_day", "allowed_duties", "least_paid", "least_shifts", "changes", "locked", "fair_exposure", "fair_nights",
    "fair_weekends", "fair_requests",
}  # fmt: skip
"""Rules that do not say which duties a day may still become: those of a search, what holds for each duty offered, what would force
somebody to stay, and what is shared fairly over weeks."""
DAY_RULES = tuple(rule for rule in rules.RULES if rule.NAME not in NOT_OF_DUTIES)


class Moment(NamedTuple):
    """Where the day stands."""

    day: int
    at_min: int
    """Minute of the day from which things can change."""
    sick: frozenset[int] = frozenset()
    """People who are not there from then on."""
    overtime_min: int = 120
    """How much longer people may stay, at most."""

    @property
    def at(self) -> int:
        """Minutes after the first midnight of the horizon."""
        return self.day * DAY_MIN + self.at_min


class Option(NamedTuple):
    """What somebody's day may become."""

    duty: int
    what: str
    """One of the names above."""
    price: int
    """Of the change, and of a duty that is disliked."""
    broken: int = 0
    """Price of the rules over days that it breaks beyond what the roster in force does."""


class Rest(NamedTuple):
    """What is left of a day."""

    moment: Moment
    problem: RosterProblem
    """The whole horizon, the other days locked, needs of the rest of the day: what the validator judges."""
    before: NamedRoster
    """The roster in force, without those who are sick."""
    original: NamedRoster
    """With them."""
    options: Mapping[int, tuple[Option, ...]]
    """By person what the day may become, as it is first; nobody whose day is over or who could not come."""
    search: RosterProblem
    """The day alone: the people of `options` in their order, then those whose shifts of other days reach into it."""
    start: NamedRoster
    first_day: int
    """Of the search, in the horizon."""


class Change(NamedTuple):
    """Somebody's day as it was, and as it is planned anew."""

    person: int
    had: Work | None
    has: Work
    what: tuple[str, ...]
    """Names of the above, and QUEUES."""


class Replanned(NamedTuple):
    """A day planned anew."""

    rest: Rest
    roster: NamedRoster
    before: Audit
    """Of `rest.before`, and after."""
    after: Audit
    changes: tuple[Change, ...]
    """Of those who do not work as before."""


def replan(rest: Rest, *, moves: int, seed: int, starts: int = 2) -> Replanned:
    """The day made better by so many moves of each search; the same seed gives the same. Never dearer than leaving
    it, and never with more short."""
    before = audit(rest.problem, rest.before)
    found = rest.start
    if rest.options:
        found = search.improve(rest.search, rest.start, moves=moves, seed=seed, starts=starts, warmth=WARMTH)
    roster = _back(rest, found)
    after = audit(rest.problem, roster)
    worse = _badness(after) > _badness(before) or short_hours(rest.problem, after) > short_hours(
        rest.problem, before
    )
    if worse:  # the day alone does not see what is shared fairly over weeks
        roster, after = rest.before, before
    return Replanned(rest, roster, before, after, tuple(_changes(rest, roster)))


def _badness(found: Audit) -> tuple[int, int]:
    return sum(broken.by for broken in found.hard), found.objective


def newly_broken(before: Audit, after: Audit) -> list[rules.Broken]:
    """Hard rules that are broken after, and were not, or by less, before."""
    known = Counter[tuple[str, int, int | None]]()
    for broken in before.hard:
        known[broken.rule, broken.person, broken.day] += broken.by
    return [b for b in after.hard if b.by > known[b.rule, b.person, b.day]]


def drawn_sick(
    problem: RosterProblem, roster: NamedRoster, day: int, at_min: int, share: float, seed: int
) -> frozenset[int]:
    """So large a share, to the nearest, of those whose shift on a day is not over, drawn by seed: a larger share holds a smaller one."""
    there = sorted(w.person for w in roster.work if w.day == day and problem.duties[w.duty].end_min > at_min)
    order = np.random.default_rng(seed).permutation(len(problem.people))
    return frozenset(sorted(there, key=lambda person: order[person])[: math.floor(share * len(there) + 0.5)])


# --- what the rest of the day needs ---------------------------------------------------------------------------------


def scaled(
    needs: Sequence[Need], types: Callable[[frozenset[str]], Sequence[int]], before: Floats, after: Floats, *,
    from_min: int, interval_min: int, rostered: Floats, rostered_after: Floats,
) -> tuple[Need, ...]:  # fmt: skip
    """Needs from a minute of the horizon on, as another load changes them.

    types: the types (their numbers) that a need's skills stand for. before, after: (T, days x I) erlangs of load. rostered,
    rostered_after: (days,) people to roster for each one present. Whoever serves some skills counts where more are asked for too:
    a need and those inside it are scaled together, and what those inside get is taken from it.
    """
    per_day = DAY_MIN // interval_min
    by_time: dict[tuple[int, int, int], list[Need]] = {}
    for need in needs:
        if need.kind is None and need.day * DAY_MIN + need.start_min >= from_min:
            by_time.setdefault((need.day, need.start_min, need.minutes), []).append(need)
    found: list[Need] = []
    for (day, start, _), those in sorted(by_time.items()):
        at = day * per_day + start // interval_min
        done: list[tuple[Need, int]] = []
        for need in sorted(those, key=lambda one: (len(one.skills) or math.inf, sorted(one.skills))):
            inside = [
                (old, new)
                for old, new in done
                if old.skills and (old.skills < need.skills or not need.skills)
            ]
            whole = need.people + sum(old.people for old, _ in inside)
            mine = list(types(need.skills))
            loads = float(before[mine, at].sum()), float(after[mine, at].sum())
            wanted = _people(whole, *loads, rostered[day], rostered_after[day])
            people = max(0, math.floor(wanted + 0.5) - sum(new for _, new in inside))
            done.append((need, people))
            found.append(need._replace(people=people, core=math.floor(CORE * people)))
    return tuple(found)


def _people(people: int, before: float, after: float, rostered: float, rostered_after: float) -> float:
    """People rostered for another load: what the load takes by its ratio, what is beyond by the root of it."""
    more = rostered_after / rostered
    if before <= 1e-9:
        return (people + after * rostered) * more
    ratio = after / before
    taken = min(float(people), before * rostered)
    return (ratio * taken + math.sqrt(ratio) * (people - taken)) * more


# --- the rest of the day as a problem -------------------------------------------------------------------------------


def rest_of(problem: RosterProblem, roster: NamedRoster, moment: Moment) -> Rest:
    """What is left of a day. The problem's needs are those of the event; those before the moment do not matter any more."""
    return _Day(problem, roster, moment).rest()


class _Day:
    def __init__(self, problem: RosterProblem, roster: NamedRoster, moment: Moment) -> None:
        self.problem, self.roster, self.moment = problem, roster, moment
        self.duties = list(problem.duties)
        self.numbers: dict[Duty, int] = {}
        self.works: list[dict[int, Work]] = [{} for _ in problem.people]
        for work in roster.work:
            self.works[work.person][work.day] = work
        self.judged: dict[tuple[int, str, int, int, int], int | None] = {}
        self.known: dict[int, Counter[str]] = {}
        widened = moment.overtime_min
        self.people = [
            person._replace(
                terms=person.terms._replace(
                    least_paid_min=0, least_shifts=0,
                    most_paid_min=None if person.terms.most_paid_min is None else person.terms.most_paid_min + widened,
                )
            )
            for person in problem.people
        ]  # fmt: skip

    def rest(self) -> Rest:
        day = self.moment.day
        before: list[Work] = []
        for person, works in enumerate(self.works):
            before += [work for at, work in works.items() if at != day]
            if day in works:
                before += self._with_sick(person, works[day])
        at_work = {work.person: work for work in before if work.day == day}
        last = max((self.duties[k].end_min for p in self.people for k in p.duties[day]), default=0)
        until = day * DAY_MIN + max(DAY_MIN, last + self.moment.overtime_min)
        needs = tuple(
            need for need in self.problem.needs
            if need.kind is None and self.moment.at <= need.day * DAY_MIN + need.start_min < until
        )  # fmt: skip
        over = self._over(needs, NamedRoster(tuple(sorted(before))))
        options: dict[int, tuple[Option, ...]] = {}
        for person in range(len(self.people)):
            work = at_work.get(person)
            if person in self.moment.sick:
                continue
            if work is not None and self.duties[work.duty].end_min > self.moment.at_min:
                options[person] = tuple(self._of_shift(person, work, over))
            elif day not in self.works[person]:
                free = tuple(self._of_catalogue(person, COMES_IN, CALLED_IN))
                if free:
                    options[person] = free
        return self._put_together(needs, NamedRoster(tuple(sorted(before))), options, until)

    def _with_sick(self, person: int, work: Work) -> list[Work]:
        """The work of the day, cut at the moment for who is sick."""
        duty = self.duties[work.duty]
        if person not in self.moment.sick or duty.end_min <= self.moment.at_min:
            return [work]
        if duty.start_min >= self.moment.at_min:
            return []
        cut, left = self._cut(person, work, self.moment.at_min)
        return [left._replace(duty=self._add(cut))]

    def _add(self, duty: Duty) -> int:
        """A duty of this day, always another one than those of the catalogue: it has a price of its own."""
        if duty not in self.numbers:
            self.numbers[duty] = len(self.duties)
            self.duties.append(duty)
        return self.numbers[duty]

    def _over(self, needs: Sequence[Need], before: NamedRoster) -> Counter[int]:
        """People over by quarter-hour of the day, in the roster in force."""
        found: Counter[int] = Counter()
        problem = self.problem._replace(duties=tuple(self.duties), needs=tuple(needs))
        for met in cover.split(needs, count(problem, before)):
            need = needs[met.need]
            begin = (need.day - self.moment.day) * DAY_MIN + need.start_min
            found[begin // SHARE_MIN] += met.over
        return found

    # What a shift may become.

    def _of_shift(self, person: int, work: Work, over: Counter[int]) -> Iterator[Option]:
        """As it is; with other breaks; longer; shorter; at another time."""
        duty, at = self.duties[work.duty], self.moment.at_min
        usual = self.people[person].dislike.get(work.duty, 0)
        yield Option(self._add(self._fixed(person, work)), AS_IS, usual)
        for more in range(0, self.moment.overtime_min + 1, STEP_MIN):
            broken = self._broken(person, _longer(duty, more))
            if broken is None:
                break
            price = usual + OVERTIME * more // SHARE_MIN
            fixed, free = _longer(self._fixed(person, work), more), _longer(self._free(person, work), more)
            if more:
                yield Option(self._add(fixed), STAYS, price, broken)
            if free != fixed:
                yield Option(self._add(free), STAYS if more else BREAKS, price + MOVED, broken)
        first = max(at + STEP_MIN, duty.start_min + LEAST_MIN)
        for end in range(duty.end_min - STEP_MIN, first - 1, -STEP_MIN):
            if any(over[q] < MANY_OVER for q in range(end // SHARE_MIN, -(-duty.end_min // SHARE_MIN))):
                break
            if any(
                start < end < start + p.minutes for p, start in zip(duty.pauses, work.pauses, strict=True)
            ):
                continue
            cut, _ = self._cut(person, work, end)
            broken = self._broken(person, cut)
            if broken is not None:
                yield Option(self._add(cut), LEAVES, usual + LEAVE, broken)
        if duty.start_min >= at + NOTICE_MIN:
            yield from self._of_catalogue(person, STARTS, OTHER_START, like=duty)

    def _of_catalogue(self, person: int, what: str, price: int, like: Duty | None = None) -> Iterator[Option]:
        """Shifts that somebody who is at home may be given: those like another one, at another time, or all."""
        for number in self.problem.people[person].duties[self.moment.day]:
            duty = self.duties[number]
            if duty.start_min < self.moment.at_min + NOTICE_MIN:
                continue
            if like is not None and (duty == like or duty._replace(start_min=like.start_min) != like):
                continue
            broken = self._broken(person, duty)
            if broken is not None:
                disliked = self.people[person].dislike.get(number, 0)
                yield Option(self._add(duty), what, price + disliked, broken)

    def _broken(self, person: int, duty: Duty) -> int | None:
        """Price of the rules over days that a duty breaks more than the roster in force does; None where one of them is hard."""
        key = person, duty.kind, duty.start_min, duty.minutes, duty.paid_min
        if key not in self.judged:
            known = self._known(person)
            price = 0
            kept = True
            mine = Work(0, self.moment.day, len(self.problem.duties))
            others = [
                work._replace(person=0) for at, work in self.works[person].items() if at != self.moment.day
            ]
            for name, by in self._by(person, (*self.problem.duties, duty), [*others, mine]).items():
                if by > known[name]:
                    kept = kept and name in self.problem.prices
                    price += (by - known[name]) * self.problem.prices.get(name, 0)
            self.judged[key] = price if kept else None
        return self.judged[key]

    def _known(self, person: int) -> Counter[str]:
        """By how much the roster in force breaks them."""
        if person not in self.known:
            works = [work._replace(person=0) for work in self.works[person].values()]
            self.known[person] = self._by(person, self.problem.duties, works)
        return self.known[person]

    def _by(self, person: int, duties: tuple[Duty, ...], works: Sequence[Work]) -> Counter[str]:
        problem = self.problem
        alone = RosterProblem(
            problem.days, problem.first_weekday, duties, (self.people[person],), (), problem.prices
        )
        roster = NamedRoster(tuple(sorted(works)))
        return Counter({rule.NAME: sum(b.by for b in rule.check(alone, roster)) for rule in DAY_RULES})

    # Duties of which a part has begun.

    def _fixed(self, person: int, work: Work) -> Duty:
        """A shift with all of its breaks and posts as they are."""
        duty = self.duties[work.duty]
        pauses = (_at(p, at - duty.start_min) for p, at in zip(duty.pauses, work.pauses, strict=True))
        return duty._replace(pauses=tuple(pauses), posts=self._posts(person, work, len(duty.pauses) + 1))

    def _free(self, person: int, work: Work) -> Duty:
        """The same with what has begun of it fixed, and the rest free."""
        duty, at = self.duties[work.duty], self.moment.at_min
        pauses: list[Pause] = []
        begun = 0
        for pause, start in zip(duty.pauses, work.pauses, strict=True):
            into = start - duty.start_min
            if start < at:
                begun += 1
                pauses.append(_at(pause, into))
            else:
                earliest = min(into, max(pause.earliest_min, at - duty.start_min))
                pauses.append(pause._replace(earliest_min=earliest, latest_min=max(into, pause.latest_min)))
        # The stretch that is under way keeps its post; during a pause the next one has not begun.
        resting = begun > 0 and work.pauses[begun - 1] + duty.pauses[begun - 1].minutes >= at
        n = 0 if duty.start_min >= at else begun + (not resting)
        return duty._replace(pauses=tuple(pauses), posts=self._posts(person, work, n))

    def _posts(self, person: int, work: Work, n: int) -> tuple[int, ...]:
        """Posts of the first stretches; none for somebody who has none to choose from."""
        mine = self.people[person].posts
        return (work.posts or mine[:1] * (len(work.pauses) + 1))[:n] if len(mine) > 1 else ()

    def _cut(self, person: int, work: Work, end: int) -> tuple[Duty, Work]:
        """A shift that ends sooner, with the breaks that have begun by then, and its work."""
        duty = self.duties[work.duty]
        kept = [
            (_at(pause, at - duty.start_min)._replace(minutes=min(pause.minutes, end - at)), at)
            for pause, at in zip(duty.pauses, work.pauses, strict=True)
            if at < end
        ]
        pauses = tuple(pause for pause, _ in kept)
        gone = duty.end_min - end - _unpaid(duty.pauses) + _unpaid(pauses)
        shorter = duty._replace(
            minutes=end - duty.start_min, paid_min=max(0, duty.paid_min - gone), pauses=pauses,
            posts=self._posts(person, work, len(pauses) + 1),
        )  # fmt: skip
        left = work._replace(pauses=tuple(at for _, at in kept), posts=work.posts[: len(kept) + 1])
        return shorter, left

    # The two problems.

    def _put_together(
        self,
        needs: tuple[Need, ...],
        before: NamedRoster,
        options: Mapping[int, tuple[Option, ...]],
        until: int,
    ) -> Rest:
        day, problem = self.moment.day, self.problem
        given = {work.person: work for work in before.work if work.day == day}
        people = []
        for number, person in enumerate(self.people):
            mine = options.get(number, ())
            extra = [given[number].duty] if number in given else []
            today = tuple(dict.fromkeys([*person.duties[day], *extra, *(one.duty for one in mine)]))
            people.append(
                person._replace(
                    duties=(*person.duties[:day], today, *person.duties[day + 1 :]),
                    dislike={**person.dislike, **{one.duty: one.price for one in mine if one.price}},
                )
            )
        locked = {
            (number, at)
            for number in range(len(people))
            for at in range(problem.days)
            if at != day or number not in options
        }
        whole = problem._replace(
            duties=tuple(self.duties), people=tuple(people), needs=needs, prices={**problem.prices, "changes": 0},
            published=before, locked=frozenset(locked),
        )  # fmt: skip
        alone, start, first = self._alone(needs, before, options, until)
        return Rest(self.moment, whole, before, self.roster, dict(options), alone, start, first)

    def _alone(
        self,
        needs: tuple[Need, ...],
        before: NamedRoster,
        options: Mapping[int, tuple[Option, ...]],
        until: int,
    ) -> tuple[RosterProblem, NamedRoster, int]:
        """The day by itself: its people, and as others those whose shifts of the days before and after reach into it."""
        day, at = self.moment.day, self.moment.at
        reaching = [
            work
            for work in before.work
            if work.day != day
            and work.day * DAY_MIN + self.duties[work.duty].end_min > at
            and work.day * DAY_MIN + self.duties[work.duty].start_min < until
        ]
        first = min([day, *(work.day for work in reaching)])
        days = max([day, *(work.day for work in reaching), *(need.day for need in needs)]) - first + 1
        people: list[Person] = []
        start: list[Work] = []
        nothing: tuple[tuple[int, ...], ...] = ((),) * days
        for number, mine in options.items():
            here = list(nothing)
            here[day - first] = tuple(one.duty for one in mine)
            person, work = self.people[number], self.works[number].get(day)
            prices = {one.duty: one.price + one.broken for one in mine if one.price + one.broken}
            if work is not None:
                start.append(Work(len(people), day - first, mine[0].duty, work.pauses, work.posts))
            people.append(
                Person(
                    person.id, person.skills, tuple(here), self._terms(number, work is not None),
                    tuple(r._replace(day=day - first) for r in person.requests if r.day == day),
                    dislike=prices, posts=person.posts,
                )
            )  # fmt: skip
        locked = []
        for work in reaching:
            here, person = list(nothing), self.people[work.person]
            fixed = self._add(self._fixed(work.person, work))
            here[work.day - first] = (fixed,)
            locked.append((len(people), work.day - first))
            start.append(Work(len(people), work.day - first, fixed, work.pauses, work.posts))
            people.append(
                Person(
                    f"{person.id} (day {work.day + 1})",
                    person.skills,
                    tuple(here),
                    Terms(),
                    posts=person.posts,
                )
            )
        shift = first * DAY_MIN // SHARE_MIN
        posts = tuple(
            post._replace(
                share=(*post.share[shift % len(post.share) :], *post.share[: shift % len(post.share)])
            )
            if post.share
            else post
            for post in self.problem.posts
        )
        named = NamedRoster(tuple(sorted(start)))
        of_posts = {name: price for name, price in self.problem.prices.items() if name in BY_SEARCH}
        problem = RosterProblem(
            days, (self.problem.first_weekday + first) % WEEK_DAYS, tuple(self.duties), tuple(people),
            tuple(need._replace(day=need.day - first) for need in needs), {**of_posts, "changes": 0}, posts,
            published=named, locked=frozenset(locked),
        )  # fmt: skip
        return problem, named, first

    def _terms(self, number: int, works: bool) -> Terms:
        """What the search has to keep by itself: that a shift stays one, and emotional work, that of the week less what other days have."""
        terms, day = self.people[number].terms, self.moment.day
        of_week = terms.most_exposed_week_min
        if of_week is not None:
            week = day // WEEK_DAYS
            gone = sum(
                exposure(self.problem, post, start, end)
                for at, work in self.works[number].items()
                if at != day and at // WEEK_DAYS == week
                for start, end, post in stretches(self.problem, work._replace(person=number))
            )
            of_week = max(0, of_week - -(-gone // 1000))
        return Terms(
            least_shifts=int(works),
            most_exposed_stretch_min=terms.most_exposed_stretch_min,
            most_exposed_day_min=terms.most_exposed_day_min,
            most_exposed_week_min=of_week,
            decompress_after_min=terms.decompress_after_min,
            most_at_emotional_min=terms.most_at_emotional_min,
        )


def _at(pause: Pause, into: int) -> Pause:
    """A pause that stays where it is."""
    return pause._replace(earliest_min=into, latest_min=into)


def _longer(duty: Duty, more: int) -> Duty:
    return duty._replace(minutes=duty.minutes + more, paid_min=duty.paid_min + more)


def _unpaid(pauses: Sequence[Pause]) -> int:
    return sum(pause.minutes for pause in pauses if not pause.paid)


def _back(rest: Rest, found: NamedRoster) -> NamedRoster:
    """What a search found, in the whole horizon; whoever works as before has the very work they had."""
    day, numbers = rest.moment.day, list(rest.options)
    had = {work.person: work for work in rest.before.work if work.day == day}
    kept = [work for work in rest.before.work if work.day != day or work.person not in rest.options]
    for work in found.work:
        if work.person < len(numbers):
            person = numbers[work.person]
            mine = work._replace(person=person, day=day)
            kept.append(had[person] if _same(rest, had.get(person), mine) else mine)
    return NamedRoster(tuple(sorted(kept)))


def _same(rest: Rest, had: Work | None, has: Work) -> bool:
    """Whether somebody is where they were, be it by a duty that would have let them be elsewhere."""
    if had is None:
        return False
    duties, usual = rest.problem.duties, rest.problem.people[has.person].posts[:1]
    old, new = duties[had.duty], duties[has.duty]
    n = len(new.pauses) + 1
    return (
        (old.start_min, old.minutes, had.pauses) == (new.start_min, new.minutes, has.pauses)
        and (had.posts or usual * n) == (has.posts or usual * n)
    )  # fmt: skip


def _changes(rest: Rest, roster: NamedRoster) -> Iterator[Change]:
    day, duties = rest.moment.day, rest.problem.duties
    before = {work.person: work for work in rest.before.work if work.day == day}
    for has in roster.work:
        had = before.get(has.person)
        if has.day != day or has == had:
            continue
        if had is None:
            yield Change(has.person, had, has, (COMES_IN,))
            continue
        old, new = duties[had.duty], duties[has.duty]
        n = min(len(had.pauses), len(has.pauses))
        usual = rest.problem.people[has.person].posts[:1] * (n + 1)
        what = {
            STARTS: new.start_min != old.start_min,
            STAYS: new.start_min == old.start_min and new.end_min > old.end_min,
            LEAVES: new.start_min == old.start_min and new.end_min < old.end_min,
            BREAKS: new.start_min == old.start_min and had.pauses[:n] != has.pauses[:n],
            QUEUES: (had.posts or usual)[: n + 1] != (has.posts or usual)[: n + 1],
        }
        if any(what.values()):
            yield Change(has.person, had, has, tuple(name for name, is_so in what.items() if is_so))
