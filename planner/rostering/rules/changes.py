"""Days on which a person has another duty than in `RosterProblem.published`, one more or one less, are at most none; pauses may move.

Usually it has a price. Where nothing was published, nothing is a change.
"""

from __future__ import annotations

from itertools import product

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, keep_published, not_as_published

NAME = "changes"
TITLE = "Changes to the published roster"
UNIT = "day"
LIMIT = "published"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Days that differ, each broken by 1."""
    return not_as_published(problem, roster, NAME, _days(problem))


def post(build: Build) -> None:
    """Each duty published is given, and on other days nobody works."""
    keep_published(build, NAME, _days(build.problem))


def _days(problem: RosterProblem) -> list[tuple[int, int]]:
    if problem.published is None:
        return []
    return list(product(range(len(problem.people)), range(problem.days)))
