"""What is locked stays as published."""

import pytest
from lines import alone, broken, in_vain, line, optimum, roster, solved

from planner.rostering.model import solve
from planner.rostering.problem import Duty, NamedRoster, Need, Pause, RosterProblem, Terms, Work
from planner.rostering.validate import audit

RULE = "locked"


def locked(published: str, wanted: str, *days: int, **more) -> RosterProblem:
    problem = alone(more.pop("terms", Terms()), wanted, **more)
    return problem._replace(
        published=roster(published),
        locked=frozenset((0, day) for day in days),
        prices={"changes": 0, **problem.prices},
    )


def test_the_same_duty_and_none_where_there_was_none():
    problem = locked("DD--", "DDDD", 1, 2)
    assert broken(RULE, problem, "LD-N") == []
    assert broken(RULE, problem, "DLDN") == [(0, 1, 1), (0, 2, 1)]
    assert broken(RULE, problem, "D--N") == [(0, 1, 1)]


def test_the_optimiser_keeps_it_or_pays():
    problem = locked("DD--", "LLLL", 1, 2)
    assert optimum(problem) == 20
    assert line(solved(problem)[0], problem) == "LD-L"
    assert optimum(locked("DD--", "LLLL", 1, 2, prices={RULE: 4})) == 8
    assert optimum(locked("DD--", "LLLL", 1, 2, prices={RULE: 25})) == 20


def test_only_pauses_of_what_is_locked_may_move():
    tea = Pause("tea", 60, True, 60, 180)
    problem = locked("D", "D", 0)._replace(
        duties=(Duty("D", 480, 480, 480, (tea,)),),
        needs=tuple(Need(0, 1, 10, 0, None, at, 60) for at in (540, 660)),
        published=NamedRoster((Work(0, 0, 0, (540,)),)),
    )
    outcome, _ = solved(problem._replace(people=(problem.people[0]._replace(duties=((0,),)),)))
    assert outcome.objective == 0
    assert outcome.roster.work[0].pauses == (600,)


def test_leave_and_what_may_not_be_given_come_before_a_lock():
    assert in_vain(locked("DD", "DD", 1, leave=(1,))) == [RULE]
    problem = locked("DD", "DD", 1)
    on_leave = problem._replace(people=(problem.people[0]._replace(leave=frozenset({1})),))
    assert in_vain(on_leave) == [RULE]


def test_locks_that_break_another_rule_stay_where_that_is_less():
    problem = locked("DDDD", "DDDD", 0, 1, 2, terms=Terms(most_shifts=1))
    assert in_vain(problem) == ["most_shifts"]
    assert line(solved(problem)[0], problem) == "DDD-"


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ({"published": None}, "locked: there is no published roster"),
        ({"locked": frozenset({(0, 2)})}, "locked: no person 0 with a day 2; people are 0 to 0, days 0 to 1"),
        ({"locked": frozenset({(-1, 0)})}, "locked: no person -1"),
        (
            {"published": NamedRoster((Work(0, 0, 9),))},
            "published roster has work that the problem does not have",
        ),
    ],
)
def test_locks_that_make_no_sense(what, told):
    problem = locked("DD", "DD", 1)._replace(**what)
    with pytest.raises(ValueError, match=told):
        solve(problem, seconds=1)
    with pytest.raises(ValueError, match=told):
        audit(problem, roster("DD"))
