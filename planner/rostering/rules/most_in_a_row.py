"""Of any `Terms.most_in_a_row` + 1 days one after another at least one is off, counting the days worked before the horizon."""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, everybody, plural, sequences_too_long, too_long

NAME = "most_in_a_row"
TITLE = "Days in a row at most"
UNIT = "day"
LIMIT = "most_in_a_row"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Runs of work that are too long, broken by the days beyond."""
    found = []
    for number, person, work in everybody(problem, roster):
        most = person.terms.most_in_a_row
        if most is not None:
            for run, by in too_long(work, most, person.before.days_in_a_row):
                text = f"{person.id}, day {run.after - 1}: {plural(run.days, 'day')} in a row, at most {most}"
                found.append(Broken(NAME, number, run.after - 1, by, text))
    return found


def post(build: Build) -> None:
    """No window of one day more that is all worked."""
    for number, person in enumerate(build.problem.people):
        most = person.terms.most_in_a_row
        if most is not None:
            works = [build.works(number, day) for day in range(build.problem.days)]
            sequences_too_long(build, NAME, works, most, person.before.days_in_a_row)
