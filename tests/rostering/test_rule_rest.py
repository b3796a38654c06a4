"""Rest between shifts: from the end of one to the start of the next, also from before the horizon."""

import pytest
from lines import DUTIES, alone, broken, in_vain, optimum, person, roster, solved

from planner.rostering.problem import Before, Duty, Need, RosterProblem, Terms

RULE = "rest"
ELEVEN = Terms(least_rest_min=660)


def test_the_minutes_missing():
    problem = alone(ELEVEN, "DDDD")
    assert broken(RULE, problem, "DLN-") == []
    assert broken(RULE, problem, "LDND") == [(0, 1, 60), (0, 3, 540)]
    assert broken(RULE, problem, "N-DL") == []


@pytest.mark.parametrize(("end", "missing"), [(-180, 0), (-179, 1), (-60, 120), (480, 660)])
def test_what_came_before_the_horizon_counts(end, missing):
    problem = alone(ELEVEN, "DD", before=Before(1, end))
    assert broken(RULE, problem, "DD") == ([(0, 0, missing)] if missing else [])
    assert broken(RULE, problem, "-D") == []
    assert optimum(problem) == (10 if missing else 0)


def test_the_optimiser_keeps_it_or_pays_by_the_minute():
    assert optimum(alone(ELEVEN, "LDLD", under=100)) == 200
    assert optimum(alone(ELEVEN, "LDLD", under=100, prices={RULE: 1})) == 120
    assert optimum(alone(ELEVEN, "NDND", under=1000, prices={RULE: 1})) == 1080


def test_rest_of_more_than_a_day_looks_past_days_off():
    terms = Terms(least_rest_min=48 * 60)
    problem = alone(terms, "D-D")
    assert broken(RULE, problem, "D-D") == [(0, 2, 480)]
    assert broken(RULE, problem, "DDD") == [(0, 1, 48 * 60 - 960), (0, 2, 48 * 60 - 960)]
    assert optimum(problem) == 10
    assert optimum(alone(terms, "D-D", under=1000, prices={RULE: 1})) == 480


def test_nobody_works_two_shifts_at_a_time_at_any_price():
    duties = (Duty("X", 12 * 60, 1440, 1440), *DUTIES)
    needs = (Need(0, 1, 9000, 0, "X"), Need(1, 1, 9000, 0, "D"))
    who = person(Terms(), 2)._replace(duties=((0,), (1,)))
    assert optimum(RosterProblem(2, 0, duties, (who,), needs, {RULE: 1})) == 9000


def test_too_close_where_both_are_fixed_is_told_and_where_one_is_free_is_mended():
    problem = alone(ELEVEN, "LDD")
    assert in_vain(problem, start=roster("LD-"), free={(0, 2)}) == [RULE]
    outcome, _ = solved(problem, start=roster("LD-"), free={(0, 1), (0, 2)})
    assert (outcome.status, outcome.objective) == ("optimal", 10)
