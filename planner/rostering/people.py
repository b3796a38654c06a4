"""From a scenario to the people who are rostered by name, and to the problem that they and a requirement pose.

Without a list people are made from headcounts: ids like `claims-017`, the group's skills and contract hours, the days of leave
that shrinkage states spread evenly, and as many newcomers as the group has. All minutes are by the centre's clock, days of
24 hours; availability and leave of people elsewhere are converted day by day, so a week that changes clocks comes out right.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from math import ceil, floor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.roster import Activity, Roster, RosteredShift
from planner.rostering.problem import (
    Duty,
    NamedRoster,
    Need,
    Pause,
    Person,
    Post,
    Request,
    RosterProblem,
    Terms,
    Work,
)
from planner.rostering.rules.base import may_work
from planner.scenario import clocks
from planner.scenario import compile as c
from planner.scenario.problems import FieldError, some
from planner.scenario.schema import DAY_MIN, DAYS, RuleName, Scenario, days_of
from planner.scenario.schema import Person as Listed
from planner.schedule.problem import ShiftKind
from planner.shifts import GRID_MIN, shift_kinds, with_decompression
from planner.shrinkage import rostered_per_present, share_of
from sim.world import Floats, Ints

if TYPE_CHECKING:
    from planner.requirement import Requirement

WEEK = 7
MOST_PERSON_DAYS = 50_000
"""A roster by name holds so many days of a person: 7,000 people for a week, 200 for 70 days with room to spare."""
UNDER, OVER = 20, 1
"""Points for a person short, or over, on the queue for a quarter of an hour."""
CORE, CORE_UNDER = 0.8, 20
"""Whoever is short of this share of a need costs so many points more: what is missing is spread rather than heaped."""
RULES: Mapping[RuleName, tuple[str, ...]] = {
    "rest": ("rest",),
    "days_in_a_row": ("most_in_a_row",),
    "nights_in_a_row": ("nights_in_a_row",),
    "days_off_together": ("least_off_in_a_row",),
    "weekends": ("weekends",),
    "successions": ("forbidden_successions",),
    "paid_time": ("least_paid", "most_paid"),
    "days": ("least_shifts", "most_shifts"),
    "exposure": ("exposure_stretch", "exposure_day", "exposure_week"),
    "decompression": ("decompression",),
    "rotation": ("rotation",),
    "newcomers": ("newcomers",),
}
"""The modules of `planner.rostering.rules` that each name in the scenario file prices."""
FAIR = ("exposure", "nights", "weekends", "requests")
"""What is shared fairly: each has a field of `FairShares`, and with `fair_` before it a module."""
Span = tuple[int, int]
"""Minutes after the first midnight of the horizon, by the centre's clock: from, to."""


Shares = Mapping[str, Mapping[str, Sequence[int]]]
"""By group and post: emotional minutes in a thousand on the queue, for each quarter of an hour of the horizon."""
MOST_DECOMPRESSION = 3
"""Decompression pauses that a shift is offered with, beyond the policy's own."""


class Employee(NamedTuple):
    """Somebody in force: what the list, the group and the contract say, put together."""

    id: str
    group: str
    skills: Mapping[str, float]
    """Contact types of the group, with proficiency above 0."""
    contract: str
    """Name of the contract; empty for the group's hours."""
    kinds: tuple[str, ...]
    """Shifts of the contract."""
    only: tuple[str, ...]
    """Those of them that somebody with so little experience may work; all where nothing limits it."""
    least_hours: float
    """Paid hours a week, at least and at most."""
    most_hours: float
    least_days: int
    """Days worked in a week, at least and at most."""
    most_days: int
    windows: tuple[Span, ...] | None
    """Where shifts must lie; None for anywhere."""
    leave: tuple[int, ...]
    """Days of leave, from 0."""
    away: tuple[Span, ...]
    """The same by the centre's clock."""
    requests: tuple[Request, ...]
    site: str
    time_zone: str | None
    tenure_weeks: float | None
    newcomer: bool
    made: bool
    """Made from a headcount, not listed."""


# --- who there is ---------------------------------------------------------------------------------------------------


def listed(scenario: Scenario) -> tuple[Listed, ...]:
    """The scenario's list of people, or people made from headcounts."""
    return scenario.people or tuple(_made(scenario))


def _made(scenario: Scenario) -> list[Listed]:
    people: list[Listed] = []
    stems: set[str] = set()
    for name, group in scenario.groups.items():
        stem = re.sub(r"[^\w.@'-]+", "-", name)[:40].lstrip(".@'-") or "group"
        while stem in stems:
            stem += "-x"
        stems.add(stem)
        n = floor(group.headcount * scenario.what_if.headcount + 0.5)
        new = round(n * c.newcomers(scenario, group))
        leave = _leave_of(scenario, name, n)
        wide = max(3, len(str(n)))
        for k in range(n):
            # The last ones are new, at even steps along the ramp.
            along = (k - (n - new) + 0.5) / new if k >= n - new else None
            people.append(
                Listed(
                    id=f"{stem}-{k + 1:0{wide}d}",
                    group=name,
                    skills=dict.fromkeys(scenario.skills(name), 1.0),
                    leave=tuple((date, date) for date in leave[k]),
                    tenure_weeks=None if along is None else round(along * newcomer_weeks(scenario), 1),
                )
            )
    return people


def _leave_of(scenario: Scenario, group: str, n: int) -> list[list[str]]:
    """Dates of leave of each of n people: as many days as shrinkage states, spread evenly over people and days of work."""
    dates: list[list[str]] = [[] for _ in range(n)]
    kinds = scenario.contract_kinds(group, None)
    worked = {day for name in kinds for day in days_of(scenario.shifts[name].days)}
    days = [d for d in range(scenario.horizon.days) if c.weekday_of(scenario, d) in worked]
    per_person = min(scenario.days_per_week, len(worked)) * scenario.horizon.days / WEEK
    total = min(floor(n * share_of(scenario, "leave") * per_person + 0.5), n * len(days))
    for j in range(total):
        day = days[j % len(days)]
        dates[j * n // total].append((scenario.horizon.start + datetime.timedelta(day)).isoformat())
    return [sorted(set(one)) for one in dates]


def newcomer_weeks(scenario: Scenario) -> float:
    """For so many weeks somebody is a newcomer."""
    weeks = scenario.labour_rules.newcomer_weeks
    return scenario.coefficient("ramp_weeks") if weeks is None else weeks


def people_of(scenario: Scenario) -> tuple[Employee, ...]:
    """The people in force, in the order of the list, or by group where they are made."""
    return tuple(_employee(scenario, person, not scenario.people) for person in listed(scenario))


def _employee(scenario: Scenario, person: Listed, made: bool) -> Employee:
    contract = scenario.contracts[person.contract] if person.contract else None
    kinds = scenario.contract_kinds(person.group, contract)
    newcomer = person.tenure_weeks is not None and person.tenure_weeks < newcomer_weeks(scenario)
    only = kinds
    if newcomer and scenario.labour_rules.newcomer_shifts:
        only = tuple(name for name in kinds if name in scenario.labour_rules.newcomer_shifts)
    if contract is not None:
        least, most = contract.least_hours, contract.most_hours
        days = contract.least_days, contract.most_days or scenario.days_per_week
    else:
        least, most = _group_hours(scenario, person.group)
        days = 0, scenario.days_per_week
    whole = scenario.skills(person.group)  # nothing else is routed to the group's people
    skills = person.skills if person.skills is not None else dict.fromkeys(whole, 1.0)
    leave = sorted({day for first, last in person.leave for day in scenario.days_between(first, last)})
    zone = person.time_zone or scenario.time_zone
    return Employee(
        person.id,
        person.group,
        {name: share for name, share in skills.items() if share > 0 and name in whole},
        person.contract,
        kinds,
        only,
        least,
        most,
        *days,
        _windows(scenario, person, zone),
        tuple(leave),
        tuple(_at_centre(scenario, day, 0, zone, DAY_MIN) for day in leave),
        _requests(scenario, person, leave),
        person.site,
        person.time_zone,
        person.tenure_weeks,
        newcomer,
        made,
    )


def _group_hours(scenario: Scenario, group: str) -> tuple[float, float]:
    """Paid hours a week of the group's contract, to the nearest shift: half the shortest one to either side, or as far as need be."""
    hours, kinds = scenario.groups[group].hours_per_week, scenario.contract_kinds(group, None)
    if not kinds:
        return hours, hours
    half = min(scenario.shifts[name].paid_minutes for name in kinds) / 120
    reached = scenario.week_hours(kinds, 0, scenario.days_per_week)
    off = max(half, min((abs(each - hours) for each in reached), default=half))
    return max(0.0, hours - off), hours + off


def _at_centre(scenario: Scenario, day: int, start: int, zone: str | None, end: int) -> Span:
    """Minutes of a day (from 0) of somebody in a zone, by the centre's clock."""
    centre, first = scenario.time_zone, scenario.horizon.start
    if zone is None or centre is None or zone == centre:
        return day * DAY_MIN + start, day * DAY_MIN + end
    date = first + datetime.timedelta(day)
    return (
        clocks.at_centre(date, start, zone, centre, first),
        clocks.at_centre(date, end, zone, centre, first, end=True),
    )


def _windows(scenario: Scenario, person: Listed, zone: str | None) -> tuple[Span, ...] | None:
    if not person.availability:
        return None
    week = {day: spans for key, spans in person.availability.items() for day in days_of(key)}
    found = sorted(
        _at_centre(scenario, day, start, zone, end)
        for day in range(-2, scenario.horizon.days + 2)
        for start, end in week.get((scenario.horizon.start.weekday() + day) % WEEK, ())
    )
    return _merged(found)


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in their order, those that touch each other as one."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return tuple(merged)


def _requests(scenario: Scenario, person: Listed, leave: Sequence[int]) -> tuple[Request, ...]:
    found: list[Request] = []
    for wish in person.requests:
        kind = wish.wants.removeprefix("not ").strip()
        wants = wish.wants != "off" and not wish.wants.startswith("not ")
        named = None if kind in ("off", "work") else kind
        found += [
            Request(day, named, wants, wish.weight)
            for day in scenario.days_between(wish.day, wish.day)
            if day not in leave
        ]
    return tuple(found)


# --- the problem ----------------------------------------------------------------------------------------------------


def can_be_rostered(scenario: Scenario) -> None:
    """Raise FieldError where there are no shifts, nobody, or more than a roster holds."""
    if not scenario.shifts:
        raise FieldError(("shifts",), None, "must be given: a roster by name is made of shifts")
    n, days = len(listed(scenario)), scenario.horizon.days
    if not n:
        raise FieldError(("groups",), None, "needs a headcount above 0 in some group, or a list of people")
    if n * days > MOST_PERSON_DAYS:
        most = f"must be at most {MOST_PERSON_DAYS // n} for a roster of {n:,} people by name: at most {MOST_PERSON_DAYS:,} days of a person at once"
        raise FieldError(("horizon", "days"), days, most)


def problem_of(
    scenario: Scenario, needs: Sequence[Need], policy: str = "as_is", shares: Shares | None = None
) -> RosterProblem:
    """What the people in force and these needs pose. Raises FieldError where there are no shifts or nobody.

    Off-phone time and the policy's decompression are pauses of the duties; where labour rules ask for decompression, each shift is
    offered without and with more of it. shares: how emotional work is expected to be; nobody is exposed without them.
    """
    can_be_rostered(scenario)
    people = people_of(scenario)
    catalogue = _Catalogue(scenario, policy)
    rules = scenario.labour_rules
    prices = {
        module: price
        for rule, modules in RULES.items()
        if (price := rules.price(rule)) is not None
        for module in modules
    }
    fair = {f"fair_{name}": points for name in FAIR if (points := int(getattr(rules.fair, name)))}
    posts = _Posts(scenario, shares or {})
    named = [_named(scenario, catalogue, one)._replace(posts=posts.of(one)) for one in people]
    return RosterProblem(
        scenario.horizon.days,
        scenario.horizon.start.weekday(),
        tuple(catalogue.duties),
        _in_circles(people, named),
        tuple(needs),
        prices | fair,
        tuple(posts.numbers),
        spread=dict.fromkeys(fair, 0),
    )


def shares_of(scenario: Scenario, problem: RosterProblem) -> Shares:
    """The shares that a problem was made with, as far as anybody has posts."""
    found: dict[str, dict[str, Sequence[int]]] = {}
    for one, person in zip(people_of(scenario), problem.people, strict=True):
        for post in (problem.posts[number] for number in person.posts):
            found.setdefault(one.group, {})[post.name] = post.share
    return found


def roster_of(scenario: Scenario, problem: RosterProblem, named: NamedRoster) -> Roster:
    """A named roster as the simulation takes it: people are numbered within their group, in the order of the list.

    Who has not all skills of the group, or takes some for a stretch, works as one of the roster's variants.
    """
    people, groups, number = people_of(scenario), list(scenario.groups), Counter[str]()
    place: list[tuple[int, int]] = []
    for one in people:
        place.append((groups.index(one.group), number[one.group]))
        number[one.group] += 1
    variants: dict[tuple[int, frozenset[str]], int] = {}
    shifts = []
    for work in named.work:
        duty, (group, _) = problem.duties[work.duty], place[work.person]
        acts = tuple(
            Activity(at - duty.start_min, pause.minutes, pause.kind, pause.paid)
            for pause, at in zip(duty.pauses, work.pauses, strict=True)
        )
        posts = []
        for stretch in range(len(acts) + 1):
            post = post_at(problem, problem.people[work.person], work, stretch)
            types = taken(scenario, people[work.person], post)
            posts.append(-1 if types is None else variants.setdefault((group, types), len(variants)))
        shifts.append(
            RosteredShift(
                *place[work.person], work.day, duty.start_min, duty.minutes, acts,
                () if set(posts) == {-1} else tuple(posts),
            )
        )  # fmt: skip
    return Roster(tuple(shifts), {}, variants=tuple(variants))


def post_at(problem: RosterProblem, person: Person, work: Work, stretch: int) -> Post | None:
    """Where somebody is in a stretch of a shift; None for one who has no posts."""
    if not person.posts:
        return None
    return problem.posts[work.posts[stretch] if work.posts else person.posts[0]]


def taken(scenario: Scenario, one: Employee, post: Post | None) -> frozenset[str] | None:
    """The contact types that somebody takes at a post; None for all that the group has."""
    whole = frozenset(scenario.skills(one.group))
    types = whole.intersection(one.skills)
    if post is not None and post.skills is not None:
        types &= post.skills
    return None if types == whole else types


def _named(scenario: Scenario, catalogue: _Catalogue, one: Employee) -> Person:
    """Days of leave are whole ones of the centre; parts of days, of leave elsewhere, are out of the duties."""
    leave = {day for start, end in _merged(one.away) for day in range(-(-start // DAY_MIN), end // DAY_MIN)}
    return Person(
        one.id,
        _counts_for(scenario, one),
        catalogue.of(one),
        _terms(scenario, one),
        one.requests,
        leave=frozenset(leave),
    )


def _in_circles(people: Sequence[Employee], named: Sequence[Person]) -> tuple[Person, ...]:
    """People of a group with the same terms, shifts and posts share a circle; not those on leave or available at times only."""
    circles: dict[object, int] = {}
    found = []
    for one, person in zip(people, named, strict=True):
        if one.windows is None and not one.leave:
            terms = person.terms._asdict()
            terms["most_of_kind"] = tuple(sorted(person.terms.most_of_kind.items()))
            alike = one.group, person.duties, person.posts, tuple(terms.values())
            person = person._replace(circle=circles.setdefault(alike, len(circles)))
        found.append(person)
    return tuple(found)


def _parts_of_days(span: Span) -> list[Span]:
    """What a span has before its first midnight and after its last."""
    start, end = span
    morning, evening = -(-start // DAY_MIN) * DAY_MIN, end // DAY_MIN * DAY_MIN
    return [part for part in ((start, min(end, morning)), (max(start, evening), end)) if part[0] < part[1]]


class _Posts:
    """Posts of all groups, each once, and which of them somebody may be given."""

    def __init__(self, scenario: Scenario, shares: Shares) -> None:
        self.scenario = scenario
        self.shares = shares
        self.numbers: dict[Post, int] = {}

    def of(self, one: Employee) -> tuple[int, ...]:
        """All, emotional and routine where group and person can do both; else the one side that they can, or nothing where none is exposed.

        Who has nothing to rotate to is not limited by rotation.
        """
        hard = self.scenario.rotated()
        if not self.scenario.rotates(one.group):
            share = self._share(one.group, "all")
            return (self._number(Post("all", share=share)),) if any(share) else ()
        mine = set(one.skills)
        if not (mine & hard and mine - hard):
            return (self._post(one.group, "emotional" if mine & hard else "routine", rotating=False),)
        return (
            self._number(Post("all", share=self._share(one.group, "all"))),
            self._post(one.group, "emotional"),
            self._post(one.group, "routine"),
        )

    def _post(self, group: str, name: str, *, rotating: bool = True) -> int:
        """Its skills are all types of that side, by whomever they are asked for, and all groups: a need for a group's people means any of them."""
        hard = self.scenario.rotated()
        types = [t for t in self.scenario.types if (t in hard) == (name == "emotional")]
        skills = {*types, *map(_tier, types), *map(_token, self.scenario.groups)}
        emotional = rotating and name == "emotional"
        return self._number(Post(name, frozenset(skills), emotional, self._share(group, name)))

    def _number(self, post: Post) -> int:
        return self.numbers.setdefault(post, len(self.numbers))

    def _share(self, group: str, name: str) -> tuple[int, ...]:
        return tuple(self.shares.get(group, {}).get(name, ()))


class _Catalogue:
    """Duties of all groups, each once, and which of them somebody may be given."""

    def __init__(self, scenario: Scenario, policy: str) -> None:
        self.scenario = scenario
        self.duties: list[Duty] = []
        self.by_group: dict[str, list[tuple[str, int, tuple[int, ...]]]] = {}
        numbers: dict[Duty, int] = {}
        for g, name in enumerate(scenario.groups):
            offered = self.by_group.setdefault(name, [])
            for kind in self._kinds(policy, g):
                pauses = tuple(
                    Pause(r.name, r.minutes, r.paid, r.earliest_min, r.latest_min, r.kind)
                    for r in kind.breaks
                )
                for start in kind.starts:
                    duty = Duty(kind.name, start, kind.length_min, kind.paid_min, pauses)
                    number = numbers.setdefault(duty, len(numbers))
                    if number == len(self.duties):
                        self.duties.append(duty)
                    offered.append((kind.name, number, kind.days))
        self._fitting = lru_cache(maxsize=4096)(self._fit)

    def _kinds(self, policy: str, group: int) -> Iterator[ShiftKind]:
        """Kinds of shift of a group, each also with more decompression where labour rules ask for it."""
        more = self.scenario.labour_rules.decompression
        for kind in shift_kinds(self.scenario, policy, [group]):
            yield kind
            for n in range(1, MOST_DECOMPRESSION + 1) if more else ():
                relieved = with_decompression(kind, more.minutes, n) if more else None
                if relieved is not None:
                    yield relieved

    def of(self, one: Employee) -> tuple[tuple[int, ...], ...]:
        """The duties that may be given, by day, but for what rules say of whole days of leave and of newcomers."""
        days = self._fitting(one.group, one.kinds, one.windows)
        parts = [part for span in _merged(one.away) for part in _parts_of_days(span)]
        if not parts:
            return days
        return tuple(
            tuple(
                k
                for k in numbers
                if not any(
                    self._span(day, k)[0] < end and start < self._span(day, k)[1] for start, end in parts
                )
            )
            for day, numbers in enumerate(days)
        )

    def _span(self, day: int, number: int) -> Span:
        duty = self.duties[number]
        return day * DAY_MIN + duty.start_min, day * DAY_MIN + duty.end_min

    def _fit(
        self, group: str, kinds: tuple[str, ...], windows: tuple[Span, ...] | None
    ) -> tuple[tuple[int, ...], ...]:
        found: list[tuple[int, ...]] = []
        for day in range(self.scenario.horizon.days):
            skipped = self._skipped(day)
            fit = []
            for kind, number, days in self.by_group[group]:
                start, end = self._span(day, number)
                inside = windows is None or any(first <= start and end <= last for first, last in windows)
                if kind in kinds and day in days and inside and start - day * DAY_MIN not in skipped:
                    fit.append(number)
            found.append(tuple(fit))
        return tuple(found)

    def _skipped(self, day: int) -> range:
        """Minutes of the day that the centre's clock skips."""
        zone = self.scenario.time_zone
        date = self.scenario.horizon.start + datetime.timedelta(day)
        for change in clocks.changes(zone, date, 1) if zone else ():
            if change.skipped:
                return range(*change.skipped)
        return range(0)


def _terms(scenario: Scenario, one: Employee) -> Terms:
    """What the contract and the labour rules say over the horizon; a part of a week owes its share less one shift."""
    rules, days = scenario.labour_rules, scenario.horizon.days
    longest = max((scenario.shifts[name].paid_minutes for name in one.only), default=0)
    least = most = 0.0
    least_shifts = most_shifts = 0
    for first in range(0, days, WEEK):
        length = min(WEEK, days - first)
        away = sum(first <= day < first + length for day in one.leave)
        credited = min(away, one.most_days)
        share = 1 - credited / one.most_days
        owed = one.least_hours * 60
        owed = owed if length == WEEK else max(0.0, owed * length / WEEK - longest)
        least += owed * share
        most += one.most_hours * 60 * share
        most_shifts += max(0, min(one.most_days - credited, length - away))
        least_shifts += max(0, one.least_days - (WEEK - length) - credited)
    exposure, relief, rotation = rules.exposure, rules.decompression, rules.rotation
    weekends = None if rules.most_weekends is None else ceil(rules.most_weekends * days / (4 * WEEK))
    return Terms(
        least_paid_min=floor(least + 1e-6),
        most_paid_min=ceil(most - 1e-6),
        least_shifts=least_shifts,
        most_shifts=most_shifts,
        least_rest_min=round(scenario.rest_hours * 60),
        most_in_a_row=rules.most_days_in_a_row,
        least_off_in_a_row=rules.least_days_off_together,
        most_weekends=weekends,
        most_nights_in_a_row=rules.most_nights_in_a_row,
        forbidden=frozenset(
            (name, after) for name, later in rules.forbidden_successions.items() for after in later
        ),
        only_kinds=None if one.only == one.kinds else frozenset(one.only),
        most_exposed_stretch_min=exposure.stretch_min,
        most_exposed_day_min=exposure.day_min,
        most_exposed_week_min=exposure.week_min,
        decompress_after_min=None if relief is None else relief.after_min,
        most_at_emotional_min=None if rotation is None else rotation.most_min,
    )


# --- what is to be covered ------------------------------------------------------------------------------------------


_GROUP, _SECOND = "group ", " (second tier)"


def _token(group: str) -> str:
    """Stands for a group in needs that ask for its people whatever they can do."""
    return f"{_GROUP}{group}"


def _tier(name: str) -> str:
    return f"{name}{_SECOND}"


def group_of_token(skill: str) -> str | None:
    """The group whose people a need asks for whatever they can do; None for a skill."""
    return skill.removeprefix(_GROUP) if skill.startswith(_GROUP) else None


def type_of_tier(skill: str) -> str | None:
    """The contact type whose second tier a need asks for; None for another skill."""
    return skill.removesuffix(_SECOND) if skill.endswith(_SECOND) else None


def _counts_for(scenario: Scenario, one: Employee) -> frozenset[str]:
    """What somebody counts for in needs: own skills, the second tier's where the group has it, and the group."""
    found = {*one.skills, _token(one.group)}
    if scenario.groups[one.group].second_tier:
        found |= {_tier(name) for name in one.skills}
    return frozenset(found)


def needs_of(
    scenario: Scenario, requirement: Requirement, *, scale: Floats | float = 1.0
) -> tuple[Need, ...]:
    """People on the queue by quarter-hour and skill set: the rows of a requirement, grossed up for unplanned shrinkage.

    scale: (days x I,) factors on what is asked for in each interval.

    Rows are nested (whoever serves any of some types); needs are apart, for nobody counts twice. So of each row is taken what
    the rows inside it ask for already; what is left may come from anybody who serves any of its types. Of rows that
    overlap no more is asked than the people with whom all of them hold.
    """
    names, groups = list(scenario.types), list(scenario.groups)
    rows: dict[frozenset[int], Floats] = {}
    types: dict[frozenset[int], set[str]] = {}
    for row, need in zip(requirement.sets, requirement.need, strict=True):
        circle = frozenset(row.groups)
        rows[circle] = np.maximum(rows[circle], need) if circle in rows else need
        said = types.setdefault(circle, set())
        said |= {names[t] if t < len(names) else _tier(names[t - len(names)]) for t in row.types}
    for g, need in enumerate(requirement.own):
        if need.any():
            circle = frozenset((g,))
            rows[circle] = np.maximum(rows[circle], need) if circle in rows else need
    able = {s.types[0]: {groups[g] for g in s.groups} for s in requirement.sets if len(s.types) == 1}
    # Of a type whose row leaves out a group that has the skill (it helps only those who are late), the groups are named.
    late = {
        names[t]
        for t, those in able.items()
        if t < len(names) and any(names[t] in scenario.skills(g) and g not in those for g in groups)
    }
    factor = np.repeat(rostered_per_present(scenario), c.n_intervals(scenario)) * scale
    left: dict[frozenset[int], Ints] = {}
    for circle in sorted(rows, key=lambda one: (len(one), sorted(one))):
        inside = [other for other in left if other < circle]
        asked = np.zeros(len(factor), np.int64)
        for other in inside:
            asked += left[other]
        whole = _whole(rows[circle] * factor)
        left[circle] = np.maximum(whole - asked, 0)
        most = np.maximum(whole, _whole(requirement.duty[sorted(circle)].sum(axis=0) * factor))
        for i in np.flatnonzero(asked > most):
            _share_helpers(left, inside, int(asked[i] - most[i]), int(i))
    found: list[Need] = []
    for circle, numbers in left.items():
        said = types.get(circle) or set()
        skills = frozenset(_token(groups[g]) for g in circle) if not said or said & late else frozenset(said)
        found += _by_quarter(scenario, numbers, skills)
    return tuple(sorted(found, key=lambda need: (need.day, need.start_min)))


def _share_helpers(
    left: dict[frozenset[int], Ints], inside: Sequence[frozenset[int]], too_many: int, i: int
) -> None:
    """Take back what overlapping rows ask for in an interval beyond the people with whom all rows hold: the larger gives first.

    Each row counts those who serve both, so that fewer people than the sum do.
    """
    pairs = [(a, b) for a, b in combinations(inside, 2) if a & b and not a <= b and not b <= a]
    while too_many:
        giving = {one for pair in pairs if min(left[pair[0]][i], left[pair[1]][i]) > 0 for one in pair}
        if not giving:
            return
        left[max(giving, key=lambda one: (left[one][i], sorted(one)))][i] -= 1
        too_many -= 1


def needs_of_cover(scenario: Scenario, cover: Floats) -> tuple[Need, ...]:
    """The same from people on the queue by group (G, days, I), such as a roster's cover: whom it has is asked for again."""
    found: list[Need] = []
    for name, numbers in zip(scenario.groups, cover, strict=True):
        found += _by_quarter(scenario, _whole(numbers.reshape(-1)), frozenset((_token(name),)))
    return tuple(sorted(found, key=lambda need: (need.day, need.start_min)))


def _whole(people: Floats) -> Ints:
    """Nearest whole numbers, at least one where anybody is asked for."""
    return np.maximum(np.floor(people + 0.5), people > 1e-9).astype(np.int64)


def _by_quarter(scenario: Scenario, numbers: Ints, skills: frozenset[str]) -> list[Need]:
    n, interval = c.n_intervals(scenario), scenario.horizon.interval_min
    return [
        Need(
            int(i) // n,
            int(numbers[i]),
            UNDER,
            OVER,
            None,
            int(i) % n * interval + later,
            min(GRID_MIN, interval),
            skills,
            floor(CORE * int(numbers[i])),
            CORE_UNDER,
        )
        for i in np.flatnonzero(numbers)
        for later in range(0, interval, GRID_MIN)
    ]


# --- what to know about a list --------------------------------------------------------------------------------------


def notices(scenario: Scenario) -> list[FieldError]:
    """What is allowed in a list but worth knowing, each with its place in the file: who can hardly or never be given a shift."""
    found: list[FieldError] = []
    relief = scenario.labour_rules.decompression
    if relief is not None and scenario.shifts:
        kinds = shift_kinds(scenario, "as_is", list(range(len(scenario.groups))))
        tight = sorted({kind.name for kind in kinds if with_decompression(kind, relief.minutes, 1) is None})
        if tight:
            text = f"finds no place between the breaks of {some(tight, 6)}: without decompression there, less emotional work"
            found.append(FieldError(("labour_rules", "decompression", "minutes"), relief.minutes, text))
    if not scenario.people or not scenario.shifts:
        return found
    catalogue = _Catalogue(scenario, "as_is")
    days = scenario.horizon.days
    for i, one in enumerate(people_of(scenario)):
        path = ("people", i)
        listed_skills = scenario.people[i].skills or {}
        more = [name for name, share in listed_skills.items() if share > 0 and name not in one.skills]
        if more:
            text = f"{one.id} counts for nothing with {some(more, 6)}, which group {one.group} does not serve"
            found.append(FieldError((*path, "skills"), None, text))
        if len(one.leave) == days:
            found.append(
                FieldError(
                    (*path, "leave"),
                    None,
                    f"{one.id} is on leave on every day of the horizon: no shift is planned",
                )
            )
            continue
        given = _possible(scenario, catalogue, one)
        if not any(given):
            why = (
                "newcomers may work none of these shifts"
                if one.newcomer and not one.only
                else "no shift fits"
            )
            field = "availability" if one.windows is not None else "contract"
            found.append(FieldError((*path, field), None, f"{one.id} can be given no shift: {why}"))
            continue
        best = sorted((max(catalogue.duties[k].paid_min for k in day) for day in given if day), reverse=True)
        terms = _terms(scenario, one)
        most = sum(best[: terms.most_shifts])
        if most < terms.least_paid_min:
            text = f"{one.id} can work at most {most / 60:g} paid hours, where the contract asks for {terms.least_paid_min / 60:g}"
            found.append(FieldError((*path, "contract"), None, text))
    for name, group in scenario.groups.items():
        n = sum(person.group == name for person in scenario.people)
        if n != group.headcount and group.on_duty is None:
            text = f"is not the number of people in the list, {n}: simulations of today's roster use the headcount"
            found.append(FieldError(("groups", name, "headcount"), group.headcount, text))
    if scenario.time_zone:
        for change in clocks.changes(scenario.time_zone, scenario.horizon.start, days):
            day = DAYS[change.day.weekday()]
            how = "shorter" if change.skipped else "longer"
            text = f"clocks change on {day} {change.day}: shifts and rest over that hour are {how} than their times say"
            found.append(FieldError(("time_zone",), None, text))
    return found


def _possible(scenario: Scenario, catalogue: _Catalogue, one: Employee) -> list[list[int]]:
    """Duties that somebody may be given by day, with no rule of leave and newcomers broken."""
    person = _named(scenario, catalogue, one)
    if scenario.labour_rules.price("newcomers") is not None:
        person = person._replace(terms=person.terms._replace(only_kinds=None))
    return [
        [k for k in day if may_work(person, number, catalogue.duties[k])]
        for number, day in enumerate(person.duties)
    ]


def asked_hours(scenario: Scenario) -> float:
    """Paid hours a week that today's contacts ask for, by Erlang C over all that share people; a first guess, no plan.

    Breaks, time off the phone, absence and leave are inside; deferred work counts at the occupancy of a back office.
    """
    from planner.plan import BACK_OFFICE, observed_load, weeks_of
    from planner.shifts import on_queue_share
    from planner.shrinkage import worked_share
    from sim import erlang

    load, offered = observed_load(scenario), c.offered_by_interval(scenario)
    seconds = scenario.horizon.interval_min * 60
    present = np.zeros(load.shape[1:])
    for pool in _pools(scenario):
        live = [t for t in pool if not scenario.types[list(scenario.types)[t]].deferred]
        waiting = load[[t for t in pool if t not in live]].sum(axis=0) / BACK_OFFICE
        work, rate = load[live].sum(axis=0), offered[live].sum(axis=0) / seconds
        aims = [
            target
            for target in scenario.targets
            if target.measure == "service_level"
            and target.within_h is None
            and any(list(scenario.types)[t] in scenario.scope(target) for t in live)
        ]
        level = max((float(target.at_least or 0.8) for target in aims), default=0.8)
        within = min((target.within_s for target in aims), default=20.0)
        for at in np.ndindex(*work.shape):
            if rate[at] * seconds > 0.05 and work[at] > 0:
                handle = float(work[at] / rate[at])
                present[at] += erlang.agents_for(
                    float(rate[at]), handle, measure="g3", target=min(level, 0.999), within_s=within
                )
        present += waiting
    rostered = float((present.sum(axis=1) * rostered_per_present(scenario)).sum()) * seconds / 3600
    kinds = shift_kinds(scenario, "as_is", list(range(len(scenario.groups)))) if scenario.shifts else ()
    share = on_queue_share(kinds) * worked_share(scenario) * max(weeks_of(scenario), 1e-9)
    return rostered / share


def _pools(scenario: Scenario) -> list[list[int]]:
    """Types (their numbers) that share people, directly or through others."""
    pools: list[tuple[set[str], list[int]]] = []
    for t, name in enumerate(scenario.types):
        able = {group for group in scenario.groups if name in scenario.skills(group)}
        types = [t]
        for pool in [pool for pool in pools if pool[0] & able]:
            pools.remove(pool)
            able |= pool[0]
            types += pool[1]
        pools.append((able, sorted(types)))
    return [types for _, types in pools]
