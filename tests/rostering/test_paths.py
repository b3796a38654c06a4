"""Paths of runs: exactly the sequences that the rules allow, so that they change no roster, only the bound."""

import itertools

import pytest
from lines import alone, roster
from ortools.sat.python import cp_model

from planner.rostering.model import Model
from planner.rostering.problem import Before, Terms
from planner.rostering.rules import BY_NAME

SEQUENCES = ("most_in_a_row", "least_in_a_row", "least_off_in_a_row", "weekends")


@pytest.mark.parametrize("leave", [(), (2,), (0, 4)])
@pytest.mark.parametrize("before", [Before(), Before(2), Before(5)])
@pytest.mark.parametrize(
    "terms",
    [
        Terms(most_in_a_row=3, least_in_a_row=2, least_off_in_a_row=2, most_weekends=1),
        Terms(most_in_a_row=2, least_off_in_a_row=3),
        Terms(least_in_a_row=3, most_weekends=0),
        Terms(most_in_a_row=1),
    ],
)
def test_every_allowed_week_has_a_path_and_no_other(terms, before, leave):
    problem = alone(terms, "-------", kinds="D", leave=leave, before=before, first_weekday=3)
    rules = [BY_NAME[name] for name in SEQUENCES]
    allowed = {
        week
        for week in map("".join, itertools.product("D-", repeat=7))
        if all(week[day] == "-" for day in leave)
        and not any(rule.check(problem, roster(week)) for rule in rules)
    }
    # With the rules taken out of the model what is left are the paths.
    bare = PathsOnly(problem)
    assert bare.weeks() == allowed


class PathsOnly(Model):
    """The model without what the rules on sequences add."""

    def forbid(self, rule, all_of, by=1):
        if rule not in SEQUENCES:
            super().forbid(rule, all_of, by)

    def weeks(self) -> set[str]:
        assert self.has_paths
        self.model.clear_objective()
        found: set[str] = set()
        works = [self.works(0, day) for day in range(self.problem.days)]

        class Collect(cp_model.CpSolverSolutionCallback):
            def on_solution_callback(self):
                found.add(
                    "".join(
                        "D" if (one if isinstance(one, int) else self.value(one)) else "-" for one in works
                    )
                )

        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.enumerate_all_solutions = True
        assert solver.solve(self.model, Collect()) in (cp_model.OPTIMAL, cp_model.INFEASIBLE)
        return found


def test_limits_that_have_a_price_limit_no_path():
    terms = Terms(most_in_a_row=2, least_in_a_row=2, least_off_in_a_row=2)
    problem = alone(terms, "DDDDDDD", kinds="D")
    assert Model(problem).has_paths
    assert not Model(problem._replace(prices=dict.fromkeys(SEQUENCES, 1))).has_paths
    assert not Model(problem, relaxed=True).has_paths


def test_whoever_is_not_free_all_the_time_has_no_path():
    problem = alone(Terms(most_in_a_row=2), "DDDDDDD", kinds="D")
    assert not Model(problem, roster("DDDDDDD"), {(0, 3)}).has_paths
