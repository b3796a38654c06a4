"""The paid minutes of a person over the horizon are at most `Terms.agreed_paid_min`; beyond, they are overtime, counted in quarters of an hour.

Usually it has a price. How much overtime there may be is for `most_paid` to say.
"""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, everybody

NAME = "overtime"
TITLE = "Overtime"
UNIT = "quarter-hour"
LIMIT = "agreed_paid_min"
QUARTER_MIN = 15


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """People with more, broken by the quarters of an hour beyond; a begun one counts."""
    found = []
    for number, person, work in everybody(problem, roster):
        agreed = person.terms.agreed_paid_min
        if agreed is None:
            continue
        beyond = sum(problem.duties[w.duty].paid_min for w in work.values()) - agreed
        if beyond > 0:
            text = f"{person.id}: {beyond} paid minutes beyond the {agreed} agreed"
            found.append(Broken(NAME, number, None, -(-beyond // QUARTER_MIN), text))
    return found


def post(build: Build) -> None:
    """The paid minutes of each person, added up."""
    problem = build.problem
    for number, person in enumerate(problem.people):
        agreed = person.terms.agreed_paid_min
        if agreed is not None:
            total = [
                (problem.duties[duty].paid_min, given)
                for day in range(problem.days)
                for duty, given in build.gives(number, day).items()
            ]
            build.at_most(NAME, total, agreed, per=QUARTER_MIN)
