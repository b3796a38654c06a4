"""Refused requests shared fairly within a circle."""

from lines import broken, circle, in_vain, optimum, person, roster

from planner.rostering.problem import Request, Terms

RULE = "fair_requests"
ANN = person(
    Terms(),
    3,
    requests=(Request(0, None, False, 1), Request(1, "L", False, 1), Request(2, "N", True, 1)),
)
BOB = person(Terms(), 3, "Bob", requests=(Request(0, None, True, 1),))


def test_every_way_to_refuse_one_counts():
    problem = circle("D,D,D", ANN, BOB, spread={RULE: 0})
    assert broken(RULE, problem, "-DN", "D--") == []
    assert broken(RULE, problem, "-D-", "---") == []
    assert broken(RULE, problem, "D-N", "D--") == [(0, None, 1)]
    assert broken(RULE, problem, "DLD", "D--") == [(0, None, 3)]
    assert broken(RULE, problem, "--N", "---") == [(1, None, 1)]
    assert broken(RULE, problem._replace(spread={RULE: 2}), "DLD", "D--") == [(0, None, 1)]


def test_the_optimiser_keeps_it_or_pays():
    """Two days are wanted of Ann, who asks for both off; Bob asks for nothing."""
    off = person(Terms(), 2, requests=(Request(0, None, False, 1), Request(1, None, False, 1)))
    plain = person(Terms(), 2, "Bob", leave=(0, 1))
    assert optimum(circle("D,D", off, plain, spread={RULE: 1})) == 10 + 1
    assert optimum(circle("D,D", off, plain, spread={RULE: 0})) == 20
    assert optimum(circle("D,D", off, plain, spread={RULE: 0}, prices={RULE: 3})) == 2 + 6
    assert optimum(circle("D,D", off, plain, spread={RULE: 0}, prices={RULE: 12})) == 20


def test_a_wish_for_a_shift_that_cannot_be_given_is_refused():
    wishing = person(Terms(), 1, kinds="D", requests=(Request(0, "N", True, 1),))
    problem = circle("-", wishing, person(Terms(), 1, "Bob"), spread={RULE: 0})
    assert in_vain(problem) == [RULE]


def test_refusals_that_are_fixed_are_told():
    problem = circle("D,D,D", ANN, BOB, spread={RULE: 0})
    assert in_vain(problem, start=roster("DLD", "D--"), free={(1, 1), (1, 2)}) == [RULE]
