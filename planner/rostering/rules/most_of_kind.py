"""The duties of a kind that a person works over the horizon are at most `Terms.most_of_kind` of it."""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, everybody, plural

NAME = "most_of_kind"
TITLE = "Shifts of a kind at most"
UNIT = "shift"
LIMIT = "most_of_kind"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Kinds worked too often, broken by the shifts beyond."""
    found = []
    for number, person, work in everybody(problem, roster):
        for kind, most in person.terms.most_of_kind.items():
            n = sum(problem.duties[w.duty].kind == kind for w in work.values())
            if n > most:
                found.append(
                    Broken(
                        NAME,
                        number,
                        None,
                        n - most,
                        f"{person.id}: {plural(n, 'shift')} of kind {kind}, at most {most}",
                    )
                )
    return found


def post(build: Build) -> None:
    """For each kind with a limit the duties of it, added up."""
    problem = build.problem
    for number, person in enumerate(problem.people):
        for kind, most in person.terms.most_of_kind.items():
            total = [
                (1, given)
                for day in range(problem.days)
                for duty, given in build.gives(number, day).items()
                if problem.duties[duty].kind == kind
            ]
            build.at_most(NAME, total, most)
