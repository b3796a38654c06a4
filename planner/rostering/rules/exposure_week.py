"""The emotional minutes of duties that start in days 0 to 6 of the horizon, 7 to 13, and so on are at most `Terms.most_exposed_week_min` each."""

from __future__ import annotations

from planner.rostering.problem import WEEK_DAYS, NamedRoster, RosterProblem
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

NAME = "exposure_week"
TITLE = "Emotional work in a week"
UNIT = "minute"
LIMIT = "most_exposed_week_min"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Weeks with too much of it, broken by the minutes beyond, a begun one counts; the day is the last with a duty."""
    found = []
    for number, person, work in everybody(problem, roster):
        most = person.terms.most_exposed_week_min
        if most is None:
            continue
        for first in range(0, problem.days, WEEK_DAYS):
            days = [day for day in sorted(work) if first <= day < first + WEEK_DAYS]
            amount = sum(sum(exposed(problem, work[day])) for day in days)
            if beyond(amount, most) > 0:
                text = f"{person.id}, week {first // WEEK_DAYS + 1}: {minutes_told(amount)}, at most {most}"
                found.append(Broken(NAME, number, days[-1], beyond(amount, most), text))
    return found


def post(build: Build) -> None:
    """A sum for each week, over all duties that may be given."""
    days = build.problem.days
    for number, person in enumerate(build.problem.people):
        most = person.terms.most_exposed_week_min
        if most is not None:
            for first in range(0, days, WEEK_DAYS):
                week = range(first, min(first + WEEK_DAYS, days))
                bound_exposure(build, NAME, [exposed_on(build, number, day) for day in week], most)
