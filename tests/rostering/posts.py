"""Small rosters with emotional work: shifts of four hours, half of the time on the queue emotional at the usual post."""

from lines import solved

from planner.rostering.problem import (
    Duty,
    NamedRoster,
    Need,
    Outcome,
    Pause,
    Person,
    Post,
    RosterProblem,
    Terms,
    Work,
)
from planner.rostering.rules import BY_NAME

ALL, CLAIMS, BILLS = 0, 1, 2
POSTS = (
    Post("all", share=(500,)),
    Post("claims", frozenset({"claims"}), emotional=True, share=(1000,)),
    Post("bills", frozenset({"bills"})),
)
TEA = Pause("tea", 15, True, 45, 195)
REST = Pause("rest", 15, True, 45, 210, "decompression")
PLAIN = Duty("D", 480, 240, 240, (TEA,))
RESTED = Duty("R", 480, 240, 240, (REST,))
BOTH = Duty("B", 480, 240, 240, (TEA, REST))
BARE = Duty("X", 480, 240, 240)
DUTIES = (PLAIN, RESTED, BOTH, BARE)


def needs(day: int = 0, *, skill: str | None = None, at=range(480, 720, 15), under=10) -> tuple[Need, ...]:
    """Somebody wanted in each of these quarters of an hour."""
    skills = frozenset({skill}) if skill else frozenset()
    return tuple(Need(day, 1, under, 0, None, start, 15, skills) for start in at)


def problem(
    terms: Terms, *wanted: Need, duties: str = "DRBX", days: int = 1, posts=(ALL,), people=1, **more
) -> RosterProblem:
    """Alike people who may work these duties at these posts."""
    numbers = tuple("DRBX".index(kind) for kind in duties)
    skills = frozenset({"claims", "bills"})
    who = tuple(
        Person(name, skills, (numbers,) * days, terms, posts=posts) for name in ("Ann", "Bob")[:people]
    )
    more = {"posts": POSTS, **more}
    return RosterProblem(days, 0, DUTIES, who, wanted, **more)


def work(*given: Work) -> NamedRoster:
    return NamedRoster(given)


def broken(rule: str, one: RosterProblem, *given: Work) -> list[tuple[int | None, int]]:
    """Where the rule alone is broken, and by how much; what it says names the person."""
    found = BY_NAME[rule].check(one, NamedRoster(given))
    assert all(b.rule == rule and one.people[b.person].id in b.text for b in found)
    return [(b.day, b.by) for b in found]


def best(one: RosterProblem) -> Outcome:
    """The cheapest roster, proven."""
    outcome, found = solved(one)
    assert (outcome.status, found.hard) == ("optimal", ())
    return outcome
