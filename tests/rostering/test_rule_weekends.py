"""Weekends at most: one with work on its Saturday or its Sunday is worked."""

from lines import alone, broken, in_vain, optimum, roster

from planner.rostering.problem import Terms

RULE = "weekends"
ONE = Terms(most_weekends=1)


def test_saturday_and_sunday_are_one_and_each_is_enough():
    problem = alone(ONE, "D" * 14)
    assert broken(RULE, problem, "DDDDDDDDDDDD--") == []
    assert broken(RULE, problem, "-----D-------D") == [(0, None, 1)]


def test_a_horizon_may_begin_on_a_sunday():
    problem = alone(ONE, "DDDDDDD", first_weekday=6)
    assert broken(RULE, problem, "D-----D") == [(0, None, 1)]
    assert broken(RULE, problem, "-DDDDDD") == []


def test_the_optimiser_keeps_it_or_pays():
    assert optimum(alone(ONE, "-----DD------D")) == 10
    assert optimum(alone(Terms(most_weekends=0), "-----DD------D", prices={RULE: 4})) == 8


def test_weekends_that_are_fixed_are_told():
    problem = alone(Terms(most_weekends=0), "D" * 7)
    assert in_vain(problem, start=roster("-----D-"), free={(0, 6)}) == [RULE]
