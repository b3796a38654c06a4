"""Paid time beyond what is agreed, by the quarter of an hour."""

from lines import alone, broken, in_vain, optimum, roster

from planner.rostering.problem import Terms

RULE = "overtime"


def test_quarters_of_an_hour_beyond_what_is_agreed_count_and_a_begun_one_does():
    assert broken(RULE, alone(Terms(agreed_paid_min=900), "DDD"), "DD-") == []
    assert broken(RULE, alone(Terms(agreed_paid_min=900), "DDD"), "DL-") == [(0, None, 2)]
    assert broken(RULE, alone(Terms(agreed_paid_min=899), "DDD"), "DD-") == [(0, None, 1)]
    assert broken(RULE, alone(Terms(), "DDD"), "LLL") == []


def test_the_optimiser_keeps_it_or_pays_by_the_quarter():
    assert optimum(alone(Terms(agreed_paid_min=900), "DDD", under=500)) == 500
    assert optimum(alone(Terms(agreed_paid_min=900), "DDD", under=500, prices={RULE: 10})) == 300
    assert optimum(alone(Terms(agreed_paid_min=890), "DDD", under=500, prices={RULE: 10})) == 310
    assert optimum(alone(Terms(agreed_paid_min=900), "DDD", under=500, prices={RULE: 20})) == 500
    limited = Terms(agreed_paid_min=900, most_paid_min=1200)
    assert optimum(alone(limited, "DDD", under=500, prices={RULE: 10})) == 500


def test_what_must_be_worked_beyond_it_is_told():
    contradiction = Terms(least_paid_min=900, agreed_paid_min=450)
    assert in_vain(alone(contradiction, "DD", kinds="D"))[0] in (RULE, "least_paid")
    assert in_vain(alone(Terms(agreed_paid_min=450), "DDD"), start=roster("DD-"), free={(0, 2)}) == [RULE]
