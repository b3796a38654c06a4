"""An independent check of a named roster: every rule, the cover and the objective, in plain loops.

Shares no code with the optimiser and never imports it. What an outcome claims of itself is compared with what is so.
"""

from __future__ import annotations

from typing import NamedTuple

from planner.rostering import cover, rules
from planner.rostering.cover import Group, Met, Served
from planner.rostering.problem import DAY_MIN, NamedRoster, Outcome, RosterProblem, Work
from planner.rostering.rules import Broken
from planner.rostering.rules.base import Stretch, stretches

TOLERANCE = 1e-6


class Audit(NamedTuple):
    """What the validator found, recomputed from the work alone. Money in the whole units of the prices."""

    hard: tuple[Broken, ...]
    """Rules broken that have no price."""
    soft: tuple[Broken, ...]
    """Rules broken at their price."""
    under: int
    over: int
    requests: int
    disliked: int
    broken: int
    """Price of `soft`."""
    met: tuple[Met, ...]
    """How each need is met, in their order."""
    refused: tuple[tuple[int, int], ...]
    """Requests not met: the person, and the number of the request among that person's."""
    claims: tuple[str, ...] = ()
    """What an outcome says of itself that is not so."""

    @property
    def objective(self) -> int:
        """The cost of the roster, without its hard rules broken."""
        return self.under + self.over + self.requests + self.disliked + self.broken

    @property
    def valid(self) -> bool:
        """Whether no hard rule is broken and every claim holds."""
        return not self.hard and not self.claims


def audit(problem: RosterProblem, roster: NamedRoster) -> Audit:
    """Re-check every rule and recompute every number of a roster.

    Work of a person, day, duty or post that the problem does not have is listed under the rule `roster` and counts for nothing.
    Raises ValueError where the problem makes no sense, such as a price of what is no rule.
    """
    rules.require_sound(problem)
    sound, found = _known(problem, roster)
    found += rules.check(problem, sound)
    soft = tuple(b for b in found if b.rule in problem.prices)
    met = cover.split(problem.needs, count(problem, sound))
    kinds = {(w.person, w.day, problem.duties[w.duty].kind) for w in sound.work}
    at_work = {(w.person, w.day) for w in sound.work}
    refused = tuple(
        (number, index)
        for number, person in enumerate(problem.people)
        for index, r in enumerate(person.requests)
        if ((number, r.day) in at_work if r.kind is None else (number, r.day, r.kind) in kinds) != r.wants
    )
    return Audit(
        hard=tuple(b for b in found if b.rule not in problem.prices),
        soft=soft,
        under=sum(problem.needs[m.need].price(m.short, 0) for m in met),
        over=sum(problem.needs[m.need].price(0, m.over) for m in met),
        requests=sum(problem.people[number].requests[index].weight for number, index in refused),
        disliked=sum(problem.people[w.person].dislike.get(w.duty, 0) for w in sound.work),
        broken=sum(b.by * problem.prices[b.rule] for b in soft),
        met=tuple(met),
        refused=refused,
    )


def short_hours(problem: RosterProblem, found: Audit) -> float:
    """Hours for which people are missing, summed over needs."""
    return sum(m.short * problem.needs[m.need].minutes for m in found.met) / 60


def validate(problem: RosterProblem, outcome: Outcome) -> Audit:
    """The same, and what the outcome claims: its status, objective and bound."""
    found = audit(problem, outcome.roster)
    claims = []
    slack = TOLERANCE * max(1.0, abs(found.objective))
    if abs(outcome.objective - found.objective) > slack:
        claims.append(f"objective {outcome.objective!r}, recomputed {found.objective}")
    if outcome.bound > found.objective + slack:
        claims.append(f"bound {outcome.bound!r} above the objective {found.objective}")
    if outcome.status not in ("optimal", "feasible", "none"):
        claims.append(f"status {outcome.status!r}, must be optimal, feasible or none")
    if (outcome.status == "none") != bool(found.hard):
        claims.append(f"status {outcome.status!r}, with {len(found.hard)} hard rules broken")
    if outcome.status == "optimal" and outcome.bound < found.objective - slack:
        claims.append(f"status 'optimal', with a bound of {outcome.bound!r} below {found.objective}")
    return found._replace(claims=tuple(claims))


def _known(problem: RosterProblem, roster: NamedRoster) -> tuple[NamedRoster, list[Broken]]:
    sound: list[Work] = []
    found: list[Broken] = []
    for work in roster.work:
        for name, value, limit in (
            ("person", work.person, len(problem.people)),
            ("day", work.day, problem.days),
            ("duty", work.duty, len(problem.duties)),
            *(("post", post, len(problem.posts)) for post in work.posts),
        ):
            if not 0 <= value < limit:
                text = f"no {name} {value}, there are {limit}"
                found.append(Broken("roster", work.person, work.day, 1, text))
                break
        else:
            sound.append(work)
    return NamedRoster(tuple(sorted(sound))), found


def count(problem: RosterProblem, roster: NamedRoster) -> list[tuple[Group, dict[Served, int]]]:
    """For each group of needs, how many people at work could count for which of them.

    On the queue somebody counts by the skills of the post of the stretch in which the time lies.
    """
    counts: list[tuple[Group, dict[Served, int]]] = []
    by_day: dict[int, list[tuple[Work, list[Stretch]]]] = {}
    for work in roster.work:
        by_day.setdefault(work.day, []).append((work, stretches(problem, work)))
    longest = max((-(-duty.end_min // DAY_MIN) for duty in problem.duties), default=1)
    for group in cover.groups(problem.needs):
        people: dict[Served, int] = {}
        present: set[int] = set()
        days = (group.day,) if group.kind is not None else range(group.day - longest + 1, group.day + 1)
        for work, on_queue in (those for day in days for those in by_day.get(day, ())):
            if group.kind is None:
                posts = [
                    post for start, end, post in on_queue if start <= group.start_min and group.end_min <= end
                ]
            else:
                posts = [None] if problem.duties[work.duty].kind == group.kind else []
            if posts and work.person not in present:
                present.add(work.person)
                able = cover.served(problem.needs, group, cover.at_post(problem, work.person, posts[0]))
                people[able] = people.get(able, 0) + 1
        counts.append((group, people))
    return counts
