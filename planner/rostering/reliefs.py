"""What would relieve a roster that is short: each relief is tried by making the roster anew, and priced.

A relief changes the problem by a notch: an extra shift allowed at overtime pay, starts that the catalogue does not have, somebody
cross-trained, work put off to quarter-hours with people to spare, a rule loosened, somebody hired. All begin from the same roster and
get the same number of moves, and are held against that roster searched on as long, and with other seeds, without any relief, so that
luck is no relief.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from planner.rostering import improve as search
from planner.rostering.people import Employee
from planner.rostering.problem import (
    DAY_MIN,
    WEEK_DAYS,
    Duty,
    NamedRoster,
    Person,
    RosterProblem,
    Terms,
)
from planner.rostering.validate import Audit, audit, short_hours
from planner.scenario.schema import Scenario

RELIEF_MOVES_PER_DAY = 1_000
"""Moves of a search for each person and day."""
WARMTH = 0.3
"""Of the searches: a good roster is bettered, not made anew."""
CLEAR_HOURS = 1.0
"""Hours that a relief has to save to be called one, and more than seeds alone make a difference of."""
SEEDS = 3
"""Searches without any relief."""
OVERTIME_SHARE = 0.1
"""Share of a group's people who are asked for one shift more."""
TRAINED_SHARE = 0.05
"""Share of a group's people who learn a contact type."""
PUT_OFF_SHARE = 0.1
"""At most this share of a quarter-hour's work is put off."""
PUT_OFF_MIN = 2 * DAY_MIN
"""And at most so long."""
WEEKS_A_YEAR = 52.0


@dataclass(frozen=True)
class Relief:
    """Something that may be done."""

    kind: str
    """overtime, start, training, deferral, rule or person."""
    what: tuple[str, ...]
    """Names of groups, types, shifts or rules, with numbers: what the words are made from."""
    problem: RosterProblem
    rule: str | None = None
    """The rule that is loosened."""
    one_off: float = 0.0
    """Cost, once."""
    amount: float = 0.0
    """Hours put off, people trained or hired."""


@dataclass(frozen=True)
class Relieved:
    """What a relief came to."""

    relief: Relief
    short_hours: float
    saved_hours: float
    """Hours short less than without it."""
    saved_points: float
    """Cost in points less than without it."""
    per_week: float
    """What more paid hours a week cost, with the premium for those beyond the contract; below 0 where fewer are paid."""
    extra_hours: float
    """Paid hours more, over the horizon."""
    hard: int
    """Hard rules broken by the roster found."""
    used: tuple[tuple[str, int, int], ...] = ()
    """Starts that are new: kind of shift, minute of the day, and how often it is given."""
    eased_hours: float = 0.0
    """What people short and over cost less than without it, as hours short: hours may be as short, but where fewer are missing at once."""
    luck_hours: float = 0.0
    """By so many hours short rosters without any relief differ, by their seeds alone."""
    keeps: bool = True
    """Whether no more hard rules are broken than without it, nor by more."""

    @property
    def clear(self) -> bool:
        """Whether it does save something, and breaks nothing for that."""
        return self._beyond_luck(self.saved_hours)

    @property
    def eases(self) -> bool:
        """Whether people are at least where they are missed most, and it breaks nothing for that."""
        return self._beyond_luck(self.eased_hours)

    def _beyond_luck(self, hours: float) -> bool:
        return hours >= CLEAR_HOURS and hours > self.luck_hours and self.keeps


@dataclass(frozen=True)
class Reliefs:
    """All that were tried."""

    short_hours: float
    """Of the roster without any relief, searched on as long."""
    roster: NamedRoster
    found: tuple[Relieved, ...]
    """Those that save something first: of them those that cost nothing or less, then the cheapest for an hour saved before the dearer."""

    @property
    def binding(self) -> tuple[Relieved, ...]:
        """Rules whose loosening saves hours, or at least puts people where they are missed most."""
        return tuple(one for one in self.found if one.relief.rule and (one.clear or one.eases))


def reliefs(
    scenario: Scenario,
    people: Sequence[Employee],
    problem: RosterProblem,
    roster: NamedRoster,
    *,
    moves: int,
    seed: int,
    say: Callable[[str], None] = lambda _: None,
) -> Reliefs:
    """Try every relief from a roster that is short; none where nobody is."""
    before = audit(problem, roster)
    if not short_hours(problem, before):
        return Reliefs(0.0, roster, ())
    base = search.improve(problem, roster, moves=moves, seed=seed, warmth=WARMTH)
    tried = candidates(scenario, people, problem, base)
    say(f"trying {len(tried)} reliefs")
    again, without, luck = _without(problem, base, moves, seed)
    found = []
    for number, relief in enumerate(tried):
        say(f"relief {number + 1} of {len(tried)}")
        better = search.improve(relief.problem, base, moves=moves, seed=seed + 1, warmth=WARMTH)
        one = _relieved(scenario, people, relief, problem, better, again, without)
        found.append(replace(one, luck_hours=luck))
    return Reliefs(short_hours(problem, without), again, tuple(sorted(found, key=in_order)))


def _without(
    problem: RosterProblem, base: NamedRoster, moves: int, seed: int
) -> tuple[NamedRoster, Audit, float]:
    """The roster searched on without any relief that has fewest hours short, its audit, and how many more others have."""
    rosters = [
        search.improve(problem, base, moves=moves, seed=seed + 1 + k, warmth=WARMTH) for k in range(SEEDS)
    ]
    audits = [audit(problem, one) for one in rosters]
    short = [short_hours(problem, one) for one in audits]
    least = min(range(SEEDS), key=short.__getitem__)
    return rosters[least], audits[least], max(short) - short[least]


def in_order(one: Relieved) -> tuple[bool, float, float]:
    """What saves nothing clear last; what costs nothing or less first, the most hours before fewer: a price for an hour says nothing there."""
    price = (one.per_week + one.relief.one_off / WEEKS_A_YEAR) / max(one.saved_hours, 1e-9)
    return not one.clear, max(0.0, price), -one.saved_hours


def _broken(found: Audit) -> tuple[int, int]:
    """Hard rules broken, and by how much."""
    return len(found.hard), sum(one.by for one in found.hard)


def _relieved(
    scenario: Scenario, people: Sequence[Employee], relief: Relief, problem: RosterProblem, better: NamedRoster,
    base: NamedRoster, without: Audit,
) -> Relieved:  # fmt: skip
    found = audit(relief.problem, better)
    short, before = short_hours(relief.problem, found), short_hours(problem, without)
    paid, paid_before = relief.problem.paid_min(better), problem.paid_min(base)
    cost = 0.0
    for number, minutes in enumerate(paid):
        new = number >= len(people)
        group = scenario.groups[relief.what[0] if new else people[number].group]
        agreed = minutes if new else _agreed(people[number], problem.people[number])
        was = 0 if new else paid_before[number]
        beyond = max(0.0, minutes - agreed) - max(0.0, was - agreed)
        cost += group.cost_per_hour / 60 * (minutes - was + scenario.costs.overtime_premium * beyond)
    given = Counter(
        (relief.problem.duties[w.duty].kind, relief.problem.duties[w.duty].start_min)
        for w in better.work
        if w.duty >= len(problem.duties)
    )
    return Relieved(
        relief, short, before - short, without.objective - found.objective, cost * WEEK_DAYS / problem.days,
        (sum(paid) - sum(paid_before)) / 60, len(found.hard), tuple((*key, n) for key, n in sorted(given.items())),
        eased_hours=(without.under + without.over - found.under - found.over) / hour_short(problem),
        keeps=_broken(found) <= _broken(without),
    )  # fmt: skip


def hour_short(problem: RosterProblem) -> float:
    """What a person short for an hour costs, in points."""
    rates = [need.under * 60 / need.minutes for need in problem.needs if need.minutes]
    return max(rates, default=1.0)


def _agreed(one: Employee, person: Person) -> float:
    """Paid minutes over the horizon beyond which time is overtime."""
    if person.terms.agreed_paid_min is not None:
        return person.terms.agreed_paid_min
    most = person.terms.most_paid_min
    if most is None:
        return math.inf
    # Without a contract of their own people work the group's hours, to the nearest shift either way.
    return most if one.contract else (most + person.terms.least_paid_min) / 2


# --- what may be done ------------------------------------------------------------------------------------------------


def candidates(
    scenario: Scenario, people: Sequence[Employee], problem: RosterProblem, roster: NamedRoster
) -> list[Relief]:
    """Every relief by a notch, for a roster that is short."""
    return [
        *_overtime(people, problem),
        *_starts(people, problem),
        *_training(scenario, people, problem, roster),
        *_deferral(problem, roster),
        *_rules(problem),
        *_hiring(scenario, people, problem),
    ]


def _by_group(people: Sequence[Employee]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, one in enumerate(people):
        found.setdefault(one.group, []).append(number)
    return found


def _with_people(problem: RosterProblem, changed: Mapping[int, Person]) -> RosterProblem:
    return problem._replace(people=tuple(changed.get(k, p) for k, p in enumerate(problem.people)))


def _overtime(people: Sequence[Employee], problem: RosterProblem) -> list[Relief]:
    """One shift more for some of a group, paid with the premium."""
    found = []
    for group, members in _by_group(people).items():
        longest = max(
            (problem.duties[k].paid_min for n in members for day in problem.people[n].duties for k in day), default=0
        )  # fmt: skip
        if not longest:
            continue
        willing = members[:: max(1, round(1 / OVERTIME_SHARE))]
        changed = {}
        for number in willing:
            person = problem.people[number]
            terms = person.terms
            most = terms.most_paid_min
            changed[number] = person._replace(
                terms=terms._replace(
                    most_paid_min=None if most is None else most + longest,
                    most_shifts=None if terms.most_shifts is None else terms.most_shifts + 1,
                )
            )
        found.append(
            Relief("overtime", (group,), _with_people(problem, changed), amount=len(willing))
        )  # fmt: skip
    return found


def _starts(people: Sequence[Employee], problem: RosterProblem) -> list[Relief]:
    """Each kind of shift may start on every half hour of the day between the earliest and latest need."""
    found = []
    first = min((n.start_min for n in problem.needs if n.kind is None), default=0)
    last = max((n.start_min + n.minutes for n in problem.needs if n.kind is None), default=DAY_MIN)
    for kind in sorted({duty.kind for duty in problem.duties}):
        of_kind = [k for k, duty in enumerate(problem.duties) if duty.kind == kind]
        known = {problem.duties[k].start_min for k in of_kind}
        patterns = {problem.duties[k]._replace(start_min=0) for k in of_kind}
        duties: list[Duty] = [
            pattern._replace(start_min=start)
            for start in range(first, last, 30)
            for pattern in sorted(patterns)
            if start not in known and start + pattern.minutes <= last
        ]
        if not duties:
            continue
        numbers = {duty: len(problem.duties) + i for i, duty in enumerate(duties)}
        changed = {}
        for number, person in enumerate(problem.people):
            days = []
            for number_of_day, day in enumerate(person.duties):
                mine = {
                    problem.duties[k]._replace(start_min=0) for k in day if problem.duties[k].kind == kind
                }
                more = tuple(
                    n
                    for duty, n in numbers.items()
                    if duty._replace(start_min=0) in mine
                    and not _touches_away(people[number], number_of_day, duty)
                )
                days.append((*day, *more))
            if people[number].windows is None:  # who has hours of their own keeps to them
                changed[number] = person._replace(duties=tuple(days))
        grown = problem._replace(duties=(*problem.duties, *duties))
        found.append(Relief("start", (kind,), _with_people(grown, changed)))
    return found


def _touches_away(one: Employee, day: int, duty: Duty) -> bool:
    """Whether a duty has time in leave, which need not begin and end at midnight here for somebody elsewhere."""
    start, end = day * DAY_MIN + duty.start_min, day * DAY_MIN + duty.end_min
    return any(start < last and first < end for first, last in one.away)


def _training(
    scenario: Scenario, people: Sequence[Employee], problem: RosterProblem, roster: NamedRoster
) -> list[Relief]:
    """Some people of a group learn a contact type that is short and that they do not have."""
    short: dict[str, int] = {}
    for met in audit(problem, roster).met:
        for skill in problem.needs[met.need].skills & set(scenario.types):
            short[skill] = short.get(skill, 0) + met.short
    found = []
    for skill in sorted((s for s, n in short.items() if n), key=lambda s: -short[s])[:3]:
        for group, members in _by_group(people).items():
            able = [n for n in members if skill not in problem.people[n].skills]
            n = math.ceil(TRAINED_SHARE * len(able))
            if not n:
                continue
            chosen = able[:: max(1, len(able) // n)][:n]
            changed = {
                k: problem.people[k]._replace(skills=problem.people[k].skills | {skill}) for k in chosen
            }
            weekly = scenario.groups[group].hours_per_week * scenario.groups[group].cost_per_hour
            once = len(chosen) * weekly * scenario.coefficient("cross_training_weeks")
            found.append(
                Relief(
                    "training",
                    (group, skill),
                    _with_people(problem, changed),
                    one_off=once,
                    amount=len(chosen),
                )
            )
    return found


def _deferral(problem: RosterProblem, roster: NamedRoster) -> list[Relief]:
    """Work of short quarter-hours is done where the same need has people over, later and within the time set."""
    met = {m.need: m for m in audit(problem, roster).met}
    by_skill: dict[frozenset[str], list[tuple[int, int]]] = {}
    for number, need in enumerate(problem.needs):
        if need.kind is None:
            by_skill.setdefault(need.skills, []).append((need.day * DAY_MIN + need.start_min, number))
    people = [need.people for need in problem.needs]
    moved = 0.0
    for rows in by_skill.values():
        rows.sort()
        room = {number: met[number].over for _, number in rows}
        for at, number in rows:
            wanted = min(met[number].short, math.floor(PUT_OFF_SHARE * problem.needs[number].people))
            for later, other in rows:
                if not wanted:
                    break
                if at < later <= at + PUT_OFF_MIN and room[other]:
                    n = min(wanted, room[other])
                    room[other] -= n
                    wanted -= n
                    people[number] -= n
                    people[other] += n
                    moved += n * problem.needs[number].minutes / 60
    if not moved:
        return []
    needs = tuple(need._replace(people=n) for need, n in zip(problem.needs, people, strict=True))
    return [Relief("deferral", (), problem._replace(needs=needs), amount=moved)]


Loosen = Callable[[Terms, int], Terms]
"""Of terms, for a horizon of so many weeks."""
NOTCHES: tuple[tuple[str, str, Loosen], ...] = (
    ("rest", "one hour less", lambda t, _: t._replace(least_rest_min=max(0, t.least_rest_min - 60))),
    ("most_in_a_row", "one day more", lambda t, _: t._replace(most_in_a_row=_more(t.most_in_a_row, 1))),
    (
        "nights_in_a_row",
        "one night more",
        lambda t, _: t._replace(most_nights_in_a_row=_more(t.most_nights_in_a_row, 1)),
    ),
    ("least_off_in_a_row", "one day", lambda t, _: t._replace(least_off_in_a_row=1)),
    ("weekends", "one more", lambda t, _: t._replace(most_weekends=_more(t.most_weekends, 1))),
    ("forbidden_successions", "all allowed", lambda t, _: t._replace(forbidden=frozenset())),
    (
        "least_paid",
        "two hours a week less",
        lambda t, weeks: t._replace(least_paid_min=max(0, t.least_paid_min - 120 * weeks)),
    ),
    (
        "most_paid",
        "two hours a week more",
        lambda t, weeks: t._replace(most_paid_min=_more(t.most_paid_min, 120 * weeks)),
    ),
    ("least_shifts", "one less", lambda t, _: t._replace(least_shifts=max(0, t.least_shifts - 1))),
    ("most_shifts", "one more", lambda t, _: t._replace(most_shifts=_more(t.most_shifts, 1))),
    ("newcomers", "all shifts allowed", lambda t, _: t._replace(only_kinds=None)),
    (
        "exposure_stretch",
        "a fifth more",
        lambda t, _: t._replace(most_exposed_stretch_min=_fifth(t.most_exposed_stretch_min)),
    ),
    (
        "exposure_day",
        "a fifth more",
        lambda t, _: t._replace(most_exposed_day_min=_fifth(t.most_exposed_day_min)),
    ),
    (
        "exposure_week",
        "a fifth more",
        lambda t, _: t._replace(most_exposed_week_min=_fifth(t.most_exposed_week_min)),
    ),
    (
        "decompression",
        "a fifth later",
        lambda t, _: t._replace(decompress_after_min=_fifth(t.decompress_after_min)),
    ),
    (
        "rotation",
        "a fifth later",
        lambda t, _: t._replace(most_at_emotional_min=_fifth(t.most_at_emotional_min)),
    ),
)
"""Rules that can be looser, by how much in words, and how."""


def _more(limit: int | None, by: int) -> int | None:
    return None if limit is None else limit + by


def _fifth(limit: int | None) -> int | None:
    return None if limit is None else math.ceil(limit * 1.2)


def _rules(problem: RosterProblem) -> list[Relief]:
    found, weeks = [], math.ceil(problem.days / WEEK_DAYS)
    for rule, notch, loosen in NOTCHES:
        changed = {
            number: person._replace(terms=looser)
            for number, person in enumerate(problem.people)
            if (looser := loosen(person.terms, weeks)) != person.terms
        }
        if changed:
            found.append(Relief("rule", (rule, notch), _with_people(problem, changed), rule=rule))
    return found


def _hiring(scenario: Scenario, people: Sequence[Employee], problem: RosterProblem) -> list[Relief]:
    """One person more in each group, on the terms of the one with the fewest days away; recruited and trained once."""
    found = []
    recruiting = scenario.costs.recruiting
    once = scenario.coefficient("recruiting_cost") if recruiting is None else recruiting
    for group, members in _by_group(people).items():
        like = min(members, key=lambda n: (len(people[n].leave), people[n].windows is not None, n))
        person = problem.people[like]._replace(id=f"{group} +1", requests=(), circle=None)
        changed = problem._replace(people=(*problem.people, person))
        weekly = scenario.groups[group].hours_per_week * scenario.groups[group].cost_per_hour
        trained = weekly * scenario.coefficient("training_weeks")
        found.append(Relief("person", (group,), changed, one_off=once + trained, amount=1))
    return found
