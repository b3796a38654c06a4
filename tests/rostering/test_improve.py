"""The compiled search: as cheap as every roster there is, never worse than its start, the same for the same seed, and what it refuses."""

import json
from pathlib import Path

import pytest
from lines import DUTIES, person, roster
from test_roster_model import SEEDS, cheapest_by_hand, tiny

from benchmarks import contact_centre
from planner import jobs
from planner.plan import as_is_roster
from planner.rostering.improve import NotForThis, improve
from planner.rostering.people import needs_of_cover, problem_of
from planner.rostering.problem import NamedRoster, Need, RosterProblem, Terms
from planner.rostering.validate import audit

SHARED = Path(__file__).parents[3] / "shared" / "validation" / "rostering" / "contact-centre-200.json"


def one_price(seed: int) -> RosterProblem:
    """A tiny problem whose needs of the clock last an hour and whose needs all cost the same."""
    problem = tiny(seed)
    needs = {
        (n.day, n.kind, n.start_min, n.skills): n._replace(
            under=9, over=2, minutes=60 if n.kind is None else 0
        )
        for n in problem.needs
    }
    prices = {name: price for name, price in problem.prices.items() if name != "allowed_duties"}
    return problem._replace(needs=tuple(needs.values()), prices=prices)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_roster_at_all_is_cheaper(seed):
    problem = one_price(seed)
    best = cheapest_by_hand(problem)
    found = audit(problem, improve(problem, moves=60_000, seed=seed, starts=2))
    if best is None:
        assert found.hard
    else:
        assert found.hard == ()
        assert found.objective == best


def test_most_tiny_problems_have_a_roster():
    assert sum(cheapest_by_hand(one_price(seed)) is not None for seed in SEEDS) >= 20


def covered() -> RosterProblem:
    needs = tuple(Need(day, 1, 10, 1, kind) for day in range(5) for kind in "DL")
    people = tuple(
        person(Terms(least_rest_min=660, most_in_a_row=3), 5, name) for name in ("Ann", "Bob", "Cem")
    )
    return RosterProblem(5, 0, DUTIES, people, needs)


def test_the_same_seed_gives_the_same_roster():
    problem = covered()
    assert improve(problem, moves=5_000, seed=3, starts=2) == improve(problem, moves=5_000, seed=3, starts=2)


def test_a_start_is_never_made_worse():
    problem = covered()
    good = improve(problem, moves=50_000, seed=1)
    assert audit(problem, good).objective == 0
    assert improve(problem, good, moves=1, seed=2) == good
    start = roster("DDD--", "LLL--", "-----")
    better = improve(problem, start, moves=50_000, seed=1)
    assert audit(problem, better).objective < audit(problem, start).objective


def test_what_it_cannot_judge_is_refused():
    problem = covered()
    for needs, why in (
        ((Need(0, 1, 9, 1, None, 480, 60), Need(0, 1, 9, 1, None, 540, 120)), "needs of 120 minutes"),
        ((Need(0, 1, 9, 1, "D"), Need(0, 1, 8, 1, "D", skills=frozenset("a"))), "different prices"),
        (tuple(Need(0, 1, 9, 1, "D", skills=frozenset(s)) for s in "abcdefg"), "7 different sets of skills"),
    ):
        with pytest.raises(NotForThis, match=why):
            improve(problem._replace(needs=needs), moves=10)


def test_nobody_and_nothing():
    nobody = covered()._replace(people=())
    assert improve(nobody, moves=10) == NamedRoster(())
    assert improve(covered()._replace(needs=()), moves=1_000).work == ()


@pytest.mark.parametrize("name", ["bank-1999", "utility"])
def test_people_of_a_shipped_scenario_get_a_roster_with_no_hard_rule_broken(name):
    """To cover the people of today's own roster; contracts, rest, days and leave hold."""
    scenario = jobs.load(name).value
    today = as_is_roster(scenario).cover(
        len(scenario.groups), scenario.horizon.days, scenario.horizon.interval_min
    )
    problem = problem_of(scenario, needs_of_cover(scenario, today))
    found = audit(problem, improve(problem, moves=2_000_000, seed=1))
    assert found.hard == ()
    asked = sum(need.people for need in problem.needs)
    assert sum(one.short for one in found.met) < 0.15 * asked


def test_a_shift_too_many_is_no_way_to_fill_a_contract():
    """Three short shifts are fewer minutes than the contract has: broken is the contract, not the limit on shifts."""
    problem = covered()
    people = tuple(one._replace(terms=Terms(least_paid_min=2_000, most_shifts=3)) for one in problem.people)
    found = audit(
        problem._replace(people=people), improve(problem._replace(people=people), moves=50_000, seed=1)
    )
    assert {broken.rule for broken in found.hard} == {"least_paid"}


@pytest.mark.validation
def test_a_contact_centres_week_is_scored_alike_and_well():
    if not SHARED.exists():
        pytest.skip("the reference data are not beside the project")
    found = contact_centre.run(SHARED, 0.0, seed=1, starts=1, moves=4_000_000)
    assert found["hard_rules_broken"] == 0
    assert found["validator_agrees"]
    assert found["objective"] <= 5_482, (
        "the linear programme with exact breaks, whose rules are broken nine times"
    )
    file = json.loads(SHARED.read_text(encoding="utf-8"))
    problem = contact_centre.problem_of(file)
    empty = contact_centre.score(file, problem, NamedRoster(()))
    assert empty == (8 * sum(map(sum, file["required"].values())), len(problem.people))
