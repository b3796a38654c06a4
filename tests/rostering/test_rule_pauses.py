"""Breaks: each within its window, in order, one after the other, inside the shift."""

import pytest
from lines import in_vain, optimum, person, solved

from planner.rostering.problem import Duty, NamedRoster, Need, Pause, RosterProblem, Terms, Work
from planner.rostering.rules import pauses

TEA = Pause("tea", 30, True, 60, 180)
LUNCH = Pause("lunch", 60, False, 120, 240, "lunch")
DUTY = Duty("D", 480, 300, 240, (TEA, LUNCH))


def problem(*needs: Need, duty: Duty = DUTY, prices=None) -> RosterProblem:
    who = person(Terms(least_shifts=1), 1)._replace(duties=((0,),))
    return RosterProblem(1, 0, (duty,), (who,), needs, prices or {})


@pytest.mark.parametrize(
    ("starts", "faults"),
    [
        ((540, 600), 0),
        ((660, 690), 0),
        ((570, 720), 0),
        ((539, 600), 1),
        ((661, 720), 1),
        ((600, 629), 1),
        ((540, 721), 1),
        ((660, 660), 1),
        ((530, 780), 2),
        ((540,), 1),
        ((), 2),
    ],
)
def test_windows_order_and_room(starts, faults):
    found = pauses.check(problem(), NamedRoster((Work(0, 0, 0, starts),)))
    assert sum(b.by for b in found) == faults


def test_a_pause_ends_inside_the_shift():
    late = DUTY._replace(pauses=(LUNCH._replace(latest_min=300),))
    (found,) = pauses.check(problem(duty=late), NamedRoster((Work(0, 0, 0, (750,)),)))
    assert "not within the shift" in found.text


def quarters(wanted: set[int]) -> tuple[Need, ...]:
    return tuple(Need(0, int(at in wanted), 5, 0, None, at, 30) for at in range(480, 780, 30))


def test_the_optimiser_puts_them_where_they_cost_least():
    outcome, found = solved(problem(*quarters(set(range(480, 780, 30)) - {600, 630, 660})))
    assert (outcome.status, outcome.objective) == ("optimal", 0)
    assert outcome.roster.work[0].pauses == (600, 630)
    assert found.hard == ()
    # All are wanted: three half-hours are short whatever the breaks do.
    assert optimum(problem(*quarters(set(range(480, 780, 30))))) == 15
    # Tea must be before 690, wherever it hurts; lunch can wait until 720.
    assert optimum(problem(*quarters({660, 690, 720}))) == 0
    assert optimum(problem(*quarters({540, 570, 600, 630, 660, 690}))) == 5


def test_a_long_need_is_missed_once_by_two_breaks():
    outcome, _ = solved(problem(Need(0, 1, 7, 0, None, 480, 240), Need(0, 1, 5, 0, None, 720, 60)))
    assert outcome.objective == 7


def test_a_shift_whose_breaks_do_not_fit_is_not_given():
    tight = DUTY._replace(pauses=(LUNCH._replace(earliest_min=200), TEA._replace(latest_min=180)))
    assert in_vain(problem(duty=tight)) == ["least_shifts"]


def test_breaks_cannot_have_a_price():
    with pytest.raises(ValueError, match="pauses is part of what a roster is"):
        solved(problem(prices={"pauses": 1}))
