"""Availability, contract and skills are in the duties that a person may be given."""

from lines import alone, broken, in_vain, optimum, roster, solved

from planner.rostering.problem import Terms

RULE = "allowed_duties"


def test_only_what_is_listed_for_the_day():
    problem = alone(Terms(), "DDD", kinds="DL", leave=(1,))
    assert broken(RULE, problem, "D-L") == []
    assert broken(RULE, problem, "DDN") == [(0, 1, 1), (0, 2, 1)]


def test_nobody_is_called_back_from_leave_unless_it_has_a_price():
    assert optimum(alone(Terms(), "DDD", leave=(1,))) == 10
    assert optimum(alone(Terms(), "DDD", leave=(1,), prices={RULE: 4})) == 4
    assert optimum(alone(Terms(), "DDD", leave=(1,), prices={RULE: 14})) == 10


def test_hours_that_leave_makes_impossible_are_told_and_leave_stays():
    assert in_vain(alone(Terms(least_shifts=2), "DDD", leave=(0, 1))) == ["least_shifts"]


def test_what_is_fixed_and_not_allowed_is_told():
    problem = alone(Terms(), "DDD", leave=(1,))
    outcome, found = solved(problem, start=roster("-D-"), free={(0, 0), (0, 2)})
    assert outcome.status == "none"
    assert [b.rule for b in found.hard] == [RULE]
