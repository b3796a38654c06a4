"""Shifts at most."""

from lines import alone, broken, in_vain, optimum, roster

from planner.rostering.problem import Terms

RULE = "most_shifts"


def test_shifts_beyond():
    problem = alone(Terms(most_shifts=1), "DDD")
    assert broken(RULE, problem, "--N") == []
    assert broken(RULE, problem, "DDD") == [(0, None, 2)]


def test_the_optimiser_keeps_it_or_pays():
    assert optimum(alone(Terms(most_shifts=1), "DDD")) == 20
    assert optimum(alone(Terms(most_shifts=1), "DDD", prices={RULE: 4})) == 8


def test_too_many_that_are_fixed_are_told():
    assert in_vain(alone(Terms(most_shifts=1), "DDD"), start=roster("DD-"), free={(0, 2)}) == [RULE]
