"""Days in a row at most, counting those before the horizon."""

import pytest
from lines import alone, broken, in_vain, optimum, roster

from planner.rostering.problem import Before, Terms

RULE = "most_in_a_row"
THREE = Terms(most_in_a_row=3)


def test_the_days_beyond():
    problem = alone(THREE, "DDDDDDD")
    assert broken(RULE, problem, "DDD-DDD") == []
    assert broken(RULE, problem, "-DDDDD-") == [(0, 5, 2)]


@pytest.mark.parametrize(("earlier", "beyond", "cost"), [(0, 0, 0), (1, 1, 10), (3, 3, 10), (9, 3, 10)])
def test_days_before_the_horizon_count_and_those_beyond_its_own_do_not(earlier, beyond, cost):
    problem = alone(THREE, "DDD", before=Before(earlier))
    assert broken(RULE, problem, "DDD") == ([(0, 2, beyond)] if beyond else [])
    assert optimum(problem) == cost


def test_the_optimiser_keeps_it_or_pays():
    assert optimum(alone(THREE, "DDDDDDD")) == 10
    assert optimum(alone(THREE, "DDDDDDD", prices={RULE: 2})) == 8
    assert optimum(alone(THREE, "DDDDDDD", prices={RULE: 3})) == 10


def test_too_many_days_that_must_be_worked_are_told():
    assert in_vain(alone(Terms(most_in_a_row=3, least_shifts=4), "DDDD"))[0] in (RULE, "least_shifts")
    assert in_vain(alone(THREE, "DDDDD"), start=roster("DDDD-"), free={(0, 4)}) == [RULE]
