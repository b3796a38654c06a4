"""Days in `RosterProblem.locked` on which a person has another duty than published, one more or one less, are at most none; pauses may move."""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, keep_published, not_as_published

NAME = "locked"
TITLE = "What is locked stays as published"
UNIT = "day"
LIMIT = "locked"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Locked days that differ, each broken by 1."""
    return not_as_published(problem, roster, NAME, sorted(problem.locked))


def post(build: Build) -> None:
    """On locked days each duty published is given, and where there is none nobody works."""
    keep_published(build, NAME, sorted(build.problem.locked))
