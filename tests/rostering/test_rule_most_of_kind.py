"""Shifts of a kind at most."""

from lines import alone, broken, in_vain, optimum, roster

from planner.rostering.problem import Terms

RULE = "most_of_kind"
TERMS = Terms(most_of_kind={"L": 1, "N": 0})


def test_each_kind_has_its_own_limit():
    problem = alone(TERMS, "DDDD")
    assert broken(RULE, problem, "DLDD") == []
    assert broken(RULE, problem, "LLLN") == [(0, None, 2), (0, None, 1)]


def test_the_optimiser_keeps_it_or_pays():
    assert optimum(alone(TERMS, "LLLD")) == 20
    assert optimum(alone(TERMS, "LLLD", prices={RULE: 3})) == 6


def test_too_many_that_are_fixed_are_told():
    problem = alone(TERMS, "LLDD")
    assert in_vain(problem, start=roster("LLL-"), free={(0, 3)}) == [RULE]
