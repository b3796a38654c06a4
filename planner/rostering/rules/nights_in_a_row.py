"""Of any `Terms.most_nights_in_a_row` + 1 days one after another at least one has no night, counting nights before the horizon.

A night is a duty that covers 02:00, of its own day or the next.
"""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import (
    Broken,
    Build,
    everybody,
    is_night,
    plural,
    sequences_too_long,
    too_long,
)

NAME = "nights_in_a_row"
TITLE = "Nights in a row at most"
UNIT = "night"
LIMIT = "most_nights_in_a_row"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Runs of nights that are too long, broken by the nights beyond."""
    found = []
    for number, person, work in everybody(problem, roster):
        most = person.terms.most_nights_in_a_row
        if most is not None:
            nights = [day for day, given in work.items() if is_night(problem.duties[given.duty])]
            for run, by in too_long(nights, most, person.before.nights_in_a_row):
                text = (
                    f"{person.id}, day {run.after - 1}: {plural(run.days, 'night')} in a row, at most {most}"
                )
                found.append(Broken(NAME, number, run.after - 1, by, text))
    return found


def post(build: Build) -> None:
    """No window of one day more in which every day has a night."""
    problem = build.problem
    night = {number for number, duty in enumerate(problem.duties) if is_night(duty)}
    for number, person in enumerate(problem.people):
        most = person.terms.most_nights_in_a_row
        if most is not None:
            nights = [
                build.any_of([given for duty, given in build.gives(number, day).items() if duty in night])
                for day in range(problem.days)
            ]
            sequences_too_long(build, NAME, nights, most, person.before.nights_in_a_row)
