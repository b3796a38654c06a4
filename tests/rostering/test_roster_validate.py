"""The validator: every amount by hand, the split of people among needs against all splits, and false claims."""

import itertools

import numpy as np
import pytest
from lines import alone, roster

from planner.rostering import cover
from planner.rostering.problem import (
    Duty,
    NamedRoster,
    Need,
    Outcome,
    Pause,
    Person,
    Request,
    RosterProblem,
    Terms,
    Work,
)
from planner.rostering.validate import audit, validate

PROBLEM = alone(
    Terms(most_shifts=1, most_weekends=0),
    "DDD",
    first_weekday=4,
    prices={"weekends": 7},
    requests=(
        Request(0, "D", True, 2),
        Request(0, "L", True, 3),
        Request(1, None, False, 5),
        Request(2, "N", False, 11),
    ),
    dislike={0: 1},
)


def test_every_amount_is_counted_by_hand():
    found = audit(PROBLEM, roster("DL-"))
    assert [b.rule for b in found.hard] == ["most_shifts"]
    assert [(b.rule, b.by) for b in found.soft] == [("weekends", 1)]
    assert (found.under, found.over, found.requests, found.disliked, found.broken) == (20, 0, 8, 1, 7)
    assert found.objective == 36
    assert found.refused == ((0, 1), (0, 2))
    assert [(m.need, m.short, m.over) for m in found.met] == [(0, 0, 0), (1, 1, 0), (2, 1, 0)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"objective": 35}, "objective 35, recomputed 36"),
        ({"bound": 37}, "bound 37 above the objective 36"),
        ({"status": "optimal"}, "status 'optimal', with 1 hard rules broken"),
        ({"status": "infeasible"}, "status 'infeasible', must be optimal, feasible or none"),
    ],
)
def test_false_claims_are_found(change, told):
    honest = Outcome(roster("DL-"), "none", 36, 30, 1.0, 0)
    assert validate(PROBLEM, honest).claims == ()
    assert told in validate(PROBLEM, honest._replace(**change)).claims


def test_optimal_needs_a_bound_and_none_a_broken_rule():
    honest = Outcome(roster("D--"), "feasible", 24, 20, 1.0, 0)
    assert validate(PROBLEM, honest).valid
    assert "with a bound of 20 below 24" in validate(PROBLEM, honest._replace(status="optimal")).claims[0]
    assert validate(PROBLEM, honest._replace(status="none")).claims == (
        "status 'none', with 0 hard rules broken",
    )


def test_work_that_does_not_exist_is_told_and_counts_for_nothing():
    strange = NamedRoster((Work(0, 0, 0), Work(3, 0, 0), Work(0, 9, 0), Work(0, 1, -1)))
    found = audit(PROBLEM, strange)
    assert sorted(b.text for b in found.hard) == [
        "no day 9, there are 3",
        "no duty -1, there are 3",
        "no person 3, there are 1",
    ]
    assert {b.rule for b in found.hard} == {"roster"}
    assert found.objective == audit(PROBLEM, roster("D--")).objective


@pytest.mark.parametrize("seed", range(30))
def test_the_split_is_the_cheapest_of_all(seed):
    rng = np.random.default_rng(seed)
    needs = [
        Need(
            0,
            int(rng.integers(4)),
            int(rng.integers(1, 9)),
            int(rng.integers(5)),
            "D",
            skills=frozenset(skills),
        )
        for skills in rng.choice(["", "a", "b", "c", "ab", "bc"], 3)
    ]
    (group,) = cover.groups(needs)
    people = ["".join(letter for letter in "abc" if rng.random() < 0.6) for _ in range(5)]
    able = [cover.served(needs, group, frozenset(skills)) for skills in people]
    counts = {one: able.count(one) for one in able}

    def cost(placed):
        excess = [placed.count(number) - need.people for number, need in enumerate(needs)]
        return sum(max(0, e) * n.over + max(0, -e) * n.under for e, n in zip(excess, needs, strict=True))

    met = cover.split(needs, [(group, counts)])
    best = min(cost(placed) for placed in itertools.product(*(one or (None,) for one in able)))
    assert sum(m.short * needs[m.need].under + m.over * needs[m.need].over for m in met) == best
    assert [m.need for m in met] == [0, 1, 2]


def test_presence_is_from_start_to_end_without_the_breaks():
    duty = Duty("D", 1200, 480, 480, (Pause("tea", 30, True, 60, 300),))
    problem = RosterProblem(2, 0, (duty,), (Person("Ann", frozenset(), ((0,), ()), Terms()),), ())
    at_work = NamedRoster((Work(0, 0, 0, (1410,)),))

    def short(day, start, minutes):
        return audit(problem._replace(needs=(Need(day, 1, 1, 0, None, start, minutes),)), at_work).under

    assert [short(0, start, 30) for start in (1170, 1200, 1380, 1410, 1440, 1650, 1680)] == [
        1,
        0,
        0,
        1,
        0,
        0,
        1,
    ]
    assert [short(1, start, 30) for start in (0, 210, 240)] == [0, 0, 1]
    assert short(0, 1380, 60) == 1
    assert short(1, 225, 30) == 1


def test_the_same_time_said_in_two_ways_is_one_time():
    needs = [Need(0, 1, 1, 1, None, 1500, 60), Need(1, 1, 1, 1, None, 60, 60), Need(1, 1, 1, 1, None, 60, 30)]
    assert [group.needs for group in cover.groups(needs)] == [(0, 1), (2,)]
