"""Weekends shared fairly within a circle."""

from lines import broken, circle, in_vain, optimum, person, roster

from planner.rostering.problem import Terms

RULE = "fair_weekends"
WANTED = "D,-,-,-,-,D,D,D"
"""From a Sunday: one weekend is cut by the horizon, the next is whole."""


def problem(*people, **more):
    return circle(WANTED, *people, first_weekday=6, **more)


def test_saturday_and_sunday_are_one_weekend():
    one = problem(spread={RULE: 0})
    assert broken(RULE, one, "------DD", "D-------") == []
    assert broken(RULE, one, "------D-", "-------D") == []
    assert broken(RULE, one, "D-----DD", "-DDDDD--") == [(0, None, 2)]
    assert broken(RULE, problem(spread={RULE: 1}), "D-----DD", "-DDDDD-D") == []


def test_the_optimiser_keeps_it_or_pays():
    days = (person(Terms(), 8), person(Terms(), 8, "Bob", leave=(0, 6, 7)))
    assert optimum(problem(spread={RULE: 0})) == 0
    assert optimum(problem(*days, spread={RULE: 1})) == 10
    assert optimum(problem(*days, spread={RULE: 0})) == 30
    assert optimum(problem(*days, spread={RULE: 0}, prices={RULE: 4})) == 8
    assert optimum(problem(*days, spread={RULE: 0}, prices={RULE: 25})) == 30


def test_weekends_that_are_fixed_are_told():
    anns = {(0, day) for day in range(8)}
    one = problem(person(Terms(), 8, kinds="D"), person(Terms(), 8, "Bob"), spread={RULE: 0})
    assert in_vain(one, start=roster("-" * 8, "D------D"), free=set()) == [RULE]
    assert optimum(one, start=roster("-" * 8, "D------D"), free=anns) == 10
