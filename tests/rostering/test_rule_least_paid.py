"""Paid minutes at least: breaks that are unpaid do not count."""

from lines import alone, broken, in_vain, optimum

from planner.rostering.problem import Terms

RULE = "least_paid"


def test_paid_minutes_count_not_presence():
    problem = alone(Terms(least_paid_min=960), "DDD")
    assert broken(RULE, problem, "LL-") == []
    assert broken(RULE, problem, "DD-") == [(0, None, 60)]
    assert broken(RULE, problem, "---") == [(0, None, 960)]


def test_people_work_for_it_where_nobody_needs_them_or_it_is_paid_for():
    terms = Terms(least_paid_min=900)
    assert optimum(alone(terms, "D--", kinds="D")) == 0
    problem = alone(terms, "DDD", kinds="D", under=-0)
    assert optimum(problem) == 0
    nobody = problem._replace(needs=tuple(n._replace(people=0, over=100) for n in problem.needs))
    assert optimum(nobody) == 200
    assert optimum(nobody._replace(prices={RULE: 1})) == 200
    assert (
        optimum(
            nobody._replace(
                people=(nobody.people[0]._replace(terms=Terms(least_paid_min=500)),), prices={RULE: 1}
            )
        )
        == 150
    )


def test_a_contract_that_no_week_can_meet_is_told_and_met_as_far_as_it_goes():
    problem = alone(Terms(least_paid_min=2000), "D--", kinds="D")
    assert in_vain(problem) == [RULE]
    assert broken(RULE, problem, "DDD") == [(0, None, 650)]
