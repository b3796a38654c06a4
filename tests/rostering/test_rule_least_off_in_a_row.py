"""Days off together; those at an end of the horizon may be fewer."""

from lines import alone, broken, in_vain, optimum, roster

from planner.rostering.problem import Terms

RULE = "least_off_in_a_row"
TWO = Terms(least_off_in_a_row=2)


def test_the_days_missing():
    problem = alone(TWO, "DDDDDDD")
    assert broken(RULE, problem, "D--DD--") == []
    assert broken(RULE, problem, "D-D-D--") == [(0, 1, 1), (0, 3, 1)]


def test_days_off_at_an_end_may_be_fewer():
    assert broken(RULE, alone(TWO, "DDDDD"), "-DDD-") == []


def test_the_optimiser_keeps_it_or_pays():
    problem = alone(TWO, "DDDDD", leave=(2,))
    assert optimum(problem) == 20
    assert optimum(problem._replace(prices={RULE: 3})) == 13


def test_a_day_off_alone_between_two_that_are_fixed_is_told():
    assert in_vain(alone(TWO, "DDDDD"), start=roster("D-DD-"), free={(0, 4)}) == [RULE]
