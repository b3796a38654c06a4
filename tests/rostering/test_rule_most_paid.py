"""Paid minutes at most."""

from lines import alone, broken, in_vain, optimum, roster

from planner.rostering.problem import Terms

RULE = "most_paid"


def test_paid_minutes_count_not_presence():
    problem = alone(Terms(most_paid_min=900), "DDD")
    assert broken(RULE, problem, "DD-") == []
    assert broken(RULE, problem, "LL-") == [(0, None, 60)]
    assert broken(RULE, alone(Terms(), "DDD"), "LLL") == []


def test_the_optimiser_keeps_it_or_pays_by_the_minute():
    assert optimum(alone(Terms(most_paid_min=900), "DDD", under=500)) == 500
    assert optimum(alone(Terms(most_paid_min=900), "DDD", under=500, prices={RULE: 1})) == 450
    assert optimum(alone(Terms(most_paid_min=1000), "DDD", under=500, prices={RULE: 1})) == 350


def test_both_ends_of_a_contract_that_contradict_each_other_are_told():
    assert in_vain(alone(Terms(least_paid_min=900, most_paid_min=450), "DD", kinds="D"))[0] in (
        RULE,
        "least_paid",
    )
    assert in_vain(alone(Terms(most_paid_min=450), "DDD"), start=roster("DD-"), free={(0, 2)}) == [RULE]
