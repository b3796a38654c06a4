"""The emotional minutes of the duty of a day are at most `Terms.most_exposed_day_min`. What is beyond midnight belongs to the day of its start."""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import (
    Broken,
    Build,
    beyond,
    bound_exposure,
    everybody,
    exposed,
    exposed_on,
    minutes_told,
)

NAME = "exposure_day"
TITLE = "Emotional work in a day"
UNIT = "minute"
LIMIT = "most_exposed_day_min"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Days with too much of it, broken by the minutes beyond, a begun one counts."""
    found = []
    for number, person, work in everybody(problem, roster):
        most = person.terms.most_exposed_day_min
        if most is None:
            continue
        for day, given in work.items():
            amount = sum(exposed(problem, given))
            if beyond(amount, most) > 0:
                text = f"{person.id}, day {day}: {minutes_told(amount)}, at most {most}"
                found.append(Broken(NAME, number, day, beyond(amount, most), text))
    return found


def post(build: Build) -> None:
    """A sum for each day, over all duties that may be given."""
    for number, person in enumerate(build.problem.people):
        most = person.terms.most_exposed_day_min
        if most is not None:
            for day in range(build.problem.days):
                bound_exposure(build, NAME, [exposed_on(build, number, day)], most)
