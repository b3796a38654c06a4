"""Posts: one for each stretch, of those that somebody may be given."""

import pytest
from lines import in_vain, solved
from posts import ALL, BILLS, CLAIMS, best, broken, needs, problem, work

from planner.rostering.improve import improve
from planner.rostering.problem import Duty, Pause, Terms, Work
from planner.rostering.validate import audit

RULE = "queues"


def test_one_for_each_stretch_of_ones_own():
    one = problem(Terms(), posts=(ALL, CLAIMS))
    assert broken(RULE, one, Work(0, 0, 0, (600,)), Work(0, 0, 0, (600,), (CLAIMS, ALL))) == []
    assert broken(RULE, one, Work(0, 0, 0, (600,), (CLAIMS, BILLS))) == [(0, 1)]
    assert broken(RULE, one, Work(0, 0, 0, (600,), (BILLS, BILLS))) == [(0, 2)]
    assert broken(RULE, one, Work(0, 0, 0, (600,), (CLAIMS,))) == [(0, 1)]
    assert broken(RULE, one, Work(0, 0, 3, (), (CLAIMS, ALL, ALL))) == [(0, 2)]
    assert broken(RULE, problem(Terms(), posts=()), Work(0, 0, 3, (), (ALL,))) == [(0, 1)]


FIXED = Duty("F", 480, 240, 240, (Pause("tea", 15, True, 45, 195),), (CLAIMS,))


def test_the_first_stretches_have_the_posts_that_the_duty_fixes():
    one = problem(Terms(), posts=(ALL, CLAIMS))._replace(duties=(FIXED,))
    assert broken(RULE, one, Work(0, 0, 0, (600,), (CLAIMS, ALL))) == []
    assert broken(RULE, one, Work(0, 0, 0, (600,), (ALL, CLAIMS))) == [(0, 1)]
    # The usual post is another one; one at which there is no place is a fault once.
    assert broken(RULE, one, Work(0, 0, 0, (600,))) == [(0, 1)]
    assert broken(RULE, one, Work(0, 0, 0, (600,), (BILLS, BILLS))) == [(0, 2)]
    with pytest.raises(ValueError, match="posts of F: no post 9, there are 3"):
        audit(one._replace(duties=(FIXED._replace(posts=(9,)),)), work())


@pytest.mark.parametrize("fixed", [(), (CLAIMS,), (BILLS,), (BILLS, CLAIMS)])
def test_both_optimisers_keep_what_is_fixed(fixed: tuple[int, ...]):
    wanted = (*needs(skill="claims", at=range(480, 600, 15)), *needs(skill="bills", at=range(615, 720, 15)))
    one = problem(Terms(), *wanted, posts=(CLAIMS, BILLS))
    duty = FIXED._replace(posts=fixed)
    one = one._replace(duties=(duty,), people=(one.people[0]._replace(duties=((0,),)),))
    least = {(): 0, (CLAIMS,): 0, (BILLS,): 80, (BILLS, CLAIMS): 110}[fixed]
    exact, audited = solved(one)
    assert (exact.objective, audited.hard) == (least, ())
    found = audit(one, improve(one, moves=20_000, seed=1))
    assert (found.objective, found.hard) == (least, ())


def test_a_post_that_does_not_exist_is_no_work():
    found = audit(problem(Terms()), work(Work(0, 0, 3, (), (7,))))
    assert [(b.rule, b.text) for b in found.hard] == [("roster", "no post 7, there are 3")]
    with pytest.raises(ValueError, match="work that the problem does not have"):
        solved(problem(Terms()), start=work(Work(0, 0, 3, (), (7,))))


def test_the_optimiser_gives_the_post_that_counts():
    early, late = range(480, 600, 15), range(615, 720, 15)
    wanted = [*needs(skill="claims", at=early), *needs(skill="bills", at=late)]
    # Who is there for all counts for either.
    assert best(problem(Terms(), *wanted, duties="D")).objective == 0
    both = best(problem(Terms(), *wanted, duties="D", posts=(CLAIMS, BILLS)))
    assert (both.objective, both.roster.work) == (0, (Work(0, 0, 0, (600,), (CLAIMS, BILLS)),))
    assert best(problem(Terms(), *wanted, duties="D", posts=(CLAIMS,))).objective == 70
    assert best(problem(Terms(), *wanted, duties="X", posts=(CLAIMS, BILLS))).objective == 70


def test_a_post_that_is_fixed_and_not_ones_own_is_told():
    start = work(Work(0, 0, 3, (), (BILLS,)))
    assert in_vain(problem(Terms(), *needs(1), days=2), start=start, free={(0, 1)}) == [RULE]


def test_it_cannot_have_a_price():
    with pytest.raises(ValueError, match="queues is part of what a roster is"):
        solved(problem(Terms(), prices={RULE: 1}))
