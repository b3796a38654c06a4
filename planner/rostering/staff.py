"""From a requirement to a roster of named people that is proven by simulating it: search, check, simulate, cut, again.

Where the proof misses a window, more people are asked for there and the search goes on; where it clears one by far, fewer. Who
there is and what they may work stays as it is: what they cannot cover is said, not invented.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from planner.natural import NaturalValues
from planner.plan import PROOF_REPLICATIONS, Proof, prove
from planner.requirement import ENOUGH, PER_POINT, Requirement, targets_of, to_spare
from planner.roster import Roster
from planner.rostering import improve as search
from planner.rostering import tours
from planner.rostering.exposure import Exposed, at_first, exposed
from planner.rostering.people import Employee, Shares, needs_of, people_of, problem_of, roster_of
from planner.rostering.problem import NamedRoster, Outcome, RosterProblem
from planner.rostering.validate import Audit, audit, short_hours
from planner.scenario import compile as c
from planner.scenario.schema import Scenario
from sim.replicate import Engine
from sim.world import Floats

Say = Callable[[str], None]
ROUNDS = 3
"""How often a roster whose proof misses something is made anew."""
MOVES_PER_DAY = 8_000
"""Moves of a search for each person and day."""
STARTS = 2
MOST_SCALE = 1.6
TOLD_EVERY_S = 10.0
MEND_S = 20.0
"""Deterministic seconds of the optimiser, where it is asked."""


@dataclass(frozen=True)
class Round:
    """One pass of the loop."""

    missed: int
    """Windows of targets missed by the simulated roster, in the mean."""
    windows: int
    short_hours: float
    """Hours that the roster leaves short of what this round asked for."""
    seconds: float


@dataclass(frozen=True)
class Staffed:
    """A roster from end to end."""

    scenario: Scenario
    policy: str
    requirement: Requirement
    people: tuple[Employee, ...]
    problem: RosterProblem
    """What was asked for in the round that was kept."""
    outcome: Outcome
    audit: Audit
    """By the validator, of that roster and problem."""
    asked: RosterProblem
    """The same with the requirement's own needs, before any cut: what shortfalls are told against."""
    against: Audit
    roster: Roster
    proof: Proof
    exposed: Exposed
    """Emotional work of the roster as simulated."""
    rounds: tuple[Round, ...]
    seed: int


@dataclass(frozen=True)
class _Try:
    problem: RosterProblem
    named: NamedRoster
    audit: Audit
    roster: Roster
    proof: Proof
    exposed: Exposed
    seconds: float

    @property
    def rank(self) -> tuple[int, int, float, float]:
        """Fewer hard rules broken, then fewer windows missed, then by less, then cheaper."""
        by = sum(v.short / max(abs(v.aim), 1e-9) for v in self.proof.missed)
        return len(self.audit.hard), len(self.proof.missed), by, self.audit.objective


def staff(
    scenario: Scenario,
    natural: NaturalValues,
    policy: str,
    requirement: Requirement,
    *,
    engine: Engine = "kernel",
    executor: Executor | None = None,
    say: Say = lambda _: None,
    rounds: int = ROUNDS,
    replications: int = PROOF_REPLICATIONS,
    moves_per_day: int = MOVES_PER_DAY,
    seed: int = 1,
    shaped: Callable[[RosterProblem], RosterProblem] = lambda problem: problem,
    start: tuple[RosterProblem, NamedRoster] | None = None,
    keep: bool = False,
) -> Staffed:
    """A roster of the people in force for a requirement, with its proof.

    shaped: puts into the problem what is wished beside the needs. start: where the search begins, and the problem whose numbers it
    has; it stays where nothing that is found proves better. With `keep` there is no search, and that roster is proven. The same seed
    gives the same roster. Raises FieldError where there are no shifts or nobody to roster.
    """
    size = scenario.horizon.days * c.n_intervals(scenario)
    targets, scale = targets_of(scenario, policy), np.ones(size)
    needs = needs_of(scenario, requirement)

    def lived(problem: RosterProblem, named: NamedRoster, roster: Roster) -> Exposed:
        return exposed(
            scenario, natural, policy, problem, named, roster, seed=seed + 1, engine=engine, executor=executor
        )

    search.warm_up(say)
    # How emotional the work is at each post: from the roster in use, or a hasty one on which everybody takes every post in turn.
    blank = shaped(problem_of(scenario, needs, policy))
    hasty = (
        renumbered(start[1], start[0], blank)
        if start
        else at_first(blank, made(blank, None, max(500, moves_per_day // 8), seed, say))
    )
    shares = lived(blank, hasty, roster_of(scenario, blank, hasty)).shares
    best: _Try | None = None
    told: list[Round] = []

    def judged(problem: RosterProblem, named: NamedRoster, begun: float, name: str) -> _Try:
        found = audit(problem, named)
        roster = roster_of(scenario, problem, named)
        proof = prove(
            scenario, natural, policy, roster, replications=replications, engine=engine, executor=executor
        )
        borne = lived(problem, named, roster)
        tried = _Try(problem, named, found, roster, proof, borne, time.perf_counter() - begun)
        told.append(Round(len(proof.missed), len(proof.verdicts), short_hours(problem, found), tried.seconds))
        say(
            f"{name}: {len(named.work)} shifts, {told[-1].short_hours:,.0f} h short of what is asked; "
            f"{len(proof.missed)} of {len(proof.verdicts)} target windows missed"
        )
        return tried

    if start is not None:
        problem = shaped(problem_of(scenario, needs, policy, shares))
        best = judged(
            problem, renumbered(start[1], start[0], problem), time.perf_counter(), "roster to start from"
        )
    for done in range(0 if keep else rounds + 1):
        wanted = needs_of(scenario, requirement, scale=scale) if done else needs
        problem = shaped(problem_of(scenario, wanted, policy, shares))
        begun = time.perf_counter()
        first = renumbered(best.named, best.problem, problem) if best else None
        tried = judged(
            problem, made(problem, first, moves_per_day, seed + done, say), begun, f"roster {done + 1}"
        )
        if best is None or tried.rank < best.rank:
            best = tried
        if not tried.proof.missed:
            break
        scale = rescaled(scale, tried.proof, to_spare(list(tried.proof.verdicts), targets, size))
        shares = _with_new(shares, tried.exposed.shares)
    if best is None:
        raise ValueError("keep: needs a roster to keep")
    asked = best.problem._replace(needs=needs)
    return Staffed(
        scenario, policy, requirement, people_of(scenario), best.problem,
        certificate(best.problem, best.named, best.audit, sum(one.seconds for one in told), seed), best.audit,
        asked, audit(asked, best.named), best.roster, best.proof, best.exposed, tuple(told), seed,
    )  # fmt: skip


def renumbered(named: NamedRoster, known: RosterProblem, problem: RosterProblem) -> NamedRoster:
    """A roster of a known problem with the numbers that another of the same people gives their posts: those depend on the shares."""
    if known.posts == problem.posts:
        return named
    return NamedRoster(
        tuple(
            work._replace(
                posts=tuple(
                    problem.people[work.person].posts[known.people[work.person].posts.index(post)]
                    for post in work.posts
                )
            )
            for work in named.work
        )
    )


def _with_new(shares: Shares, newer: Shares) -> Shares:
    """Newer shares, and the old ones of posts at which nobody was."""
    return {group: {**posts, **newer.get(group, {})} for group, posts in shares.items()}


def made(
    problem: RosterProblem,
    start: NamedRoster | None,
    moves_per_day: int,
    seed: int,
    say: Say = lambda _: None,
) -> NamedRoster:
    """A roster by the compiled search, from another one where there is one; the optimiser is asked where it leaves a rule broken that must hold."""
    moves = max(500_000, moves_per_day * len(problem.people) * problem.days)
    found = search.improve(problem, start, moves=moves, seed=seed, starts=STARTS, tell=_now_and_then(say))
    if not audit(problem, found).hard:
        return found
    from planner.rostering.model import solve  # brings CP-SAT, slow to import

    return solve(problem, seconds=MEND_S, seed=seed, start=found, repeatable=True).roster


def _now_and_then(say: Say) -> search.Tell:
    """Says how far a search is, where it takes long."""
    last = time.monotonic()

    def tell(share: float, _cost: float) -> None:
        nonlocal last
        if time.monotonic() - last > TOLD_EVERY_S:
            last = time.monotonic()
            say(f"searching for a roster: {share:.0%}")

    return tell


def certificate(
    problem: RosterProblem, named: NamedRoster, found: Audit, seconds: float, seed: int
) -> Outcome:
    """What is known of a roster: its objective, and that none that keeps all hard rules costs less than the bound."""
    least = min(tours.bound(problem).cost, found.objective)
    status = "none" if found.hard else "optimal" if found.objective <= least else "feasible"
    return Outcome(named, status, found.objective, least, seconds, seed)


def rescaled(scale: Floats, proof: Proof, spare: Floats) -> Floats:
    """Ask for more in windows that are missed, for fewer where all clear by far."""
    result = scale.copy()
    for v in proof.missed:
        window = list(v.window)
        more = min(0.12, max(0.02, PER_POINT * abs(v.aim - v.mean)))
        result[window] = np.minimum(result[window] * (1 + more), MOST_SCALE)
    fewer = np.where(spare > ENOUGH, np.minimum(0.06, PER_POINT * spare), 0.0)
    return np.asarray(result * (1 - fewer))
