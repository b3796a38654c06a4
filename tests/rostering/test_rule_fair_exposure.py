"""Emotional work shared fairly within a circle: minutes on the queue times the post's share at their time."""

import pytest
from lines import broken, circle, in_vain, optimum, person, roster

from planner.rostering.model import solve
from planner.rostering.problem import (
    DAY_MIN,
    Duty,
    NamedRoster,
    Pause,
    Person,
    Post,
    RosterProblem,
    Terms,
    Work,
)
from planner.rostering.rules import fair_exposure
from planner.rostering.validate import validate

RULE = "fair_exposure"
TENTH = (Post("calls", share=(100,)), Post("mail"))
"""Of eight hours 48 minutes are emotional on calls, none on mail."""


def pair(*posts: tuple[int, ...], days: int = 2) -> tuple[Person, ...]:
    return tuple(
        person(Terms(), days, name, posts=own) for name, own in zip(("Ann", "Bob"), posts, strict=True)
    )


def test_the_most_less_the_least():
    problem = circle("D,D", *pair((0,), (0,)), posts=TENTH, spread={RULE: 40})
    assert broken(RULE, problem, "D-", "-L") == []
    assert broken(RULE, problem, "D-", "--") == [(0, None, 8)]
    assert broken(RULE, problem, "--", "LL") == [(1, None, 56)]


def test_at_a_post_without_a_share_or_without_posts_nobody_is_exposed():
    for posts in ((1, 0), ()):
        problem = circle("D,D", *pair((0,), posts), posts=TENTH, spread={RULE: 0})
        assert broken(RULE, problem, "--", "DD") == []
        assert broken(RULE, problem, "D-", "DD") == [(0, None, 48)]


def test_minutes_are_rounded_down_for_each_person():
    odd = (Post("calls", share=(2,)), Post("chats", share=(4,)))  # 0.96 and 1.92 minutes of eight hours
    problem = circle("D,D", *pair((0,), (1,)), posts=odd, spread={RULE: 0})
    assert broken(RULE, problem, "D-", "D-") == [(1, None, 1)]
    assert broken(RULE, problem, "DD", "D-") == []
    assert optimum(circle("DD", *pair((0,), (1,), days=1), posts=odd, spread={RULE: 0})) == 10
    assert optimum(circle("DD,D", *pair((0,), (1,)), posts=odd, spread={RULE: 0})) == 0


def test_the_share_is_that_of_the_time():
    """Only the two hours after the second midnight are emotional, which the first night covers."""
    share = tuple(1000 if DAY_MIN <= slot * 15 < DAY_MIN + 120 else 0 for slot in range(2 * 96))
    problem = circle("N,N", *pair((0,), (0,)), posts=(Post("calls", share=share),), spread={RULE: 0})
    assert broken(RULE, problem, "N-", "--") == [(0, None, 120)]
    assert broken(RULE, problem, "-N", "--") == []
    assert broken(RULE, problem, "L-", "DD") == []


HOURS = tuple(800 if hour == 10 else 100 for hour in range(24) for _ in range(4))
TEA = Pause("tea", 60, True, 0, 180)


def with_tea(**more) -> RosterProblem:
    """Both work from eight to noon, with an hour of tea; calls from ten to eleven are hard."""
    duty = Duty("D", 480, 240, 240, (TEA,))
    people = tuple(
        Person(name, frozenset(), ((0,),), Terms(least_shifts=1), posts=(0, 1), circle=0)
        for name in ("Ann", "Bob")
    )
    posts = (Post("calls", share=HOURS), Post("mail"))
    return RosterProblem(1, 0, (duty,), people, (), posts=posts, spread={RULE: 0}, **more)


def test_the_pause_and_the_post_of_each_stretch_decide():
    problem = with_tea()

    def beyond(*work: Work) -> int:
        return sum(b.by for b in fair_exposure.check(problem, NamedRoster(work)))

    assert beyond(Work(0, 0, 0, (600,)), Work(1, 0, 0, (480,))) == 60 - 18
    assert beyond(Work(0, 0, 0, (630,)), Work(1, 0, 0, (630,))) == 0
    assert beyond(Work(0, 0, 0, (540,), (1, 0)), Work(1, 0, 0, (600,), (0, 0))) == 54 - 18
    assert beyond(Work(0, 0, 0, (540,), (1, 1)), Work(1, 0, 0, (600,), (0, 1))) == 12


def test_the_optimiser_places_pauses_alike_though_no_need_asks():
    assert optimum(with_tea()) == 0
    fixed = NamedRoster((Work(0, 0, 0, (600,)),))
    outcome = solve(with_tea(), seconds=20, workers=1, start=fixed, free={(1, 0)})
    assert outcome.roster.work[1].pauses == (600,)
    assert outcome.status == "optimal"


def test_the_optimiser_chooses_posts_too():
    """Ann did mail before her tea and calls after it: so does Bob, or else one of them has more."""
    fixed = NamedRoster((Work(0, 0, 0, (600,), (1, 0)),))
    outcome = solve(with_tea(), seconds=20, workers=1, start=fixed, free={(1, 0)})
    assert outcome.status == "optimal"
    assert outcome.roster.work[1] == Work(1, 0, 0, (600,), (1, 0))


def test_fixed_work_counts_at_its_posts():
    """Ann did an hour of mail before her tea; Bob's least is at calls, with his tea at the hardest time: 12 minutes more."""
    fixed = NamedRoster((Work(0, 0, 0, (600,), (1, 0)),))
    problem = with_tea(prices={RULE: 3})
    only_calls = problem._replace(people=(problem.people[0], problem.people[1]._replace(posts=(0,))))
    outcome = solve(only_calls, seconds=20, workers=1, start=fixed, free={(1, 0)})
    assert validate(only_calls, outcome).claims == ()
    assert (outcome.status, outcome.objective) == ("optimal", 36)


@pytest.mark.parametrize(("price", "cost"), [(None, 20), ({RULE: 0}, 0), ({RULE: 1}, 18), ({RULE: 5}, 20)])
def test_the_optimiser_keeps_it_or_pays(price, cost):
    problem = circle("D,D", *pair((0,), (1,)), posts=TENTH, spread={RULE: 40}, prices=price or {})
    only_ann = problem._replace(people=(problem.people[0], problem.people[1]._replace(duties=((), ()))))
    assert optimum(problem) == 0
    assert optimum(only_ann) == cost


def test_exposure_that_is_fixed_is_told():
    problem = circle("D,D", *pair((0,), (0,)), posts=TENTH, spread={RULE: 0})
    assert in_vain(problem, start=roster("DD", "--"), free={(1, 0)}) == [RULE]
