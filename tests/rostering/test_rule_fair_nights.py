"""Nights shared fairly within a circle."""

from lines import DUTIES, broken, circle, in_vain, optimum, person, roster

from planner.rostering.problem import Terms

RULE = "fair_nights"
WANTED = "N,N,N,N"


def test_the_most_less_the_fewest():
    problem = circle(WANTED, spread={RULE: 1})
    assert broken(RULE, problem, "NN--", "--NN") == []
    assert broken(RULE, problem, "NN-D", "DD-N") == []
    assert broken(RULE, problem, "NNDN", "---L") == [(0, None, 2)]
    assert broken(RULE, problem, "----", "NNNN") == [(1, None, 3)]


def test_only_within_circles_of_several_and_only_where_there_is_a_spread():
    problem = circle(WANTED, spread={RULE: 0})
    ann, bob = problem.people
    apart = problem._replace(people=(ann, bob._replace(circle=1)))
    assert broken(RULE, apart, "NNNN", "----") == []
    assert broken(RULE, problem._replace(people=(ann, bob._replace(circle=None))), "NNNN", "----") == []
    assert broken(RULE, problem._replace(spread={}), "NNNN", "----") == []
    four = problem._replace(
        people=(*problem.people, *(one._replace(id=f"{one.id} 2", circle=7) for one in problem.people))
    )
    assert broken(RULE, four, "NN--", "--NN", "NNN-", "---N") == [(2, None, 2)]


def test_a_shift_that_begins_after_midnight_and_covers_two_is_a_night():
    problem = circle("D,D", spread={RULE: 0})._replace(duties=(DUTIES[0]._replace(start_min=60), *DUTIES[1:]))
    assert broken(RULE, problem, "D-", "-L") == [(0, None, 1)]


def test_the_optimiser_keeps_it_or_pays():
    days = (person(Terms(), 4), person(Terms(), 4, "Bob", kinds="DL"))
    assert optimum(circle(WANTED, spread={RULE: 0})) == 0
    assert optimum(circle("N,N,N", spread={RULE: 0})) == 10
    assert optimum(circle(WANTED, *days, spread={RULE: 1})) == 30
    assert optimum(circle(WANTED, *days, spread={RULE: 1}, prices={RULE: 4})) == 12
    assert optimum(circle(WANTED, *days, spread={RULE: 1}, prices={RULE: 14})) == 30


def test_nights_that_are_fixed_are_told_or_paid_for():
    problem = circle(WANTED, spread={RULE: 0})
    all_but = {(0, 3), (1, 0)}
    assert in_vain(problem, start=roster("NNN-", "----"), free=all_but) == [RULE]
    everything_fixed = problem._replace(prices={RULE: 7})
    assert optimum(everything_fixed, start=roster("NNN-", "----"), free=()) == 10 + 21
