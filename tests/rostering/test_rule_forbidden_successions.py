"""Kinds that may not follow each other from one day to the next."""

from lines import alone, broken, in_vain, optimum, roster

from planner.rostering.problem import Before, Terms

RULE = "forbidden_successions"
TERMS = Terms(forbidden=frozenset({("L", "D"), ("N", "D"), ("N", "L")}))


def test_each_pair_of_days_counts():
    problem = alone(TERMS, "DDDDDD")
    assert broken(RULE, problem, "DLN-DL") == []
    assert broken(RULE, problem, "NLDNDD") == [(0, 1, 1), (0, 2, 1), (0, 4, 1)]


def test_several_followers_can_be_forbidden_at_once():
    problem = alone(Terms(forbidden=frozenset({("N", "D"), ("N", "L"), ("N", "N")})), "NN")
    assert broken(RULE, problem, "NN") == [(0, 1, 1)]
    assert optimum(problem) == 10


def test_the_first_day_follows_the_last_before_the_horizon():
    problem = alone(TERMS, "DD", before=Before(1, kind="N"))
    assert broken(RULE, problem, "DD") == [(0, 0, 1)]
    assert optimum(problem) == 10
    assert optimum(alone(TERMS, "DD", before=Before(1, kind="D"))) == 0


def test_the_optimiser_keeps_it_or_pays():
    assert optimum(alone(TERMS, "NDLD")) == 20
    assert optimum(alone(TERMS, "NDLD", prices={RULE: 3})) == 6


def test_a_pair_that_is_fixed_is_told():
    assert in_vain(alone(TERMS, "NDD"), start=roster("ND-"), free={(0, 2)}) == [RULE]
