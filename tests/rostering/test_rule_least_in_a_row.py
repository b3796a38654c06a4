"""Days in a row at least; runs at an end of the horizon may be shorter."""

from lines import alone, broken, in_vain, optimum, roster

from planner.rostering.problem import Terms

RULE = "least_in_a_row"
THREE = Terms(least_in_a_row=3)


def test_the_days_missing():
    problem = alone(THREE, "DDDDDDD")
    assert broken(RULE, problem, "--DDD--") == []
    assert broken(RULE, problem, "-D--DD-") == [(0, 1, 2), (0, 4, 1)]


def test_runs_at_an_end_may_be_shorter():
    assert broken(RULE, alone(THREE, "DDDDD"), "D---D") == []
    assert broken(RULE, alone(THREE, "D"), "D") == []


def test_the_optimiser_keeps_it_or_pays():
    problem = alone(THREE, "--D----", kinds="D")
    wanted_once = tuple(problem.needs[0]._replace(day=day, people=int(day == 2)) for day in range(7))
    problem = problem._replace(needs=wanted_once)
    assert optimum(problem) == 10
    assert optimum(problem._replace(prices={RULE: 2})) == 4


def test_a_day_alone_between_two_that_are_fixed_is_told():
    assert in_vain(alone(THREE, "-D---"), start=roster("-D---"), free={(0, 4)}) == [RULE]
