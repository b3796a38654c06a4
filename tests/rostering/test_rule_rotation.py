"""Rotation from emotional to routine posts inside a shift."""

from lines import in_vain, optimum, solved
from posts import ALL, BILLS, CLAIMS, best, broken, needs, problem, work

from planner.rostering.problem import Terms, Work

RULE = "rotation"
TERMS = Terms(most_at_emotional_min=105)
EVERYWHERE = (ALL, CLAIMS, BILLS)


def test_minutes_at_emotional_posts_add_up_until_there_is_another():
    one = problem(TERMS, posts=EVERYWHERE)
    assert broken(RULE, one, Work(0, 0, 3, (), (CLAIMS,))) == [(0, 135)]
    assert broken(RULE, one, Work(0, 0, 3)) == []
    assert broken(RULE, one, Work(0, 0, 0, (570,), (CLAIMS, CLAIMS))) == [(0, 120)]
    assert broken(RULE, one, Work(0, 0, 0, (570,), (CLAIMS, BILLS))) == []
    assert broken(RULE, one, Work(0, 0, 2, (600, 660), (CLAIMS, ALL, CLAIMS))) == [(0, 15)]
    assert broken(RULE, one, Work(0, 0, 2, (525, 690), (CLAIMS, BILLS, CLAIMS))) == []
    assert broken(RULE, one, Work(0, 0, 2, (525, 540), (CLAIMS, BILLS, CLAIMS))) == [
        (0, 105)
    ]  # no time at bills
    assert broken(RULE, problem(Terms(), posts=EVERYWHERE), Work(0, 0, 3, (), (CLAIMS,))) == []


def test_the_optimiser_rotates_or_pays():
    one = problem(TERMS, *needs(skill="claims"), duties="B", posts=(CLAIMS, BILLS))
    outcome = best(one)
    # Two pauses, and as little time at bills as the windows let there be.
    assert outcome.objective == 10 * 3
    assert outcome.roster.work[0].posts == (CLAIMS, BILLS, CLAIMS)
    assert optimum(one._replace(prices={RULE: 1})) == 30
    dear = one._replace(needs=tuple(n._replace(under=200) for n in one.needs), prices={RULE: 1})
    assert optimum(dear) == 400 + 210 - 105


def test_a_run_is_paid_once_by_its_minutes():
    one = problem(TERMS, *needs(skill="claims", under=1000), duties="D", posts=(CLAIMS,), prices={RULE: 2})
    assert optimum(one) == 1000 + 2 * (225 - 105)


def test_who_has_no_other_post_cannot_keep_it():
    terms = TERMS._replace(least_shifts=1)
    assert in_vain(problem(terms, duties="X", posts=(CLAIMS,))) == ["least_shifts"]  # the lesser fault
    assert best(problem(terms, duties="X", posts=(CLAIMS, ALL))).roster.work[0].posts == (ALL,)


def test_a_shift_that_is_fixed_is_told_and_paid():
    start = work(Work(0, 0, 0, (600,), (CLAIMS, BILLS)), Work(0, 1, 0, (600,), (BILLS, CLAIMS)))
    one = problem(TERMS, days=3, posts=EVERYWHERE)
    assert in_vain(one, start=start, free={(0, 2)}) == [RULE]
    outcome, _ = solved(one._replace(prices={RULE: 3}), start=start, free={(0, 2)})
    assert (outcome.status, outcome.objective) == ("optimal", 45)
