"""Emotional minutes in each seven days of the horizon."""

from lines import in_vain, optimum
from posts import broken, needs, problem, work

from planner.rostering.problem import Terms, Work

RULE = "exposure_week"
TERMS = Terms(most_exposed_week_min=250)


def test_seven_days_from_the_first_and_the_next_seven():
    one = problem(TERMS, days=16)
    given = [Work(0, day, 3) for day in range(16)]
    assert broken(RULE, one, *given) == [(6, 590), (13, 590)]  # two of the third week are 240
    assert broken(RULE, one, *given[5:9]) == []
    assert broken(RULE, one, *given[4:9]) == [(6, 110)]


def test_the_optimiser_keeps_it_or_pays():
    wanted = [need for day in range(9) for need in needs(day, at=range(480, 720, 60))]
    one = problem(TERMS, *wanted, duties="X", days=9)
    assert optimum(one) == 5 * 40  # two shifts in each week, where all of the nine are wanted
    # A shift more costs 120 where it saves 40, unless the price is low.
    dear = problem(TERMS, *[need._replace(under=40) for need in wanted], duties="X", days=9)
    assert optimum(dear._replace(prices={RULE: 1})) == 7 * 120 - 250


def test_minimum_shifts_that_do_not_fit_are_told():
    # One shift missing is less than 110 minutes beyond.
    assert in_vain(problem(TERMS._replace(least_shifts=3), duties="X", days=5)) == ["least_shifts"]
    start = work(*(Work(0, day, 3) for day in range(3)))
    assert in_vain(problem(TERMS, duties="X", days=5), start=start, free={(0, 3), (0, 4)}) == [RULE]
