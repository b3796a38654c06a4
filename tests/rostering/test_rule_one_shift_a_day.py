"""One shift a day."""

from lines import alone, optimum, person, roster, solved

from planner.rostering.problem import NamedRoster, Need, RosterProblem, Terms, Work
from planner.rostering.rules import one_shift_a_day
from planner.rostering.validate import audit


def test_two_on_a_day_are_one_too_many():
    problem = alone(Terms(), "DD")
    assert one_shift_a_day.check(problem, roster("DL")) == []
    twice = NamedRoster((Work(0, 0, 0), Work(0, 0, 1), Work(0, 1, 0)))
    (found,) = one_shift_a_day.check(problem, twice)
    assert (found.person, found.day, found.by) == (0, 0, 1)
    assert audit(problem, twice).hard == (found,)


def test_nobody_gets_two():
    needs = (Need(0, 1, 10, 10, "D"), Need(0, 1, 7, 7, "L"))
    problem = RosterProblem(1, 0, alone(Terms(), "D").duties, (person(Terms(), 1),), needs)
    assert optimum(problem) == 7


def test_what_was_given_twice_is_mended_where_it_is_free_and_told_where_it_is_not():
    problem = alone(Terms(), "DD")
    twice = NamedRoster((Work(0, 0, 0), Work(0, 0, 1)))
    outcome, _ = solved(problem, start=twice)
    assert (outcome.status, outcome.objective) == ("optimal", 0)
    outcome, found = solved(problem, start=twice, free={(0, 1)})
    assert outcome.status == "none"
    assert [b.rule for b in found.hard] == ["one_shift_a_day"]
