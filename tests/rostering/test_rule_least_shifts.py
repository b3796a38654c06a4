"""Shifts at least."""

from lines import alone, broken, in_vain, optimum

from planner.rostering.problem import Terms

RULE = "least_shifts"


def test_shifts_missing():
    problem = alone(Terms(least_shifts=2), "DDD")
    assert broken(RULE, problem, "D-N") == []
    assert broken(RULE, problem, "D--") == [(0, None, 1)]


def test_people_work_for_it_or_it_is_paid_for():
    problem = alone(Terms(least_shifts=2), "DDD", kinds="D")
    problem = problem._replace(needs=tuple(n._replace(people=0) for n in problem.needs))
    assert optimum(problem) == 20
    assert optimum(problem._replace(prices={RULE: 4})) == 8


def test_more_than_there_are_days_is_told():
    assert in_vain(alone(Terms(least_shifts=4), "DDD")) == [RULE]
