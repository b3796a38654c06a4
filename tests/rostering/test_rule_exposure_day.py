"""Emotional minutes in a day."""

from lines import in_vain, optimum
from posts import ALL, BILLS, CLAIMS, best, broken, needs, problem, work

from planner.rostering.problem import Terms, Work

RULE = "exposure_day"
TERMS = Terms(most_exposed_day_min=100)


def test_all_stretches_of_a_day_add_up():
    one = problem(TERMS, days=2, posts=(ALL, CLAIMS, BILLS))
    assert broken(RULE, one, Work(0, 0, 3), Work(0, 1, 3)) == [(0, 20), (1, 20)]
    assert broken(RULE, one, Work(0, 1, 2, (540, 600))) == [(1, 5)]
    assert broken(RULE, one, Work(0, 1, 2, (540, 600), (ALL, BILLS, CLAIMS))) == [(1, 35)]
    assert broken(RULE, one, Work(0, 1, 2, (540, 600), (ALL, BILLS, ALL))) == []


def test_what_is_beyond_midnight_belongs_to_the_day_of_the_start():
    one = problem(TERMS, days=2)
    night = one.duties[3]._replace(start_min=22 * 60)
    assert broken(RULE, one._replace(duties=(night,)), Work(0, 0, 0)) == [(0, 20)]


def test_the_optimiser_keeps_it_or_pays():
    # At the usual post four hours are two of them; three quarters of an hour at bills spare what is too much.
    at_bills = needs(skill="bills", under=1)
    everything = problem(TERMS, *needs(), *at_bills, duties="X")
    assert optimum(everything) == 16 * 10 + 16
    rotating = problem(TERMS, *needs(skill="claims"), duties="D", posts=(ALL, BILLS))
    outcome = best(rotating)
    # The tea as late as may be, and half an hour at bills after it.
    assert (outcome.objective, outcome.roster.work[0].posts) == (10 + 20, (ALL, BILLS))
    assert optimum(rotating._replace(prices={RULE: 1})) == 10 + 13


def test_of_several_days_each_has_its_own():
    wanted = [need for day in range(3) for need in needs(day)]
    assert optimum(problem(TERMS, *wanted, duties="X", days=3, prices={RULE: 2})) == 3 * 40
    start = work(Work(0, 0, 3), Work(0, 1, 3))
    assert in_vain(problem(TERMS, duties="X", days=3), start=start, free={(0, 2)}) == [RULE, RULE]
