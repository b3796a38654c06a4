"""From a kept roster and an event to the rest of the day planned anew, and what simulating both says.

The roster in force is that of a kept `roster` run; what happens is how the scenario as asked now differs from the one that the run was made
for. Load is measured by simulating the roster under both; the day is judged on the same draws without and with the change.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from pydantic import ValidationError

from planner import natural as values
from planner import runs
from planner.natural import NaturalValues
from planner.requirement import (
    WORK,
    Verdict,
    measured_of,
    side_by_side,
    sums_by_wait,
    waits_of,
)
from planner.roster import Roster
from planner.rostering import improve as search
from planner.rostering import intraday
from planner.rostering.intraday import Moment, Replanned
from planner.rostering.people import (
    CORE,
    CORE_UNDER,
    OVER,
    UNDER,
    Employee,
    group_of_token,
    people_of,
    problem_of,
    roster_of,
    type_of_tier,
)
from planner.rostering.problem import DAY_MIN, NamedRoster, Need, RosterProblem, Work
from planner.scenario import clocks
from planner.scenario import compile as c
from planner.scenario.clocks import clock
from planner.scenario.problems import (
    FieldError,
    FieldErrors,
    Problem,
    ScenarioError,
    clip,
    nearest,
    quote,
    some,
)
from planner.scenario.schema import DAYS, Scenario
from planner.shifts import GRID_MIN
from planner.shrinkage import rostered_per_present
from sim import records as r
from sim.replicate import Engine, shared, simulated
from sim.world import DAY_MS, Floats, World

Say = Callable[[str], None]
LOADS = 4
"""Replications from which load is measured."""
REPLICATIONS = 8
"""Of the day, without and with the change."""
MOVES_PER_PERSON = 8_000
SEEN = 20
"""An interval's mean handle time leans on that of its type as on so many contacts."""
MAY_DIFFER = frozenset({"events", "what_if", "title", "story", "sources", "costs"})
"""What may be otherwise in the scenario as asked now: an event is in the first two."""
AT = '--at: must be a weekday or a date, and a time, like "wed 11:00" or "2026-03-04 11:00"'


# --- what was asked ---------------------------------------------------------------------------------------------------


def moment_of(scenario: Scenario, text: str) -> tuple[int, int]:
    """Day of the horizon, from 0, and minute of the day. Raises ScenarioError where there is no such time."""
    words = text.strip().lower().split()
    if len(words) != 2:
        _refuse(f"{AT} (found {quote(text)})")
    day = _day(scenario, words[0], text)
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", words[1])
    if not match or int(match[1]) > 23 or int(match[2]) > 59:
        _refuse(f"--at: must have a time on the clock, 00:00 to 23:59 (found {quote(words[1])})")
    minute = int(match[1]) * 60 + int(match[2])
    date = scenario.horizon.start + datetime.timedelta(day)
    for change in clocks.changes(scenario.time_zone, date, 1) if scenario.time_zone else ():
        fault = change.fault(minute)
        if fault:
            _refuse(f"--at: {words[1]} {fault}")
    return day, minute


def _day(scenario: Scenario, word: str, text: str) -> int:
    start, days = scenario.horizon.start, scenario.horizon.days
    last = start + datetime.timedelta(days - 1)
    outside = f"--at: must lie in the horizon, {start} to {last} (found {quote(text)})"
    try:
        day = (datetime.date.fromisoformat(word) - start).days
    except ValueError:
        known = [name for name in DAYS if name == word[:3] and _full(name).startswith(word)]
        if not known:
            near = nearest(word, [*DAYS, *map(_full, DAYS)])
            _refuse(f"{AT} (found {quote(text)}{f'; did you mean {near}?' if near else ''})")
        found = [day for day in range(days) if DAYS[c.weekday_of(scenario, day)] == known[0]]
        if len(found) > 1:
            dates = [str(start + datetime.timedelta(day)) for day in found]
            _refuse(
                f"--at: the horizon has several {_full(known[0]).capitalize()}s: give the date, {some(dates)} (found {quote(text)})"
            )
        day = found[0] if found else -1
    if not 0 <= day < days:
        _refuse(outside)
    return day


def _full(name: str) -> str:
    return {"tue": "tuesday", "wed": "wednesday", "thu": "thursday", "sat": "saturday"}.get(
        name, f"{name}day"
    )


def sick_of(ids: Sequence[str], asked: Sequence[str]) -> tuple[float, frozenset[int]]:
    """A share (0 where none is asked for) and people named, their numbers. Raises ScenarioError for what is neither."""
    share, named = 0.0, set()
    known = {one: number for number, one in enumerate(ids)}
    for word in (part.strip() for text in asked for part in text.split(",")):
        if word in known:
            named.add(known[word])
        elif match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", word):
            if share or not 0 < float(match[1]) <= 100:
                _refuse(
                    f"--sick: must be one share above 0 % and up to 100 %, such as 15% (found {quote(word)})"
                )
            share = float(match[1]) / 100
        else:
            near = nearest(word, ids)
            hint = f"; did you mean {near}?" if near else ""
            _refuse(
                f"--sick: must be a share such as 15%, or somebody's id as `unhurried people` lists them (found {quote(word)}{hint})"
            )
    return share, frozenset(named)


def kept_run(scenario: Scenario, file: str, folder: Path, chosen: str | None) -> tuple[str, dict[str, Any]]:
    """Name and record of the newest kept roster of a scenario, or of the run that was chosen (a folder, or its name)."""
    how = f"make one with: unhurried roster {clip(file)}"
    if chosen is not None:
        path = next((p for p in (Path(chosen), folder / chosen) if (p / "run.json").is_file()), None)
        record = runs.read(path / "run.json") if path else None
        if path is None or record is None:
            near = nearest(chosen, [p.name for p in folder.glob("roster-*")])
            hint = f"; did you mean {near}?" if near else ""
            _refuse(f"--run: must be the folder of a kept roster; {how} (found {quote(chosen)}{hint})")
        if record["kind"] != "roster" or record["scenario"].get("name") != scenario.name:
            what = f"a {record['kind']} of {record['scenario'].get('name')}"
            _refuse(f"--run: must be a kept roster of {scenario.name}; {how} (found {what})")
        return path.name, record
    found = [
        (str(record["made"]), path.parent.name, record)
        for path in folder.glob(f"roster-{scenario.name}-*/run.json")
        if (record := runs.read(path)) is not None
        and record["kind"] == "roster"
        and record["scenario"].get("name") == scenario.name
    ]
    if not found:
        _refuse(f"{clip(str(folder))}: has no kept roster of {scenario.name}; {how}")
    _, name, record = max(found, key=lambda one: one[:2])
    return name, record


def scenario_of(name: str, record: Mapping[str, Any]) -> Scenario:
    """The scenario that a run was made for. Raises ScenarioError where this version cannot read it."""
    try:
        return Scenario.model_validate_json(json.dumps(record["scenario"]), strict=False)
    except (ValidationError, FieldError, FieldErrors):
        _refuse(f"{name}: was kept by another version, whose scenario cannot be read: make the roster anew")


def same_but_for_events(kept: Scenario, now: Scenario, run: str, file: str) -> None:
    """Raise ScenarioError where anything but events and `what_if` is otherwise than in the kept roster."""
    differs = [
        name
        for name in Scenario.model_fields
        if name not in MAY_DIFFER and getattr(kept, name) != getattr(now, name)
    ]
    if kept.what_if.headcount != now.what_if.headcount:
        differs.append("what_if.headcount")
    if differs:
        _refuse(
            f"{file}: {some(differs)}: must be as in the kept roster {run}, only events and what_if may differ; "
            f"or make the roster anew: unhurried roster {clip(file)}"
        )


def _refuse(text: str) -> NoReturn:
    place, _, allowed = text.partition(": ")
    raise ScenarioError([Problem(place, None, "", None, allowed)])


# --- the kept roster --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KeptRoster:
    """A kept roster."""

    run: str
    scenario: Scenario
    policy: str
    people: tuple[Employee, ...]
    problem: RosterProblem
    """Its people, shifts and rules, with the needs that it was asked for."""
    roster: NamedRoster
    natural: NaturalValues | None
    """None where the run has not kept them."""


def in_force(run: str, record: Mapping[str, Any], scenario: Scenario) -> KeptRoster:
    """A kept roster as the people, rules and shifts that it is made of. Raises ScenarioError where it does not fit this version."""
    document, policy = record["document"], record["options"].get("policy", "as_is")
    basis = document.get("basis") or {}
    needs = [
        need
        for row in document["cover"]
        for at, people in enumerate(row["asked"])
        if people
        for need in [_need(row["skills"], at * row["minutes"], row["minutes"], people)]
    ]
    problem = problem_of(scenario, needs, policy, basis.get("shares"))
    kept = None
    try:
        roster = NamedRoster(tuple(sorted([_work(problem, row) for row in document["work"]])))
        if "natural" in basis:
            kept = values.from_document(basis["natural"])
    except (KeyError, StopIteration, ValueError):
        _refuse(
            f"{run}: was kept by another version, whose shifts this one does not know: make the roster anew"
        )
    return KeptRoster(run, scenario, policy, people_of(scenario), problem, roster, kept)


def _need(skills: Sequence[str], at: int, minutes: int, people: int) -> Need:
    day, start = divmod(at, DAY_MIN)
    core = int(CORE * people)
    return Need(day, people, UNDER, OVER, None, start, minutes, frozenset(skills), core, CORE_UNDER)


def _work(problem: RosterProblem, row: Mapping[str, Any]) -> Work:
    """A row of the document; StopIteration where the problem has no such person, shift or post."""
    number, person = next((k, p) for k, p in enumerate(problem.people) if p.id == row["person"])
    day = row["day"] - 1
    pauses = [(p["name"], p["end_min"] - p["start_min"], p["kind"]) for p in row["pauses"]]
    times = row["start_min"], row["end_min"], row["paid_min"]
    duty = next(
        k
        for k in person.duties[day]
        if (
            problem.duties[k].kind,
            problem.duties[k].start_min,
            problem.duties[k].end_min,
            problem.duties[k].paid_min,
        )
        == (row["shift"], *times)
        and [(p.name, p.minutes, p.kind) for p in problem.duties[k].pauses] == pauses
    )
    posts = [next(k for k in person.posts if problem.posts[k].name == name) for name in row["posts"]]
    return Work(number, day, duty, tuple(p["start_min"] for p in row["pauses"]), tuple(posts))


# --- load, and the day as it is lived ---------------------------------------------------------------------------------


class Lived(NamedTuple):
    """What simulating a roster gave; the first axis of each array is the replication."""

    by_wait: list[list[dict[str, Floats]]]
    """By replication and acceptable wait, sums by interval."""
    reached: Floats
    """(reps, T, days x I) contacts that reached people."""
    handled: Floats
    """(reps, T, days x I) those of them that were answered, and the seconds that they took."""
    seconds: Floats


class Simulations:
    """Replications of rosters, each of them asked for once, side by side where there is an executor."""

    def __init__(
        self, scenario: Scenario, natural: NaturalValues, policy: str, seed: int, engine: Engine, executor: Executor | None
    ) -> None:  # fmt: skip
        self.natural, self.policy, self.seed = natural, policy, seed
        self.engine, self.executor = engine, executor
        self.waits = waits_of(scenario, policy)
        self.asked: list[tuple[Scenario, Roster, list[Any]]] = []

    def of(self, scenario: Scenario, roster: Roster, replications: int) -> Lived:
        """So many replications of a roster under a scenario; those that were made before are not made again."""
        done = next((d for s, one, d in self.asked if s == scenario and one == roster), None)
        if done is None:
            done = []
            self.asked.append((scenario, roster, done))
        if len(done) < replications:
            world = c.compile_world(scenario, self.natural, self.policy, roster, follow=False)
            numbers = range(len(done), replications)
            if self.executor is None:
                done += [_once(world, self.waits, self.seed, k, self.engine) for k in numbers]
            else:
                sent, submit = shared(self.executor, world), self.executor.submit
                futures: list[Future[Any]] = [
                    submit(_once, sent, self.waits, self.seed, k, self.engine) for k in numbers
                ]
                done += [future.result() for future in futures]
        some_ = done[:replications]
        return Lived([one[0] for one in some_], *(np.stack([one[k] for one in some_]) for k in (1, 2, 3)))


def _once(
    world: World, waits: list[float], seed: int, k: int, engine: Engine
) -> tuple[Any, Floats, Floats, Floats]:
    block, written = simulated(world, seed, [k], engine)
    sums = sums_by_wait(world, block, written, waits)
    n_types = len(world.types.talk_cv)
    reached = np.sum([sums[0][name] for name in WORK], axis=0).reshape(n_types, -1)
    size, clock = reached.shape[1], world.clock
    at = written.lines["arrive_ms"] - clock.start_ms
    here = np.flatnonzero((written.outcome == r.ANSWERED) & (at >= 0) & (at < clock.days * DAY_MS))
    place = block.needs["type"][block.links["need"][here]] * size + at[here] // clock.interval_ms
    handled, seconds = (
        np.bincount(place, weights, minlength=n_types * size).reshape(n_types, size).astype(np.float64)
        for weights in (None, written.lines["full_ms"][here] / 1000)
    )
    return sums, reached, handled, seconds


def load_of(lived: Lived, interval_min: int) -> Floats:
    """(T, days x I) erlangs that reach people: contacts times their mean handle time, in which an interval leans on the whole."""
    reached = lived.reached.mean(axis=0)
    handled, seconds = lived.handled.sum(axis=0), lived.seconds.sum(axis=0)
    usual = seconds.sum(axis=1) / np.maximum(handled.sum(axis=1), 1.0)
    handle = (seconds + SEEN * usual[:, None]) / (handled + SEEN)
    return np.asarray(reached * handle / (interval_min * 60), np.float64)


class Shown(NamedTuple):
    """A target over some of the day, without and with the change."""

    target: int
    before: Verdict
    after: Verdict
    half: float
    """Half of the 95 % interval of after less before, on the same draws; infinite where there is none."""


def shown(
    scenario: Scenario, policy: str, before: Lived, after: Lived, window: tuple[int, ...]
) -> list[Shown]:
    """Every target that has contacts in these flat intervals in both."""
    waits = waits_of(scenario, policy)
    old, new = (measured_of(lived.by_wait, waits, scenario) for lived in (before, after))
    return [
        Shown(v.target, v, then, half) for v, then, half in side_by_side(scenario, policy, old, new, window)
    ]


# --- the whole --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """A day planned anew, from end to end."""

    scenario: Scenario
    """As asked now."""
    kept: KeptRoster
    day: int
    at_min: int
    """As asked; what can change does from `plan.rest.moment` on."""
    sick_share: float
    plan: Replanned
    load_before: Floats
    """(T, days x I) erlangs as the roster was made for, and as it is now."""
    load_after: Floats
    of_day: tuple[Shown, ...]
    of_rest: tuple[Shown, ...]
    seed: int
    replications: int


def replan(
    scenario: Scenario,
    kept: KeptRoster,
    natural: NaturalValues,
    day: int,
    at_min: int,
    *,
    sick_share: float = 0.0,
    sick: frozenset[int] = frozenset(),
    overtime_min: int = 120,
    engine: Engine = "kernel",
    executor: Executor | None = None,
    say: Say = lambda _: None,
    seed: int = 1,
    replications: int = REPLICATIONS,
    moves_per_person: int = MOVES_PER_PERSON,
) -> Result:
    """Plan the rest of a day anew, and simulate the day without and with the change. The same seed gives the same."""
    problem, roster = kept.problem, kept.roster
    from_min = -(-at_min // GRID_MIN) * GRID_MIN
    drawn = intraday.drawn_sick(problem, roster, day, from_min, sick_share, seed)
    moment = Moment(day, from_min, sick | drawn, overtime_min)
    simulations = Simulations(scenario, natural, kept.policy, seed, engine, executor)
    as_made = roster_of(scenario, problem, roster)
    minutes = scenario.horizon.interval_min
    if _same_load(kept.scenario, scenario):
        before = after = load_of(simulations.of(scenario, as_made, LOADS), minutes)
    else:
        before, after = (
            load_of(simulations.of(one, as_made, LOADS), minutes) for one in (kept.scenario, scenario)
        )
    say("load measured")
    names = list(scenario.types)
    needs = intraday.scaled(
        problem.needs, lambda skills: _types(scenario, names, skills), before, after, from_min=moment.at, interval_min=minutes,
        rostered=_rostered(kept.scenario), rostered_after=_rostered(scenario),
    )  # fmt: skip
    rest = intraday.rest_of(problem._replace(needs=needs), roster, moment)
    search.warm_up(say)
    say(f"{len(rest.options)} people may work otherwise from {clock(from_min)} on")
    plan = intraday.replan(rest, moves=max(100_000, moves_per_person * len(rest.options)), seed=seed)
    say("planned anew; simulating the day without and with it")
    without, with_it = (
        simulations.of(scenario, roster_of(scenario, rest.problem, one), replications)
        for one in (rest.before, plan.roster)
    )
    n = c.n_intervals(scenario)
    first = day * n + from_min // minutes
    windows = tuple(range(day * n, (day + 1) * n)), tuple(range(first, (day + 1) * n))
    of_day, of_rest = (tuple(shown(scenario, kept.policy, without, with_it, window)) for window in windows)
    return Result(
        scenario, kept, day, at_min, sick_share, plan, before, after, of_day, of_rest, seed, replications
    )


def _same_load(kept: Scenario, now: Scenario) -> bool:
    """Whether as many contacts come, and as they did."""
    return kept.what_if == now.what_if and kept.events == now.events


def _types(scenario: Scenario, names: Sequence[str], skills: frozenset[str]) -> list[int]:
    """The types (their numbers) that whoever has these skills is asked for."""
    found = {skill for skill in skills if skill in scenario.types}
    for skill in skills:
        group = group_of_token(skill)
        found |= set(scenario.skills(group)) if group is not None else set()
    found = found or {kind for skill in skills if (kind := type_of_tier(skill)) is not None}
    return [t for t, name in enumerate(names) if name in found or not skills]


def _rostered(scenario: Scenario) -> Floats:
    """(days,) people to roster for each one present, spikes of absence among them."""
    found = rostered_per_present(scenario)
    spikes = [event for event in scenario.events if event.kind == "absence_spike"]
    if not spikes:
        return found
    more = _absent(scenario)
    for event in spikes:
        days = slice(event.from_day - 1, event.to_day or event.from_day)
        found[days] *= (1 - more[days]) / np.maximum(1 - np.minimum(more[days] * event.factor, 0.9), 0.1)
    return found


def _absent(scenario: Scenario) -> Floats:
    """(days,) share of people who are absent."""
    without = scenario.model_copy(
        update={"shrinkage": tuple(item for item in scenario.shrinkage if item.kind != "absence")}
    )
    return np.asarray(1 - rostered_per_present(without) / rostered_per_present(scenario), np.float64)
