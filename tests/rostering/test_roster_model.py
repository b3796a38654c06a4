"""The optimiser against every roster there is, on tiny problems; parts of a roster, contradictions, and the same seed twice."""

import itertools

import numpy as np
import pytest
from lines import DUTIES, alone, in_vain, line, person, roster, solved

from planner.rostering.model import solve
from planner.rostering.problem import (
    Before,
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
from planner.rostering.rules import FAIR, NEVER_PRICED, RULES
from planner.rostering.validate import audit

AMONG_SEVERAL = (*FAIR, "changes", "leave", "locked", "newcomers")
"""Rules of `shared`, which `tiny` has nothing for."""
PRICEABLE = sorted({rule.NAME for rule in RULES} - NEVER_PRICED - set(AMONG_SEVERAL))
SKILLS = (frozenset(), frozenset("a"), frozenset("b"), frozenset("ab"))


def tiny(seed: int) -> RosterProblem:
    """Two or three people, three or four days, two duties, and a few of everything at random."""
    rng = np.random.default_rng(seed)
    pick = lambda *values: values[rng.integers(len(values))]  # noqa: E731
    days = int(rng.integers(3, 5))
    people = int(rng.integers(2, 4)) if days == 3 else 2
    tea = Pause("tea", 60, True, 120, int(pick(120, 180)))
    kinds = ("D", pick("D", "L"))
    duties = (
        Duty(kinds[0], 480, 480, 450, (tea,) if rng.random() < 0.6 else ()),
        Duty(kinds[1], int(pick(900, 1320, 1320)), 480, 480),
    )

    def terms() -> Terms:
        return Terms(
            least_paid_min=int(pick(0, 0, 450, 900)),
            most_paid_min=pick(None, None, 960, 1400),
            least_shifts=int(pick(0, 0, 1, 2)),
            most_shifts=pick(None, None, 2, 3),
            most_of_kind={kinds[1]: int(rng.integers(3))} if rng.random() < 0.4 else {},
            least_rest_min=int(pick(0, 660, 660, 1500)),
            least_in_a_row=int(pick(1, 1, 2, 3)),
            most_in_a_row=pick(None, 1, 2, 3),
            least_off_in_a_row=int(pick(1, 1, 2)),
            most_weekends=pick(None, 0, 1),
            most_nights_in_a_row=pick(None, 1, 2),
            forbidden=frozenset({(kinds[1], kinds[0])}) if rng.random() < 0.4 else frozenset(),
        )

    def somebody(name: str) -> Person:
        requests = tuple(
            Request(
                int(rng.integers(days)), pick(None, *kinds), bool(rng.integers(2)), int(rng.integers(1, 6))
            )
            for _ in range(rng.integers(3))
        )
        allowed = tuple(pick((0, 1), (0, 1), (0,), (1,), ()) for _ in range(days))
        before = pick(
            Before(), Before(1, 1320 - 1440, kinds[1]), Before(2, 360, kinds[1], 2), Before(1, -480, kinds[0])
        )
        dislike = {1: int(rng.integers(4))} if rng.random() < 0.3 else {}
        return Person(name, pick(*SKILLS), allowed, terms(), requests, before, dislike)

    def need() -> Need:
        day, n, under, over = (int(rng.integers(high)) for high in (days, 3, 12, 6))
        if rng.random() < 0.5:
            return Need(day, n, under, over, pick(*kinds), skills=pick(*SKILLS))
        at = int(pick(600, 660, 1020, 1440))
        return Need(day, n, under, over, None, at, int(pick(60, 60, 120)), pick(*SKILLS))

    prices = {
        str(name): int(rng.integers(1, 9))
        for name in rng.choice(PRICEABLE, rng.integers(0, 8), replace=False)
    }
    if "least_paid" in prices or "most_paid" in prices or "rest" in prices:
        prices |= {name: 1 for name in ("least_paid", "most_paid", "rest") if name in prices}
    who = tuple(somebody(name) for name in ("Ann", "Bob", "Cem")[:people])
    needs = tuple(need() for _ in range(rng.integers(3, 7)))
    return RosterProblem(days, int(pick(0, 3, 5, 6)), duties, who, needs, prices)


def shared(seed: int) -> RosterProblem:
    """A tiny problem with circles, posts, leave, newcomers, and a published roster of which some is locked."""
    rng = np.random.default_rng(3000 + seed)
    pick = lambda *values: values[rng.integers(len(values))]  # noqa: E731
    problem = tiny(seed)
    cells = [(p, d) for p in range(len(problem.people)) for d in range(problem.days)]
    published = tuple(
        Work(*cell, duty, tuple(pause.earliest_min + 480 for pause in problem.duties[duty].pauses))
        for cell in cells
        if (duty := int(rng.integers(-1, 2))) >= 0
    )

    def terms(of: Terms) -> Terms:
        if rng.random() < 0.7:  # or else little is left to share
            of = of._replace(least_paid_min=0, least_shifts=0, most_weekends=None, least_in_a_row=1)
        return of._replace(only_kinds=frozenset("D") if rng.random() < 0.3 else None)

    people = tuple(
        one._replace(
            posts=pick((0,), (0, 1), (1,), (2, 0), ()),
            circle=pick(0, 0, 0, 0, None),
            leave=frozenset(d for d in range(problem.days) if rng.random() < 0.1),
            terms=terms(one.terms),
        )
        for one in problem.people
    )
    shares = [tuple(int(n) for n in rng.integers(0, 400, pick(1, 32, 96))) for _ in range(2)]
    hard = {str(name) for name in rng.choice(AMONG_SEVERAL, 3, replace=False)} - {"changes"}
    return problem._replace(
        people=people,
        prices=problem.prices
        | {name: int(rng.integers(1, 9)) for name in AMONG_SEVERAL if name not in hard}
        | {"changes": int(rng.integers(2))},
        posts=(Post("calls", share=shares[0]), Post("chats", share=shares[1]), Post("mail")),
        spread={name: int(rng.integers(2)) * (60 if name == "fair_exposure" else 1) for name in FAIR},
        published=NamedRoster(published),
        locked=frozenset(cell for cell in cells if rng.random() < 0.1),
    )


def every_choice(problem: RosterProblem) -> list[list[Work | None]]:
    """All that each person may do on each day, with all starts of the pause on the hour, or on the quarter where there are posts."""
    step = 15 if problem.posts else 60
    choices: list[list[Work | None]] = []
    for number, who in enumerate(problem.people):
        for day, allowed in enumerate(who.duties):
            cell: list[Work | None] = [None]
            for duty in range(len(problem.duties)) if "allowed_duties" in problem.prices else allowed:
                given = problem.duties[duty]
                starts: list[tuple[int, ...]] = [()]
                for tea in given.pauses:
                    first, last = given.start_min + tea.earliest_min, given.start_min + tea.latest_min
                    starts = [(at,) for at in range(first, last + 1, step)]
                posts = (
                    itertools.product(who.posts, repeat=1 + len(given.pauses)) if len(who.posts) > 1 else [()]
                )
                cell += [Work(number, day, duty, *how) for how in itertools.product(starts, posts)]
            choices.append(cell)
    return choices


def every_roster(problem: RosterProblem):
    """All of them."""
    for work in itertools.product(*every_choice(problem)):
        yield NamedRoster(tuple(one for one in work if one))


def cheapest_by_hand(problem: RosterProblem) -> int | None:
    """The least cost of all rosters that break no hard rule; None where there is none."""
    hard = [rule for rule in RULES if rule.NAME not in problem.prices]
    best = None
    for one in every_roster(problem):
        if not any(rule.check(problem, one) for rule in hard):
            cost = audit(problem, one).objective
            best = cost if best is None else min(best, cost)
    return best


def size(problem: RosterProblem) -> int:
    return int(
        np.prod(
            [
                1
                + sum(
                    1 + bool(problem.duties[duty].pauses)
                    for duty in (allowed if "allowed_duties" not in problem.prices else (0, 1))
                )
                for who in problem.people
                for allowed in who.duties
            ]
        )
    )


SEEDS = [seed for seed in range(120) if size(tiny(seed)) <= 1500][:40]
SHARED_SEEDS = [
    seed for seed in range(200) if 400 <= np.prod([len(c) for c in every_choice(shared(seed))]) <= 9000
][:30]


@pytest.mark.parametrize(
    ("make", "seed"), [*((tiny, seed) for seed in SEEDS), *((shared, seed) for seed in SHARED_SEEDS)]
)
def test_no_roster_at_all_is_cheaper(make, seed):
    problem = make(seed)
    outcome, found = solved(problem, seed=seed)
    best = cheapest_by_hand(problem)
    if best is None:
        assert outcome.status == "none"
        assert found.hard
    else:
        assert outcome.status == "optimal"
        assert outcome.objective == outcome.bound == best


def test_tiny_problems_are_of_all_sorts():
    problems = [tiny(seed) for seed in SEEDS]
    assert len(problems) == 40
    assert {name for problem in problems for name in problem.prices} >= {"rest", "weekends", "least_in_a_row"}
    impossible = sum(cheapest_by_hand(problem) is None for problem in problems)
    assert 2 <= impossible <= 30


def test_problems_among_several_are_of_all_sorts():
    problems = [shared(seed) for seed in SHARED_SEEDS]
    assert len(problems) == 30
    assert {name for problem in problems for name in problem.prices} >= set(AMONG_SEVERAL)
    for rule in FAIR:
        costs = ([solve(p, seconds=20, workers=1) for p in (one, _without(one, rule))] for one in problems)
        binding = (
            bound.objective > free.objective
            for bound, free in costs
            if bound.status == free.status == "optimal"
        )
        assert any(binding), rule


def _without(problem: RosterProblem, rule: str) -> RosterProblem:
    return problem._replace(spread={name: most for name, most in problem.spread.items() if name != rule})


def test_the_rest_of_a_roster_stays_and_the_objective_is_that_of_all():
    two = RosterProblem(
        3,
        0,
        DUTIES,
        (person(Terms(), 3), person(Terms(), 3, "Bob")),
        tuple(Need(d, 1, 10, 3, "D") for d in range(3)),
    )
    outcome, _ = solved(two, start=roster("LL-", "---"), free={(0, 0), (1, 0), (1, 1)})
    assert outcome.objective == 10
    assert outcome.status == "optimal"
    assert line(outcome, two)[1:] == "L-"
    assert line(outcome, two, 1)[1:] == "D-"
    everything, _ = solved(two, start=roster("LL-", "---"))
    assert everything.objective == 0


def test_the_kept_part_keeps_its_breaks_and_counts_with_them():
    tea = Pause("tea", 60, True, 60, 180)
    duties = (Duty("D", 480, 480, 480, (tea,)),)
    people = tuple(Person(name, frozenset(), ((0,),), Terms()) for name in ("Ann", "Bob"))
    needs = tuple(Need(0, 1, 10, 0, None, at, 60) for at in (540, 600, 660))
    problem = RosterProblem(1, 0, duties, people, needs)
    start = NamedRoster((Work(0, 0, 0, (600,)),))
    outcome, _ = solved(problem, start=start, free={(1, 0)})
    assert outcome.roster.work[0] == start.work[0]
    assert outcome.objective == 0
    assert outcome.roster.work[1].pauses in ((540,), (660,))


def test_a_start_is_never_made_worse_even_without_time():
    problem = alone(Terms(), "DLDLDLD")
    outcome = solve(problem, seconds=0.0, start=roster("DLDLDL-"))
    assert outcome.objective == 10
    assert outcome.status == "feasible"
    assert audit(problem, outcome.roster).hard == ()


def test_without_time_or_start_there_is_still_a_roster_that_says_what_it_breaks():
    problem = alone(Terms(least_shifts=1), "DLD")
    outcome = solve(problem, seconds=0.0)
    assert outcome.roster == NamedRoster(())
    assert outcome.status == "none"
    assert (outcome.objective, outcome.bound) == (30, 0)


def test_a_start_that_breaks_less_than_what_was_found_is_returned():
    problem = alone(Terms(least_shifts=4), "DLD-")
    outcome = solve(problem, seconds=0.0, start=roster("DLD-"))
    assert outcome.roster == roster("DLD-")
    assert (outcome.status, outcome.objective) == ("none", 0)


def test_what_is_wrong_in_the_fixed_part_does_not_stop_the_rest():
    people = (person(Terms(most_shifts=1), 3), person(Terms(), 3, "Bob"))
    problem = RosterProblem(3, 0, DUTIES, people, tuple(Need(d, 2, 10, 0, "D") for d in range(3)))
    outcome, found = solved(problem, start=roster("DDD", "---"), free={(1, 0), (1, 1), (1, 2)})
    assert [b.person for b in found.hard] == [0]
    assert (outcome.status, outcome.objective, outcome.bound) == ("none", 0, 0)


def test_as_few_rules_as_can_be_are_broken_then_by_as_little_then_it_is_cheap():
    # Five shifts are due, two in a row at most: in five days one of the two breaks. Cheaper by the number of places:
    # the shifts missing are one place, the windows of three days are three.
    terms = Terms(least_shifts=5, most_in_a_row=2)
    outcome, found = solved(alone(terms, "DD-DD"))
    assert [(b.rule, b.by) for b in found.hard] == [("least_shifts", 1)]
    assert outcome.objective == 0
    assert line(outcome, alone(terms, "DD-DD")) == "DD-DD"


def test_rules_that_bind_one_person_do_not_cost_another_theirs():
    people = (person(Terms(least_shifts=4), 3), person(Terms(most_shifts=1), 3, "Bob"))
    problem = RosterProblem(3, 0, DUTIES, people, tuple(Need(d, 2, 10, 0, "D") for d in range(3)))
    outcome, found = solved(problem)
    assert [(b.rule, b.person) for b in found.hard] == [("least_shifts", 0)]
    assert outcome.objective == outcome.bound == 20


def test_who_could_count_for_several_needs_counts_for_one():
    both = frozenset("ab")
    people = tuple(
        person(Terms(), 1, name, skills=skills) for name, skills in (("Ann", both), ("Bob", frozenset("a")))
    )
    needs = (
        Need(0, 1, 10, 1, "D", skills=frozenset("a")),
        Need(0, 1, 10, 1, "D", skills=frozenset("b")),
        Need(0, 1, 4, 1, "D"),
    )
    problem = RosterProblem(1, 0, DUTIES, people, needs)
    outcome, found = solved(problem)
    assert outcome.objective == 4
    assert [(m.short, m.over) for m in found.met] == [(0, 0), (0, 0), (1, 0)]


def test_a_night_covers_the_next_morning():
    problem = alone(Terms(), "N--")
    problem = problem._replace(needs=(Need(1, 1, 10, 0, None, 60, 60), Need(0, 1, 10, 0, None, 1500, 60)))
    outcome, _ = solved(problem)
    assert outcome.objective == 10  # the same hour twice, for one person
    assert line(outcome, problem) == "N--"


def test_the_same_seed_gives_the_same_roster():
    problem = RosterProblem(
        7,
        0,
        DUTIES,
        tuple(
            person(Terms(most_shifts=4, most_in_a_row=3, least_rest_min=660), 7, f"P{n}") for n in range(6)
        ),
        tuple(Need(d, 2, 10, 1, kind) for d in range(7) for kind in "DLN"),
    )
    first, second = (solve(problem, seconds=3, seed=5, workers=4, repeatable=True) for _ in range(2))
    assert first.roster == second.roster
    assert (first.objective, first.bound) == (second.objective, second.bound)


def test_what_does_not_exist_is_refused_in_one_line():
    problem = alone(Terms(), "D")
    with pytest.raises(ValueError, match="work that the problem does not have"):
        solve(problem, seconds=1, start=NamedRoster((Work(0, 7, 0),)))
    with pytest.raises(ValueError, match="only where the rest is given"):
        solve(problem, seconds=1, free={(0, 0)})


def test_nobody_and_nothing_to_do_is_a_roster_too():
    outcome, _ = solved(RosterProblem(2, 0, DUTIES, (), (Need(0, 2, 3, 1, "D"),)))
    assert (outcome.status, outcome.objective) == ("optimal", 6)
    assert in_vain(alone(Terms(least_shifts=1), "---", leave=(0, 1, 2))) == ["least_shifts"]
