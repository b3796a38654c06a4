"""No shifts on leave: not on its days, not past midnight into them."""

import pytest
from lines import alone, broken, in_vain, line, optimum, roster, solved

from planner.rostering.problem import RosterProblem, Terms

RULE = "leave"


def away(wanted: str, *days: int, terms=Terms(), prices=None) -> RosterProblem:
    problem = alone(terms, wanted, prices=prices)
    return problem._replace(people=(problem.people[0]._replace(leave=frozenset(days)),))


def test_from_midnight_to_midnight():
    assert broken(RULE, away("DDDD", 2), "DD-D") == []
    assert broken(RULE, away("DDDD", 2), "-DDD") == [(0, 2, 1)]
    assert broken(RULE, away("DDDD", 2), "DNNN") == [(0, 1, 1), (0, 2, 1)]  # nights end at six


def test_a_shift_that_ends_at_midnight_touches_only_its_day():
    problem = away("LL", 1)
    late = problem.duties[1]._replace(start_min=16 * 60)
    assert broken(RULE, problem._replace(duties=(problem.duties[0], late)), "L-") == []


def test_the_optimiser_keeps_it_or_pays():
    assert optimum(away("DND", 2)) == 20
    assert optimum(away("DND", 2, prices={RULE: 4})) == 8
    assert optimum(away("DND", 2, prices={RULE: 14})) == 20


@pytest.mark.parametrize("least", [1, 2])
def test_nobody_is_called_back_to_keep_another_rule(least):
    problem = away("DD", 0, 1, terms=Terms(least_shifts=least))
    assert in_vain(problem) == ["least_shifts"]
    assert line(solved(problem)[0], problem) == "--"


def test_leave_that_is_not_the_persons_own_hinders_nobody_else():
    problem = away("DD", 0)
    bob = problem.people[0]._replace(id="Bob", leave=frozenset())
    assert optimum(problem._replace(people=(*problem.people, bob))) == 0


def test_work_on_leave_that_is_fixed_is_told_once():
    assert in_vain(away("DD", 0), start=roster("D-"), free={(0, 1)}) == [RULE]
