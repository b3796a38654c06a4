"""The people of a need who are needed most: dearer when short, in the validator, the optimiser, the bound and every roster by hand."""

from itertools import product

import numpy as np
import pytest
from lines import DUTIES, person, roster, solved
from test_roster_model import SEEDS, cheapest_by_hand, tiny

from planner.rostering.cover import groups, split
from planner.rostering.problem import Need, RosterProblem, Terms
from planner.rostering.tours import bound
from planner.rostering.validate import audit


def with_cores(seed: int) -> RosterProblem:
    rng = np.random.default_rng(seed + 1000)
    problem = tiny(seed)
    needs = tuple(
        n._replace(people=n.people + 1, core=int(rng.integers(n.people + 2)), core_under=int(rng.integers(9)))
        for n in problem.needs
    )
    return problem._replace(needs=needs)


def test_only_the_last_ones_missing_cost_more():
    need = Need(0, 3, 10, 1, "D", core=2, core_under=5)
    assert [need.price(short, 0) for short in range(4)] == [0, 10, 25, 40]
    assert need.price(0, 2) == 2
    problem = RosterProblem(1, 0, DUTIES, (person(Terms(), 1),), (need,))
    assert audit(problem, roster("D")).objective == 25
    assert audit(problem, roster("-")).objective == 40


def test_people_missing_are_spread_over_days():
    needs = tuple(Need(day, 2, 10, 0, "D", core=1, core_under=1) for day in range(2))
    people = tuple(person(Terms(most_shifts=1), 2, name) for name in ("Ann", "Bob"))
    outcome, found = solved(RosterProblem(2, 0, DUTIES, people, needs))
    assert outcome.objective == 20
    assert [met.short for met in found.met] == [1, 1]


@pytest.mark.parametrize("seed", SEEDS[:24])
def test_no_roster_at_all_is_cheaper(seed):
    problem = with_cores(seed)
    best = cheapest_by_hand(problem)
    if best is not None:
        outcome, _ = solved(problem)
        assert outcome.objective == best
        assert bound(problem).cost <= best


@pytest.mark.parametrize("seed", range(30))
def test_people_are_shared_out_as_cheaply_as_in_any_way(seed):
    rng = np.random.default_rng(seed)
    needs = [
        Need(
            0,
            int(rng.integers(4)),
            int(rng.integers(1, 9)),
            int(rng.integers(3)),
            "D",
            skills=frozenset(name),
        )
        for name in ("a", "b", "ab")
    ]
    needs = [n._replace(core=int(rng.integers(n.people + 1)), core_under=int(rng.integers(9))) for n in needs]
    (group,) = groups(needs)
    sorts = [(0, 2), (1, 2), (0, 1, 2)]
    people = {sort: int(rng.integers(3)) for sort in sorts}
    met = split(needs, [(group, people)])
    each = [sort for sort, n in people.items() for _ in range(n)]
    ways = (
        (np.bincount(np.array(way, np.int64), minlength=3) for way in product(*each))
        if each
        else [np.zeros(3, int)]
    )
    cheapest = min(
        sum(
            n.price(max(0, n.people - int(k)), max(0, int(k) - n.people))
            for n, k in zip(needs, way, strict=True)
        )
        for way in ways
    )
    assert sum(needs[m.need].price(m.short, m.over) for m in met) == cheapest
