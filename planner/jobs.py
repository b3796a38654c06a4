"""The jobs that the command line and the app share: read, anchor, simulate, plan, compare, and keep what came out.

Everything heavy goes through here with a `say` for progress; nothing here prints. What computes is imported where it is
used, for whoever only reads a kept run need not wait for it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner import pieces, runs
from planner.frames import FRAMES, PLAN_SEED
from planner.frames import SEED as COMPARE_SEED
from planner.scenario.load import Applied, Loaded, lines_of, problem_at, read
from planner.scenario.problems import Problem, ScenarioError, counted, nearest
from planner.scenario.schema import Scenario

if TYPE_CHECKING:
    import pandas as pd

    from planner.anchor import Anchored
    from planner.plan import PlanResult
    from planner.roster import Roster
    from planner.rostering.staff import Staffed
    from planner.rostering.wishes import Wishes
    from sim.replicate import Engine

Say = Callable[[str], None]
DEMO = "insurer"
DEMO_REPLICATIONS = 3
LADDER_REPLICATIONS = 2


@dataclass(frozen=True)
class Today:
    """A scenario with its roster of today and its natural values."""

    scenario: Scenario
    roster: Roster
    anchored: Anchored


def shipped() -> dict[str, Path]:
    """The scenarios that ship with the product, by name."""
    root = Path(str(files("scenarios")))
    return {path.stem: path for path in sorted(root.glob("*.yaml"))}


def path_of(name: str) -> Path:
    """A scenario's file: a path, or the name of one that ships."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.exists() or os.sep in name:
        return path
    known = shipped()
    if name in known:
        return known[name]
    problem = Problem(
        name, None, "", None, f"no such file, and no scenario of that name ships; there are {', '.join(known)}",
        nearest(name, known),
    )  # fmt: skip
    raise ScenarioError([problem])


def load(name: str, scenario: str | None = None, sets: Sequence[str] = ()) -> Loaded[Scenario]:
    """Read a scenario file (or a shipped scenario's name)."""
    return read(path_of(name), Scenario, scenario=scenario, sets=sets)


def can_be_anchored(loaded: Loaded[Scenario]) -> None:
    """Raise ScenarioError for observed numbers that no natural value can give."""
    from planner.anchor import first_guess, observed_base

    with lines_of(lambda: loaded):
        first_guess(observed_base(loaded.value))


def notices(loaded: Loaded[Scenario]) -> list[Problem]:
    """What is allowed in the list of people but worth knowing, with its file and line."""
    if not loaded.value.people:
        return []
    from planner.rostering import people

    return [problem_at(loaded, error) for error in people.notices(loaded.value)]


def people_in_force(loaded: Loaded[Scenario]) -> dict[str, Any]:
    """The people to be rostered by name, as a document."""
    from planner import people_report

    told = [notice._asdict() | {"text": str(notice)} for notice in notices(loaded)]
    return people_report.document_of(loaded.value) | {
        "applied": runs.applied_rows(loaded.applied),
        "notices": told,
    }


def chosen_policies(loaded: Scenario, names: Sequence[str] | None, file: str) -> list[str]:
    """as_is first, then the policies asked for (all by default)."""
    wanted = list(names) if names else list(loaded.policies)
    for name in wanted:
        if name not in loaded.policies:
            raise ScenarioError(
                [Problem(file, None, "policies", repr(name), f"no such policy; there are {', '.join(loaded.policies)}", nearest(name, loaded.policies))]
            )  # fmt: skip
    return ["as_is", *(name for name in wanted if name != "as_is")]


@contextmanager
def workers(engine: Engine = "kernel", cluster: str | None = None, say: Say = lambda _: None) -> Any:
    """An executor as wide as this machine, or over the workers of the Dask cluster at this address.

    The compiled engine is at hand here and there before anything is asked of it; where that takes a while, it is said.
    """
    from sim import kernel
    from sim.replicate import local_executor

    if cluster is not None:
        from planner.cluster import connect

        with connect(cluster, compiled=engine == "kernel", say=say) as connected:
            if engine == "kernel":
                kernel.warm_up(say)
            yield connected
        return
    if engine == "kernel":
        kernel.warm_up(say)
    executor: Executor = local_executor(engine, lanes())
    try:
        yield executor
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def lanes() -> int:
    """Tasks at the same time on this machine."""
    return max(1, min(os.cpu_count() or 1, 8))


def made_on(executor: Executor) -> dict[str, Any]:
    """Where a result was computed: the cluster's address if it was one, workers, tasks at a time, families of processors."""
    found = getattr(executor, "workers", None)
    if found is None:
        return {"cluster": None, "workers": 1, "threads": lanes(), "cpu": [runs.cpu()]}
    return {
        "cluster": getattr(executor, "address", None),
        "workers": len(found),
        "threads": sum(one["threads"] for one in found.values()),
        "cpu": sorted({one["cpu"] for one in found.values()}),
    }


def today(
    scenario: Scenario,
    *,
    engine: Engine = "kernel",
    executor: Executor | None = None,
    say: Say = lambda _: None,
) -> Today:
    """Today's roster, and natural values anchored to it."""
    from planner.anchor import anchor
    from planner.plan import as_is_roster

    roster = as_is_roster(scenario, say)
    return Today(scenario, roster, anchor(scenario, roster, engine=engine, executor=executor, say=say))


def simulate_options(
    policy: str, replications: int, seed: int, engine: Engine, records: int = 0
) -> dict[str, Any]:
    """What decides a simulation's result, beside the scenario and the code."""
    options = {"policy": policy, "replications": replications, "seed": seed, "engine": engine}
    return options | ({"records": records} if records else {})


def _blocks_of(scenario: Scenario, options: Mapping[str, Any], folder: Path | None) -> pieces.Kept:
    """Where a simulation's blocks are kept: records are made afterwards, and change none of them."""
    return pieces.kept_for("simulate", scenario, {**options, "records": 0}, folder)


def simulate(
    loaded: Loaded[Scenario],
    policy: str,
    *,
    replications: int,
    seed: int,
    engine: Engine = "kernel",
    cluster: str | None = None,
    say: Say = lambda _: None,
    records: int = 0,
    folder: Path | None = None,
) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """Simulate a policy on today's roster; the document and its tables, with the records of the first replications.

    Blocks of replications are kept in `folder`, if one is given; whoever keeps the document clears them.
    """
    from planner import report
    from planner.anchor import lens_of
    from planner.scenario import compile as c
    from planner.sweeps import simulate_all
    from planner.tables import tables_of
    from sim.replicate import simulate_once

    start = time.monotonic()
    scenario = loaded.value
    kept = _blocks_of(scenario, simulate_options(policy, replications, seed, engine), folder)
    with workers(engine, cluster, say) as executor:
        machines = made_on(executor)
        now = today(scenario, engine=engine, executor=executor, say=say)
        say(f"simulating {policy}, {counted(replications, 'replication')}")
        world = c.compile_world(scenario, now.anchored.natural, policy, now.roster)
        totals = simulate_all(
            {"today": (world, lens_of(scenario, policy))}, replications, seed, engine, executor, kept, say=say,
            progress=lambda done, of: say(f"block {done} of {of}"),
        )["today"]  # fmt: skip
    document = report.simulation_document(
        scenario, policy, engine, seed, replications, time.monotonic() - start, totals, natural=now.anchored.natural,
        applied=loaded.applied,
    )  # fmt: skip
    document["made_on"] = machines
    document["anchoring"] = report.misfit_rows(scenario, now.anchored)
    tables = {"measures": frame_of({"": {policy: document["measures"]}})}
    parts = [
        tables_of(scenario, world, *simulate_once(world, seed, k, engine), k)
        for k in range(min(records, replications))
    ]
    if parts:
        import pandas as pd

        tables |= {name: pd.concat([part[name] for part in parts]) for name in parts[0]}
    return document, tables


def kept_simulation(
    loaded: Loaded[Scenario], policy: str, *, replications: int, seed: int, engine: Engine = "kernel", records: int = 0,
    folder: Path = runs.FOLDER, cluster: str | None = None, say: Say = lambda _: None,
) -> tuple[dict[str, Any], Path]:  # fmt: skip
    """Simulate and keep the run; one that was interrupted goes on. The document and the folder of its run."""
    options = simulate_options(policy, replications, seed, engine, records)
    document, tables = simulate(
        loaded, policy, replications=replications, seed=seed, engine=engine, cluster=cluster, say=say,
        records=records, folder=folder,
    )  # fmt: skip
    path = runs.save(
        "simulate", loaded.value, options, document, tables, applied=[tuple(a) for a in loaded.applied],
        folder=folder,
    )  # fmt: skip
    _blocks_of(loaded.value, options, folder).clear()
    return document, path


def trace(
    loaded: Loaded[Scenario],
    policy: str,
    need: str,
    *,
    seed: int,
    cluster: str | None = None,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """One journey's story on today's roster, from the SimPy model. Raises ScenarioError where there is no such need."""
    from planner import trace as t
    from planner.scenario import compile as c
    from sim.draws import draw

    scenario = loaded.value
    t.check(scenario, need)
    with workers(cluster=cluster, say=say) as executor:  # both engines give the same natural values
        now = today(scenario, executor=executor, say=say)
    say(f"following {need}")
    world = c.compile_world(scenario, now.anchored.natural, policy, now.roster)
    journey = t.journey_of(scenario, world, draw(world, seed, 0), need)
    return t.document_of(journey, policy, seed, loaded.applied)


def make_plan(
    loaded: Loaded[Scenario],
    policy: str,
    *,
    replications: int = 10,
    seed: int = PLAN_SEED,
    quick: bool = False,
    engine: Engine = "kernel",
    cluster: str | None = None,
    say: Say = lambda _: None,
) -> tuple[dict[str, Any], dict[str, pd.DataFrame], PlanResult]:
    """Plan a policy; the document, its tables and the plan itself."""
    from planner import report
    from planner.anchor import lens_of
    from planner.plan import plan
    from planner.requirement import MOST, QUICK
    from planner.scenario import compile as c
    from sim.replicate import replicate

    start = time.monotonic()
    with workers(engine, cluster, say) as executor:
        machines = made_on(executor)
        now = today(loaded.value, engine=engine, executor=executor, say=say)
        result = plan(
            loaded.value, now.anchored.natural, policy, engine=engine, executor=executor, say=say,
            replications=replications, plan_replications=QUICK if quick else MOST, seed=seed,
        )  # fmt: skip
        say("pricing the plan")
        world = c.compile_world(loaded.value, now.anchored.natural, policy, result.roster)
        priced = seed + COMPARE_SEED - PLAN_SEED  # by default the customers that comparisons meet
        totals = replicate(
            world, lens_of(loaded.value, policy), replications, seed=priced, engine=engine, executor=executor
        )
    money = report.money_document(loaded.value, now.anchored.natural, policy, totals)
    document = report.plan_document(result, time.monotonic() - start, money=money, applied=loaded.applied)
    document["made_on"] = machines
    document["anchoring"] = report.misfit_rows(loaded.value, now.anchored)
    tables = {
        "measures": frame_of({"": {policy: document["proof"]["measures"]}}),
        "shifts": shifts_frame(result.roster, loaded.value),
    }
    return document, tables, result


def make_roster(
    loaded: Loaded[Scenario],
    policy: str,
    wishes: Wishes | None = None,
    *,
    engine: Engine = "kernel",
    cluster: str | None = None,
    say: Say = lambda _: None,
) -> tuple[dict[str, Any], dict[str, pd.DataFrame], Staffed]:
    """Roster the people in force by name for what a policy's targets ask for; the document, its tables and the roster itself.

    Raises FieldError where there are no shifts, nobody to roster, or no target that asks for anybody, and ScenarioError for wishes
    that make no sense: before any work.
    """
    import pandas as pd

    from planner import natural, roster_in_use, roster_report
    from planner.plan import require_for
    from planner.requirement import MOST, QUICK
    from planner.rostering import wishes as wished
    from planner.rostering.people import problem_of, shares_of
    from planner.rostering.reliefs import RELIEF_MOVES_PER_DAY, reliefs
    from planner.rostering.staff import MOVES_PER_DAY, staff

    start, scenario = time.monotonic(), loaded.value
    wishes = wishes or wished.Wishes()
    known = problem_of(scenario, (), policy)
    asked = wished.asked_of(scenario, wishes, known)
    in_use = asked.in_use(known)
    less = 4 if wishes.quick else 1
    with workers(engine, cluster, say) as executor:
        machines = made_on(executor)
        now = today(scenario, engine=engine, executor=executor, say=say)
        requirement = require_for(
            scenario, now.anchored.natural, policy, engine=engine, executor=executor, say=say,
            plan_replications=QUICK if wishes.quick else MOST, seed=wishes.seed,
        )  # fmt: skip
        made = partial(
            staff, scenario, now.anchored.natural, policy, requirement, engine=engine, executor=executor, say=say,
            rounds=wishes.rounds, replications=wishes.replications, seed=wishes.seed, moves_per_day=MOVES_PER_DAY // less,
            shaped=asked.of,
        )  # fmt: skip
        begin = None if in_use is None else (known, in_use)
        before = made(start=begin, keep=True) if begin else None
        result = before if before is not None and wishes.keep else made(start=begin)
        rows, rest = roster_in_use.without(result) if wishes.time_off else ([], None)
        after = made(start=(result.asked, rest), keep=True) if rows and rest is not None else None
    tried = None
    if wishes.reliefs and not wishes.keep:
        tried = reliefs(
            scenario, result.people, result.asked, result.outcome.roster, seed=wishes.seed, say=say,
            moves=RELIEF_MOVES_PER_DAY * len(result.problem.people) * result.problem.days // less,
        )  # fmt: skip
    document = roster_report.document_of(
        result, time.monotonic() - start, reliefs=tried, applied=loaded.applied
    )
    document["published"] = roster_in_use.published_document(asked, before, result) if before else None
    document["overtime"] = roster_in_use.overtime_document(asked, result)
    document["time_off"] = roster_in_use.time_off_document(rows, result, after) if wishes.time_off else None
    document["made_on"] = machines
    document["basis"] = {
        "natural": natural.as_document(now.anchored.natural), "shares": shares_of(loaded.value, result.problem),
    }  # fmt: skip
    flat = [
        {k: v for k, v in row.items() if k not in ("pauses", "posts", "queues")} for row in document["work"]
    ]
    tables = {"measures": frame_of({"": {policy: document["proof"]["measures"]}}), "work": pd.DataFrame(flat)}
    return document, tables, result


def kept_roster(
    loaded: Loaded[Scenario], policy: str, wishes: Wishes, *, folder: Path = runs.FOLDER, say: Say = lambda _: None,
    engine: Engine = "kernel", cluster: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The roster's document: from `runs/` if it was made before by the same code, else made and kept."""
    options = wishes.options(policy, engine)
    known = runs.find("roster", loaded.value, options, folder)
    if known is not None:
        return dict(known["document"]) | {"applied": runs.applied_rows(loaded.applied)}
    document, tables, _ = make_roster(loaded, policy, wishes, engine=engine, cluster=cluster, say=say)
    runs.save(
        "roster", loaded.value, options, document, tables, applied=[tuple(a) for a in loaded.applied],
        folder=folder,
    )  # fmt: skip
    return document


def replan(
    loaded: Loaded[Scenario],
    file: str,
    at: str,
    *,
    sick: Sequence[str] = (),
    run: str | None = None,
    overtime_min: int = 120,
    replications: int = 8,
    seed: int = PLAN_SEED,
    engine: Engine = "kernel",
    folder: Path = runs.FOLDER,
    say: Say = lambda _: None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Plan the rest of a day of a kept roster anew; the document, and the options that decided it.

    Raises ScenarioError for a time that there is not, people unknown, or where no roster was kept.
    """
    from planner import replan as again
    from planner import replan_report

    start = time.monotonic()
    scenario = loaded.value
    day, minute = again.moment_of(scenario, at)
    name, record = again.kept_run(scenario, file, folder, run)
    made_for = again.scenario_of(name, record)
    again.same_but_for_events(made_for, scenario, name, file)
    kept = again.in_force(name, record, made_for)
    share, named = again.sick_of([person.id for person in kept.problem.people], sick)
    with workers(engine, None, say) as executor:
        machines = made_on(executor)
        natural = kept.natural
        if natural is None:
            say(f"{name} has kept no natural values: anchoring anew")
            natural = today(made_for, engine=engine, executor=executor, say=say).anchored.natural
        result = again.replan(
            scenario, kept, natural, day, minute, sick_share=share, sick=named, overtime_min=overtime_min, engine=engine,
            executor=executor, say=say, seed=seed, replications=replications,
        )  # fmt: skip
    document = replan_report.document_of(result, time.monotonic() - start, applied=loaded.applied)
    document["made_on"] = machines
    options = {
        "run": name, "at": [day, minute], "sick": sorted(set(sick)), "overtime_min": overtime_min,
        "replications": replications, "seed": seed, "engine": engine,
    }  # fmt: skip
    return document, options


def compare_options(
    policies: Sequence[str],
    frames: Sequence[str],
    replications: int,
    seed: int,
    ladder: bool,
    doubt: int,
    quick: bool,
) -> dict[str, Any]:
    """What decides a comparison's numbers, beside the scenario and the code."""
    return {
        "policies": list(policies), "frames": list(frames), "replications": replications, "seed": seed,
        "ladder": ladder, "doubt": doubt, "quick": quick,
    }  # fmt: skip


def demo_options(scenario: Scenario) -> dict[str, Any]:
    """The options of the comparison that `make demo` runs and the app opens on."""
    return compare_options(list(scenario.policies), FRAMES, DEMO_REPLICATIONS, COMPARE_SEED, True, 0, True)


def compare(
    scenario: Scenario,
    options: dict[str, Any],
    *,
    engine: Engine = "kernel",
    cluster: str | None = None,
    say: Say = lambda _: None,
    folder: Path | None = None,
) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """Compare policies; the document and its tables. Draws of the doubt are kept in `folder`, if given, until all is done."""
    from planner import report
    from planner.compare import Runner, side_by_side
    from planner.requirement import MOST, QUICK

    start = time.monotonic()
    # Neither the ladder nor how many draws there are changes a draw.
    kept = pieces.kept_for("compare", scenario, options | {"doubt": 0, "ladder": False}, folder)
    with workers(engine, cluster, say) as executor:
        machines = made_on(executor)
        runner = Runner(
            scenario, replications=options["replications"], seed=options["seed"], engine=engine, executor=executor,
            say=say, plan_replications=QUICK if options["quick"] else MOST,
        )  # fmt: skip
        comparison = runner.run(options["policies"], options["frames"])
        if options["ladder"]:
            n = LADDER_REPLICATIONS if options["quick"] else options["replications"]
            others = [policy for policy in options["policies"] if policy != "as_is"]
            comparison.ladders = side_by_side(lambda policy: runner.ladder(policy, comparison, n), others)
        if options["doubt"]:
            comparison.doubt = runner.doubt(comparison, options["doubt"], kept=kept)
    document = report.comparison_document(
        comparison,
        replications=options["replications"],
        seed=options["seed"],
        seconds=time.monotonic() - start,
    )
    document["made_on"] = machines
    tables = {
        "measures": frame_of({f["frame"]: f["policies"] for f in document["frames"]}),
        "differences": frame_of({f["frame"]: f["differences"] for f in document["frames"]}),
    }
    for policy, result in comparison.plans.items():
        tables[f"shifts_{policy}"] = shifts_frame(result.roster, scenario)
    return document, tables


def kept_compare(
    scenario: Scenario, options: dict[str, Any], *, folder: Path = runs.FOLDER, say: Say = lambda _: None,
    applied: Sequence[Applied] = (), engine: Engine = "kernel", cluster: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The comparison's document: from `runs/` if it was made before by the same code, else made and kept."""
    known = runs.find("compare", scenario, options, folder)
    changed = {"applied": runs.applied_rows(applied)}
    if known is not None:
        return dict(known["document"]) | changed
    document, tables = compare(scenario, options, say=say, engine=engine, cluster=cluster, folder=folder)
    document |= changed
    runs.save(
        "compare", scenario, options, document, tables, applied=[tuple(a) for a in applied], folder=folder
    )
    pieces.kept_for("compare", scenario, options | {"doubt": 0, "ladder": False}, folder).clear()
    return document


def rank_replications(quick: bool) -> int:
    """Replications of a ranking where nobody says how many."""
    return 3 if quick else 6


def rank_options(
    policy: str, frame: str, replications: int, seed: int, quick: bool, names: Sequence[str] | None = None,
    doubt: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """What decides a ranking's numbers, beside the scenario and the code."""
    return {
        "policy": policy, "frame": frame, "replications": replications, "seed": seed, "quick": quick,
        "levers": sorted(names or ()), "doubt": doubt,
    }  # fmt: skip


def _kept_parts(scenario: Scenario, options: dict[str, Any], folder: Path | None) -> pieces.Kept:
    """Where parts and draws of a ranking are kept until all is done; how many draws there are changes none."""
    return pieces.kept_for("levers", scenario, options | {"doubt": 0}, folder)


def rank_levers(
    scenario: Scenario, options: dict[str, Any], *, engine: Engine = "kernel", say: Say = lambda _: None,
    applied: Sequence[Applied] = (), cluster: str | None = None, folder: Path | None = None,
) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:  # fmt: skip
    """Rank levers; the document and its table. Parts and draws are kept in `folder`, if given, until all is done."""
    from planner import lever_report
    from planner.compare import Runner
    from planner.ranking import doubt, rank
    from planner.requirement import MOST, QUICK

    start = time.monotonic()
    kept = _kept_parts(scenario, options, folder)
    with workers(engine, cluster, say) as executor:
        machines = made_on(executor)
        runner = Runner(
            scenario, replications=options["replications"], seed=options["seed"], engine=engine, executor=executor,
            say=say, plan_replications=QUICK if options["quick"] else MOST,
        )  # fmt: skip
        policy, frame = options["policy"], options["frame"]
        levers, cells = rank(runner, policy, frame, options["levers"] or None, kept)
        if options["doubt"]:
            levers = doubt(
                runner, levers, policy, frame, options["doubt"], lanes=machines["threads"], kept=kept
            )
    document = lever_report.document_of(
        runner, levers, cells, policy=policy, frame=frame, seconds=time.monotonic() - start, applied=applied,
    )  # fmt: skip
    document["made_on"] = machines
    parts = {
        way: {row["lever"]: row[way]["differences"] for row in document["levers"] if row[way]}
        for way in ("alone", "on_top")
    }
    return document, {"differences": frame_of(parts)}


def kept_ranking(
    scenario: Scenario, options: dict[str, Any], *, folder: Path = runs.FOLDER, say: Say = lambda _: None,
    applied: Sequence[Applied] = (), engine: Engine = "kernel", cluster: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The ranking's document: from `runs/` if it was made before by the same code, else made and kept."""
    known = runs.find("levers", scenario, options, folder)
    if known is not None:
        return dict(known["document"]) | {"applied": runs.applied_rows(applied)}
    document, tables = rank_levers(
        scenario, options, engine=engine, say=say, applied=applied, cluster=cluster, folder=folder
    )
    runs.save(
        "levers", scenario, options, document, tables, applied=[tuple(a) for a in applied], folder=folder
    )
    _kept_parts(scenario, options, folder).clear()
    return document


def sweep(
    file: str, scenario: str | None, sets: Sequence[str], vary: Sequence[str], policies: Sequence[str], *,
    replications: int, seed: int, replan: bool = False, quick: bool = False, engine: Engine = "kernel", cluster: str | None = None,
    folder: Path = runs.FOLDER, say: Say = lambda _: None,
) -> tuple[dict[str, Any], Path]:  # fmt: skip
    """A what-if curve over the fields of `vary`; the document and the folder of its run.

    A finished sweep of the same question and code is read; an interrupted one goes on. Raises ScenarioError for whatever is wrong at any point, before anything is computed.
    """
    from planner import sweep_report, sweeps
    from planner.anchor import observed_base
    from planner.requirement import MOST, QUICK

    start = time.monotonic()
    loaded = load(file, scenario, sets)
    axes = sweeps.axes_of(vary)
    points, problems, bases = [], [], set()
    for values, more in sweeps.settings_of(axes):
        try:
            one = load(file, scenario, [*sets, *more])
            points.append(sweeps.Point(values, one.value))
            base = observed_base(one.value).model_dump_json()
            if base not in bases:
                bases.add(base)
                can_be_anchored(one)
        except ScenarioError as error:
            problems += sweeps.as_varied(error, axes, values)
    if problems:
        raise ScenarioError(list(dict.fromkeys(problems)))
    chosen = chosen_policies(loaded.value, list(dict.fromkeys(policies)) or ["as_is"], loaded.path.name)
    if policies and "as_is" not in policies:
        chosen.remove("as_is")
    options = {
        "vary": {axis.path: list(axis.values) for axis in axes}, "policies": chosen, "replications": replications,
        "seed": seed, "replan": replan, "quick": quick, "engine": engine,
    }  # fmt: skip
    known = runs.find("sweep", loaded.value, options, folder)
    where = folder / runs.name_of("sweep", loaded.value, runs.key_of("sweep", loaded.value, options))
    if known is not None:
        return dict(known["document"]) | {"applied": runs.applied_rows(loaded.applied)}, where
    kept = pieces.kept_for("sweep", loaded.value, options, folder)
    with workers(engine, cluster, say) as executor:
        machines = made_on(executor)
        found = sweeps.run(
            points, chosen, replications=replications, seed=seed, engine=engine, executor=executor, kept=kept, say=say,
            replan=None if not replan else QUICK if quick else MOST, plan_seed=PLAN_SEED,
        )  # fmt: skip
    document = sweep_report.document_of(
        loaded.value, axes, points, found, replications=replications, seed=seed, engine=engine,
        seconds=time.monotonic() - start, applied=loaded.applied,
    )  # fmt: skip
    document["made_on"] = machines
    tables = {"measures": sweep_report.frame_of(document)}
    path = runs.save(
        "sweep",
        loaded.value,
        options,
        document,
        tables,
        applied=[tuple(a) for a in loaded.applied],
        folder=folder,
    )
    kept.clear()
    return document, path


def frame_of(frames: dict[str, dict[str, dict[str, Any]]]) -> pd.DataFrame:
    """A long table: frame, policy, measure, mean, low, high, unit."""
    import pandas as pd  # slow to import

    rows = [
        {
            "frame": frame,
            "policy": policy,
            "measure": name,
            **{k: e[k] for k in ("mean", "low", "high", "unit")},
        }
        for frame, policies in frames.items()
        for policy, measures in policies.items()
        for name, e in measures.items()
    ]
    return pd.DataFrame(rows)


def shifts_frame(roster: Roster, scenario: Scenario) -> pd.DataFrame:
    """A row per activity of a shift: day, group, anonymous person, start, minutes, kind."""
    import pandas as pd  # slow to import

    names = list(scenario.groups)
    rows = []
    for number, shift in enumerate(roster.shifts):
        base = {"shift": number, "group": names[shift.group], "person": shift.person, "day": shift.day + 1}
        rows.append(
            {
                **base,
                "activity": "shift",
                "start_min": shift.start_min,
                "minutes": shift.minutes,
                "paid": True,
            }
        )
        rows += [
            {
                **base,
                "activity": a.kind,
                "start_min": shift.start_min + a.start_min,
                "minutes": a.minutes,
                "paid": a.paid,
            }
            for a in shift.activities
        ]
    columns = ["shift", "group", "person", "day", "activity", "start_min", "minutes", "paid"]
    return pd.DataFrame(rows, columns=columns)
