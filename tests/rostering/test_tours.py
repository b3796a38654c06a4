"""The bound of the linear programme: below every roster there is, tight where only cover matters, whatever the solver says."""

import numpy as np
import pytest
import test_roster_posts
from lines import DUTIES, person
from test_roster_model import SEEDS, cheapest_by_hand, tiny

from planner.rostering.problem import Duty, NamedRoster, Need, Pause, Person, RosterProblem, Terms, Work
from planner.rostering.tours import bound
from planner.rostering.validate import audit
from planner.schedule.lp import Matrix


@pytest.mark.parametrize("seed", SEEDS)
def test_no_roster_costs_less(seed):
    problem = tiny(seed)
    best = cheapest_by_hand(problem)
    if best is not None:
        assert bound(problem).cost <= best


def relieved(seed: int) -> RosterProblem:
    """Posts and pauses at random, and the shift also with less decompression."""
    problem = test_roster_posts.tiny(seed)
    fewer = tuple(pause for pause in problem.duties[0].pauses if pause.name != "rest")
    people = tuple(
        who._replace(duties=tuple((*day, 2) if 0 in day else day for day in who.duties))
        for who in problem.people
    )
    return problem._replace(duties=(*problem.duties, problem.duties[0]._replace(pauses=fewer)), people=people)


@pytest.mark.parametrize(
    "seed", [seed for seed in range(200) if test_roster_posts.size(relieved(seed)) <= 1500][:60]
)
def test_no_roster_with_posts_and_decompression_costs_less(seed):
    problem = relieved(seed)
    best = test_roster_posts.cheapest_by_hand(problem)
    if best is not None:
        assert bound(problem).cost <= best


def test_it_is_not_nothing():
    found = [(bound(tiny(seed)).cost, cheapest_by_hand(tiny(seed))) for seed in SEEDS]
    shares = [low / best for low, best in found if best]
    assert np.mean(shares) > 0.3


def test_people_missing_are_priced_exactly():
    people = tuple(person(Terms(most_shifts=2), 3, name) for name in ("Ann", "Bob"))
    needs = tuple(Need(day, 2, 10, 1, "D") for day in range(3))
    assert bound(RosterProblem(3, 0, DUTIES, people, needs)).cost == 20


def test_a_pause_takes_somebody_away_and_both_skills_help_only_once():
    duty = Duty("D", 480, 60, 45, (Pause("tea", 15, False, 15, 30),))
    people = tuple(
        Person(name, frozenset(skills), ((0,),), Terms()) for name, skills in (("Ann", "ab"), ("Bob", "a"))
    )
    needs = tuple(Need(0, 1, 10, 0, None, 480 + 15 * k, 15, frozenset(s)) for k in range(4) for s in "ab")
    assert bound(RosterProblem(1, 0, (duty,), people, needs)).cost == 20


def test_two_decompression_pauses_in_a_time_take_somebody_away_once():
    """One who must work is over in two quarter-hours and missed in the hour around them by nobody: both pauses lie there."""
    rest = Pause("rest", 15, True, 0, 240, "decompression")
    duties = tuple(Duty("D", 480, 240, 240, (rest,) * n) for n in (0, 2))
    people = (Person("Ann", frozenset(), ((0, 1),), Terms(least_shifts=1)),)
    needs = (Need(0, 0, 10, 0, None, 540, 60), *(Need(0, 0, 0, 10, None, at, 15) for at in (540, 585)))
    problem = RosterProblem(1, 0, duties, people, needs)
    roster = NamedRoster((Work(0, 0, 1, (540, 585)),))
    assert audit(problem, roster).hard == ()
    assert bound(problem).cost <= audit(problem, roster).objective == 0


def test_a_contract_that_nobody_can_fulfil_leaves_a_bound():
    who = person(Terms(least_paid_min=99_999, least_shifts=5), 2)
    problem = RosterProblem(2, 0, DUTIES, (who,), (Need(0, 2, 10, 1, "D"),))
    assert bound(problem).cost == 10
    assert bound(problem._replace(people=())).cost == 20
    assert bound(problem._replace(needs=())).complete


def test_prices_that_nobody_proved_prove_less_but_nothing_false():
    """Minimise 3 x + 2 y with x + y >= 4, x <= 3: 8, whatever multiplier is tried."""
    m = Matrix()
    x, y = m.columns(1, 3.0, most=3.0), m.columns(1, 2.0)
    row = m.rows(1, 4.0, np.inf)
    m.put(row, np.array([x[0], y[0]]), 1.0)
    assert m.proven(np.array([2.0])) == pytest.approx(8)
    for price in (-1.0, 0.0, 0.5, 1.9):
        assert m.proven(np.array([price])) <= 8
    assert m.proven(np.array([2.5])) == -np.inf
