"""Decompression after so much emotional work."""

import pytest
from lines import in_vain, optimum
from posts import ALL, BILLS, CLAIMS, DUTIES, best, broken, needs, problem

from planner.rostering.problem import Duty, Pause, Terms, Work

RULE = "decompression"
TERMS = Terms(decompress_after_min=60)
TWO = Duty("T", 480, 240, 240, tuple(Pause("rest", 15, True, 45, 210, "decompression") for _ in range(2)))


def test_only_decompression_ends_what_has_added_up():
    one = problem(TERMS)
    assert broken(RULE, one, Work(0, 0, 3)) == [(0, 60)]
    assert broken(RULE, one, Work(0, 0, 0, (585,))) == [(0, 53)]  # tea: 52.5 and 60
    assert broken(RULE, one, Work(0, 0, 1, (585,))) == []
    assert broken(RULE, one, Work(0, 0, 1, (525,))) == [(0, 30)]
    assert broken(RULE, one, Work(0, 0, 2, (540, 630))) == [(0, 8)]  # 30 and 37.5 before the rest
    assert broken(RULE, problem(Terms()), Work(0, 0, 3)) == []


def test_before_between_and_after_are_apart():
    one = problem(Terms(decompress_after_min=30))._replace(duties=(TWO,))
    assert broken(RULE, one, Work(0, 0, 0, (555, 645))) == [(0, 8), (0, 8)]
    assert broken(RULE, one, Work(0, 0, 0, (540, 630))) == [(0, 8), (0, 8)]
    assert broken(RULE, one._replace(people=problem(TERMS).people), Work(0, 0, 0, (555, 645))) == []


def test_posts_count():
    one = problem(TERMS, posts=(ALL, CLAIMS, BILLS))
    assert broken(RULE, one, Work(0, 0, 0, (540,), (CLAIMS, BILLS))) == []
    assert broken(RULE, one, Work(0, 0, 0, (540,), (CLAIMS, ALL))) == [(0, 83)]


def test_the_optimiser_chooses_the_shift_that_has_it_and_the_time():
    outcome = best(problem(TERMS, *needs()))
    (given,) = outcome.roster.work
    assert DUTIES[given.duty].kind == "R"
    assert given.pauses[0] in (585, 600)
    assert outcome.objective == 10
    # Where the price is low, no decompression is cheaper.
    cheap = problem(TERMS, *needs(under=100), prices={RULE: 1})
    assert (best(cheap).objective, best(cheap).roster.work[0].duty) == (60, 3)


@pytest.mark.parametrize(("after", "n"), [(60, 1), (59, 2), (38, 2), (37, None)])
def test_as_many_as_it_takes(after, n):
    terms = Terms(decompress_after_min=after, least_shifts=1)
    one = problem(terms, *needs(), duties="RX")
    one = one._replace(duties=(*one.duties, TWO), people=(one.people[0]._replace(duties=((1, 3, 4),)),))
    if n is None:
        assert in_vain(one) == ["least_shifts"]  # the lesser fault: 75 minutes on the queue are 37.5
    else:
        assert optimum(one) == 10 * n
