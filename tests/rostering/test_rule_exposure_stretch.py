"""Emotional minutes at a stretch."""

from lines import in_vain, optimum, solved
from posts import BILLS, CLAIMS, POSTS, best, broken, needs, problem, work

from planner.rostering.problem import Post, Terms, Work

RULE = "exposure_stretch"
HOUR = Terms(most_exposed_stretch_min=60)


def test_the_minutes_of_each_stretch():
    one = problem(HOUR)
    # Four hours with tea after 105 minutes: 52.5 and 60 emotional minutes.
    assert broken(RULE, one, Work(0, 0, 0, (585,))) == []
    assert broken(RULE, one, Work(0, 0, 0, (570,))) == [(0, 8)]  # 67.5 remain: a begun minute counts
    assert broken(RULE, one, Work(0, 0, 3)) == [(0, 60)]
    assert broken(RULE, one, Work(0, 0, 2, (540, 555))) == [(0, 15)]
    assert broken(RULE, problem(Terms()), Work(0, 0, 3)) == []


def test_the_share_is_that_of_the_post_at_that_time():
    one = problem(HOUR, posts=(0, CLAIMS, BILLS))
    assert broken(RULE, one, Work(0, 0, 0, (585,), (CLAIMS, BILLS))) == [(0, 45)]
    assert broken(RULE, one, Work(0, 0, 0, (585,), (BILLS, CLAIMS))) == [(0, 60)]
    assert broken(RULE, one, Work(0, 0, 0, (540,), (CLAIMS, BILLS))) == []
    assert broken(RULE, problem(HOUR, posts=()), Work(0, 0, 3)) == []
    mornings = (*(0 for _ in range(32)), *(1000 for _ in range(6)), *(0 for _ in range(58)))
    assert broken(
        RULE, problem(HOUR, posts=(0,))._replace(posts=(Post("all", share=mornings),)), Work(0, 0, 3)
    ) == [(0, 30)]


def test_the_optimiser_places_the_break_or_pays_by_the_minute():
    # Someone is wanted throughout; only the tea after 105 or 120 minutes keeps to an hour.
    outcome = best(problem(HOUR, *needs(), duties="DX"))
    (given,) = outcome.roster.work
    assert (given.duty, given.pauses[0] in (585, 600), outcome.objective) == (0, True, 10)
    # All are wanted but the quarter of an hour after 9:15, which would leave 75 emotional minutes.
    late = problem(HOUR, *needs(at=[q for q in range(480, 720, 15) if q != 555], under=100), duties="D")
    assert optimum(late) == 100
    assert optimum(late._replace(prices={RULE: 7})) == 100
    assert optimum(late._replace(prices={RULE: 6})) == 15 * 6


def test_rotation_of_posts_may_be_the_way():
    terms = HOUR._replace(least_shifts=1)
    assert in_vain(problem(terms, duties="X")) == ["least_shifts"]  # the lesser fault
    assert best(problem(terms, duties="X", posts=(0, BILLS))).roster.work[0].posts == (BILLS,)


def test_a_shift_that_is_fixed_is_told():
    start = work(Work(0, 0, 3))
    assert in_vain(problem(HOUR, *needs(), days=2), start=start, free={(0, 1)}) == [RULE]
    paid = problem(HOUR, *needs(under=0), days=2, prices={RULE: 3})
    outcome, _ = solved(paid, start=start, free={(0, 1)})
    assert (outcome.status, outcome.objective) == ("optimal", 180)


def test_without_posts_that_have_shares_nothing_is_limited():
    bare = problem(HOUR, *needs(), duties="X")._replace(posts=(POSTS[BILLS], POSTS[BILLS]))
    assert optimum(bare) == 0
