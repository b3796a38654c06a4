"""Small rosters written as one line a person: a letter for the kind of duty, - for a day off."""

from planner.rostering.model import solve
from planner.rostering.problem import (
    Before,
    Duty,
    NamedRoster,
    Need,
    Outcome,
    Person,
    RosterProblem,
    Terms,
    Work,
)
from planner.rostering.rules import BY_NAME
from planner.rostering.validate import Audit, validate

DUTIES = (
    Duty("D", 8 * 60, 480, 450),
    Duty("L", 14 * 60, 480, 480),
    Duty("N", 22 * 60, 480, 480),
)
KINDS = "DLN"


def person(terms: Terms, days: int, name: str = "Ann", kinds: str = "DLN", leave=(), **more) -> Person:
    allowed = tuple(KINDS.index(kind) for kind in kinds)
    duties = tuple(() if day in leave else allowed for day in range(days))
    return Person(name, more.pop("skills", frozenset()), duties, terms, **more)


def alone(
    terms: Terms, wanted: str, *, under=10, prices=None, first_weekday=0, before=Before(), **more
) -> RosterProblem:
    """One person, and one wanted for a kind of duty on each day that has a letter."""
    who = person(terms, len(wanted), before=before, **more)
    needs = tuple(Need(day, 1, under, under, kind) for day, kind in enumerate(wanted) if kind != "-")
    return RosterProblem(len(wanted), first_weekday, DUTIES, (who,), needs, prices or {})


def circle(wanted: str, *people: Person, under=10, first_weekday=0, **more) -> RosterProblem:
    """People of one circle, and as many of them wanted for a kind of duty as it has letters on a day: `DN,-,D`."""
    days = wanted.split(",")
    who = people or (person(Terms(), len(days)), person(Terms(), len(days), "Bob"))
    needs = tuple(
        Need(day, kinds.count(kind), under, under, kind)
        for day, kinds in enumerate(days)
        for kind in KINDS
        if kind in kinds
    )
    alike = tuple(one._replace(circle=0) for one in who)
    return RosterProblem(len(days), first_weekday, DUTIES, alike, needs, **more)


def roster(*lines: str) -> NamedRoster:
    work = [
        Work(who, day, KINDS.index(kind))
        for who, line in enumerate(lines)
        for day, kind in enumerate(line)
        if kind != "-"
    ]
    return NamedRoster(tuple(work))


def line(outcome: Outcome, problem: RosterProblem, who: int = 0) -> str:
    days = ["-"] * problem.days
    for work in outcome.roster.work:
        if work.person == who:
            days[work.day] = problem.duties[work.duty].kind
    return "".join(days)


def broken(rule: str, problem: RosterProblem, *lines: str) -> list[tuple[int, int | None, int]]:
    """Where the rule alone is broken, and by how much; what it says names the person."""
    found = BY_NAME[rule].check(problem, roster(*lines))
    assert all(b.rule == rule and problem.people[b.person].id in b.text for b in found)
    return [(b.person, b.day, b.by) for b in found]


def solved(problem: RosterProblem, **how) -> tuple[Outcome, Audit]:
    """The outcome, whose claims the validator confirms."""
    outcome = solve(problem, seconds=20, workers=1, **how)
    found = validate(problem, outcome)
    assert found.claims == ()
    return outcome, found


def optimum(problem: RosterProblem, **how) -> float:
    """The cost of a roster that is proven to be the cheapest and breaks no hard rule."""
    outcome, found = solved(problem, **how)
    assert outcome.status == "optimal"
    assert found.hard == ()
    return outcome.objective


def in_vain(problem: RosterProblem, **how) -> list[str]:
    """The hard rules broken where not all of them can hold: the roster is told, never refused."""
    outcome, found = solved(problem, **how)
    assert outcome.status == "none"
    return [b.rule for b in found.hard]
