"""Nights in a row at most: a night covers 02:00, whichever day it is counted to."""

import pytest
from lines import DUTIES, alone, broken, in_vain, optimum, roster

from planner.rostering.problem import Before, Duty, Terms
from planner.rostering.rules.base import is_night

RULE = "nights_in_a_row"
TWO = Terms(most_nights_in_a_row=2)


@pytest.mark.parametrize(
    ("start", "minutes", "night"),
    [
        (1320, 480, True),
        (0, 480, True),
        (120, 60, True),
        (121, 480, False),
        (0, 120, False),
        (1080, 480, False),
        (1080, 481, True),
    ],
)
def test_what_a_night_is(start, minutes, night):
    assert is_night(Duty("X", start, minutes, minutes)) is night
    assert [is_night(duty) for duty in DUTIES] == [False, False, True]


def test_the_nights_beyond():
    problem = alone(TWO, "NNNNN")
    assert broken(RULE, problem, "NNDNN") == []
    assert broken(RULE, problem, "NNNN-") == [(0, 3, 2)]


def test_nights_before_the_horizon_count():
    problem = alone(TWO, "NN-", before=Before(1, nights_in_a_row=1))
    assert broken(RULE, problem, "NN-") == [(0, 1, 1)]
    assert optimum(problem) == 10


def test_the_optimiser_keeps_it_or_pays():
    assert optimum(alone(TWO, "NNNN")) == 10
    assert optimum(alone(TWO, "NNNN", prices={RULE: 4})) == 8


def test_nights_that_are_fixed_are_told():
    assert in_vain(alone(TWO, "NNNN"), start=roster("NNN-"), free={(0, 3)}) == [RULE]
