"""In a circle the most requests refused to one person less the fewest to another are at most `spread` of this rule."""

from __future__ import annotations

from collections.abc import Mapping

from planner.rostering.problem import NamedRoster, Request, RosterProblem, Work
from planner.rostering.rules.base import Broken, Build, Literal, Sum, bound_shares, shares_apart

NAME = "fair_requests"
TITLE = "Refused requests shared fairly"
UNIT = "request"
LIMIT = "requests"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Circles with more between the most and the fewest, broken by the requests beyond."""

    def refused(person: int, work: Mapping[int, Work]) -> int:
        kinds = {day: problem.duties[one.duty].kind for day, one in work.items()}
        return sum(
            (r.day in kinds if r.kind is None else kinds.get(r.day) == r.kind) != r.wants
            for r in problem.people[person].requests
        )

    return shares_apart(problem, roster, NAME, refused, "refused request")


def post(build: Build) -> None:
    """What a person works and wished not to, and wished to and does not, added up."""
    problem = build.problem

    def worked(person: int, request: Request) -> Literal:
        if request.kind is None:
            return build.works(person, request.day)
        return build.any_of(
            given
            for duty, given in build.gives(person, request.day).items()
            if problem.duties[duty].kind == request.kind
        )

    def refused(person: int) -> Sum:
        for request in problem.people[person].requests:
            met = worked(person, request)
            yield 1, build.negation(met) if request.wants else met

    bound_shares(build, NAME, refused)
