"""Changes to the published roster: as few as can be, at a price each."""

from lines import alone, broken, in_vain, line, optimum, roster, solved

from planner.rostering.problem import Duty, NamedRoster, Pause, RosterProblem, Terms, Work

RULE = "changes"


def after(published: str, wanted: str, **more) -> RosterProblem:
    return alone(more.pop("terms", Terms()), wanted, **more)._replace(published=roster(published))


def test_given_taken_away_and_another_are_a_change_each():
    problem = after("DD--", "DDDD")
    assert broken(RULE, problem, "DD--") == []
    assert broken(RULE, problem, "DL--") == [(0, 1, 1)]
    assert broken(RULE, problem, "D-N-") == [(0, 1, 1), (0, 2, 1)]
    assert broken(RULE, problem._replace(published=None), "D-N-") == []


def test_what_is_told_says_what_was_published():
    problem = after("DD", "DD")
    late = problem._replace(duties=(problem.duties[0], Duty("D", 600, 480, 450)))
    (found,) = (b for b in solved(late, start=roster("DL"), free=())[1].hard)
    assert found.text == "Ann, day 1: D from 10:00, published D from 08:00"


def test_pauses_may_move():
    tea = Pause("tea", 60, True, 60, 180)
    problem = after("D", "D")._replace(duties=(Duty("D", 480, 480, 480, (tea,)),))
    published = problem._replace(published=NamedRoster((Work(0, 0, 0, (540,)),)))
    assert optimum(published, start=NamedRoster((Work(0, 0, 0, (600,)),)), free=()) == 0


def test_the_optimiser_changes_what_pays():
    assert optimum(after("DDL-", "LL-D")) == 30
    assert optimum(after("DDL-", "LL-D", prices={RULE: 4})) == 12
    assert optimum(after("DDL-", "LL-D", prices={RULE: 15})) == 30
    problem = after("DDL-", "LL-D", prices={RULE: 4})
    assert line(solved(problem)[0], problem) == "LLLD"


def test_of_equally_cheap_rosters_the_one_with_fewer_changes():
    """Somebody is to work late, whoever it is."""
    problem = after("L", "L", prices={RULE: 1})
    ann = problem.people[0]
    both = problem._replace(people=(ann._replace(id="Bob"), ann), published=roster("-", "L"))
    outcome, _ = solved(both)
    assert (line(outcome, both), line(outcome, both, 1), outcome.objective) == ("-", "L", 0)


def test_what_may_no_longer_be_given_is_a_change_that_is_told_or_paid_for():
    assert in_vain(after("DD", "DD", leave=(1,))) == [RULE]
    assert optimum(after("DD", "DD", leave=(1,), prices={RULE: 4})) == 14
