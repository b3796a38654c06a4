"""The command line: unhurried check, people, simulate, plan, roster, replan, compare, levers, sweep, mix, evidence, runs, app.

Progress goes to stderr, results to stdout; `--json` prints one document. Bad input is told in one line each and ends
with exit code 2.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from atexit import _run_exitfuncs
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import active_children
from pathlib import Path
from runpy import run_module
from signal import SIG_IGN, SIGINT, SIGTERM, default_int_handler, signal
from socket import create_connection
from threading import Thread
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from planner.frames import PLAN_SEED, SEED
from planner.scenario.problems import clip, counted, nearest, one_line, quote

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Unhurried: plan a contact centre's people for the contacts that are left for people.\n\n"
    "Example: [bold]unhurried compare insurer[/bold]",
)


class _Console(Console):
    """One whose reader may leave early (`| head`): `main` ends quietly then."""

    def on_broken_pipe(self) -> None:
        """Rich would end with exit code 1."""
        raise BrokenPipeError


out = _Console(soft_wrap=False, width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True)


def _whole(low: int, high: int) -> Callable[[Any], int]:
    """A parser of whole numbers that says what is allowed."""

    def parse(text: Any) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise typer.BadParameter(
                f"must be a whole number from {low:,} to {high:,} (found {quote(str(text))})"
            )
        return value

    return parse


def _number(low: int, high: int, *names: str, help: str) -> Any:
    """An option that takes a whole number."""
    return typer.Option(*names, parser=_whole(low, high), metavar=f"{low:,} to {high:,}", help=help)


def _one_of(*names: str) -> Callable[[Any], Any]:
    """A parser of names that says which there are."""

    def parse(text: Any) -> Any:
        if text not in names:
            close = nearest(str(text), names)
            hint = f"; did you mean {close}?" if close else ""
            raise typer.BadParameter(f"must be one of: {', '.join(names)} (found {quote(str(text))}{hint})")
        return text

    return parse


def _scenario_name(text: str) -> str:
    if not text.strip():
        raise typer.BadParameter("must be a scenario file, or the name of one that ships (found nothing)")
    return text


def _folder(text: Any) -> Path:
    path = Path(text)
    if not str(text).strip():
        raise typer.BadParameter("must be a folder (found nothing)")
    there = next((place for place in (path, *path.absolute().parents) if place.exists()), path)
    if not there.is_dir():
        _fail(f"--out: must be a folder ({clip(str(there))} is a file)")
    return path


ScenarioArgument = Annotated[
    str,
    typer.Argument(
        parser=_scenario_name,
        metavar="SCENARIO",
        help="A scenario file, or the name of one that ships (insurer, utility, ...).",
    ),
]
Named = Annotated[str | None, typer.Option("--scenario", help="A named scenario or override of the file.")]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Change a field: path=value, e.g. what_if.volume=1.1 or targets.0.at_least=0.85."
    ),
]
Replications = Annotated[
    int,
    _number(1, 10_000, "--replications", "-n", help="Replications."),
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed",
        parser=_whole(0, 2**62),
        metavar="INTEGER",
        help="Seed; the same seed gives the same numbers.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", parser=_folder, metavar="FOLDER", help="Folder to keep the run in (default: runs)."
    ),
]
EngineOption = Annotated[
    Any,
    typer.Option(
        "--engine",
        parser=_one_of("kernel", "simpy"),
        metavar="kernel or simpy",
        help="The compiled engine, or the SimPy model; same results.",
    ),
]

Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Simulate on the workers of the Dask scheduler at this address (HOST:PORT); same results.",
    ),
]


class _Progress:
    """Lines on stderr, for what takes longer than a moment."""

    def __init__(self) -> None:
        self.start = time.monotonic()

    def __call__(self, text: str) -> None:
        err.print(
            f"[dim]{time.monotonic() - self.start:6.1f} s[/dim]  {text}", highlight=False, soft_wrap=True
        )


def _fail(lines: str) -> NoReturn:
    """One line for each thing that is wrong, and exit code 2."""
    sys.stderr.write(lines.rstrip() + "\n")
    raise typer.Exit(2)


class _Reading:
    """What was read, once it is: errors found later name its lines."""

    loaded: Any = None

    def load(self, file: str, scenario: str | None, sets: list[str] | None) -> Any:
        """Read a scenario."""
        from planner import jobs

        self.loaded = jobs.load(file, scenario, sets or [])
        return self.loaded


@contextmanager
def _told(file: str) -> Any:
    """Turn every expected error into lines and exit code 2."""
    from planner.cluster import ClusterError
    from planner.scenario.load import lines_of
    from planner.scenario.problems import ScenarioError
    from planner.schedule.problem import ProblemError
    from sim.world import WorldTooLargeError

    reading = _Reading()
    try:
        with lines_of(lambda: reading.loaded):
            yield reading
    except (ScenarioError, ClusterError) as error:
        _fail(str(error))
    except BrokenExecutor:
        _fail(f"{file}: a worker process ended, most likely for want of memory on this machine")
    except WorldTooLargeError as error:
        _fail(f"{file}: {error}: lower types.*.offered_per_week, what_if.volume or the days of horizon")
    except ProblemError as error:
        _fail(one_line(f"{file}: shifts: {error}"))
    except MemoryError:
        _fail(f"{file}: not enough memory on this machine for a scenario of this size")
    except OSError as error:
        _fail(f"{error.filename or file}: {error.strerror or error}")


def _print_json(document: Any) -> None:
    sys.stdout.write(json.dumps(document, allow_nan=False) + "\n")


@app.command(epilog="Example: unhurried check scenarios/insurer.yaml --scenario storm")
def check(file: ScenarioArgument, scenario: Named = None, sets: Sets = None, as_json: Json = False) -> None:
    """Check a scenario file: every error at once, with file, line, field, what was found and what is allowed."""
    from planner import jobs
    from planner.scenario.problems import ScenarioError

    try:
        with _told(file) if not as_json else _raised() as reading:
            loaded = reading.load(file, scenario, sets)
            jobs.can_be_anchored(loaded)
            notices = jobs.notices(loaded)
    except ScenarioError as error:
        _print_json({"ok": False, "problems": [p._asdict() for p in error.problems]})
        raise typer.Exit(2) from None
    s = loaded.value
    document = {
        "ok": True,
        "scenario": s.name,
        "title": s.title,
        "types": list(s.types),
        "groups": list(s.groups),
        "policies": list(s.policies),
        "days": s.horizon.days,
        "contacts_per_week": sum(kind.offered_per_week for kind in s.types.values()),
        "headcount": sum(group.headcount for group in s.groups.values()),
        "people_listed": len(s.people),
        "applied": [list(a) for a in loaded.applied],
        "problems": [],
        "notices": [p._asdict() for p in notices],
    }
    if as_json:
        _print_json(json.loads(json.dumps(document, default=str)))
        return
    out.print(
        f"{s.title or s.name}: fine. {counted(len(s.types), 'contact type')}, {document['contacts_per_week']:,.0f} contacts a week, "
        f"{counted(len(s.groups), 'group')} with {document['headcount']} people, policies {', '.join(s.policies)}.",
        highlight=False,
    )
    if not s.shrinkage:
        out.print(
            "  No shrinkage is given: plans are made as if everybody were always there.", highlight=False
        )
    if s.people:
        out.print(
            f"  {counted(len(s.people), 'person') if len(s.people) == 1 else f'{len(s.people):,} people'} listed.",
            highlight=False,
        )
    if notices:
        from planner.people_report import print_notices

        print_notices(out, [str(notice) for notice in notices])
    for a in loaded.applied:
        out.print(f"  {a.path} = {a.value} ({a.source})", highlight=False)


@contextmanager
def _raised() -> Any:
    from planner.scenario.load import lines_of

    reading = _Reading()
    with lines_of(lambda: reading.loaded):
        yield reading


def _new(suffix: str, example: str) -> Callable[[Any], Path]:
    """A parser of the name of a new file; of a new folder where there is no suffix."""
    noun = {".csv": "a CSV file", ".xlsx": "an XLSX file", "": "a folder"}[suffix]

    def parse(text: Any) -> Path:
        path, found = Path(text), f"(found {quote(str(text))})"
        if path.suffix.lower() != suffix if suffix else not path.name:
            raise typer.BadParameter(f"must be the name of {noun}, such as {example} {found}")
        try:
            there = path.lstat()
        except FileNotFoundError:
            there = None
        except (OSError, ValueError):
            raise typer.BadParameter(f"must be the name of {noun} {found}") from None
        if there is not None:
            raise typer.BadParameter(
                f"must be new: {clip(str(path))} is there already, and may hold somebody's changes"
            )
        if not path.absolute().parent.is_dir():
            raise typer.BadParameter(f"must lie in a folder that there is {found}")
        if not os.access(path.absolute().parent, os.W_OK | os.X_OK):
            raise typer.BadParameter(f"must lie in a folder that can be written to {found}")
        return path

    return parse


def _new_option(name: str, suffix: str, example: str, help: str) -> Any:
    return typer.Option(name, parser=_new(suffix, example), metavar="FILE" if suffix else "FOLDER", help=help)


def _hours(text: Any) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 40:
        raise typer.BadParameter(f"must be hours above 0 and at most 40 (found {quote(str(text))})")
    return value


@app.command(epilog="Example: unhurried people insurer --csv people.csv")
def people(
    file: ScenarioArgument,
    scenario: Named = None,
    sets: Sets = None,
    as_csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            parser=_new(".csv", "people.csv"),
            metavar="FILE",
            help="Write the list to this new CSV file, to edit and to name in the scenario: people: {file: people.csv}.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the people in force: those of the scenario's list, or people made from the groups' headcounts."""
    from planner import jobs, people_report

    with _told(file) as reading:
        loaded = reading.load(file, scenario, sets)
        document = jobs.people_in_force(loaded)
        if as_csv is not None:
            people_report.write(as_csv, loaded.value)
    if as_json:
        _print_json(document)
    else:
        people_report.print_people(out, document)
    if as_csv is not None:
        err.print(f"Written to {as_csv}", highlight=False, soft_wrap=True)


@app.command(epilog="Example: unhurried simulate insurer --policy rigid_aht --replications 20 --json")
def simulate(
    file: ScenarioArgument,
    policy: Annotated[str, typer.Option("--policy", help="Policy to simulate, on today's roster.")] = "as_is",
    scenario: Named = None,
    sets: Sets = None,
    replications: Replications = 10,
    seed: Seed = 1,
    engine: EngineOption = "kernel",
    cluster: Cluster = None,
    records: Annotated[
        int,
        _number(
            0,
            100,
            "--records",
            help="Keep contacts, journeys and agents' time of so many replications, as Parquet tables.",
        ),
    ] = 0,
    trace: Annotated[
        str | None,
        typer.Option(
            "--trace",
            metavar="NEED",
            help="Tell one journey's story instead (with --engine simpy): a need's number, or a type.",
        ),
    ] = None,
    as_json: Json = False,
    folder: Out = None,
) -> None:
    """Simulate a policy working to today's roster."""
    from planner import jobs, report, runs
    from planner import trace as tracing

    say = _Progress()
    if records > replications:
        _fail(f"--records: must be at most the number of replications, {replications} (found {records})")
    if trace is not None and engine != "simpy":
        _fail(
            "--trace: tells what happens in the SimPy model, which is written to be followed: add --engine simpy"
        )
    if trace is not None and records:
        _fail("--records: cannot go with --trace, which tells one journey and keeps no run")
    with _told(file) as reading:
        loaded = reading.load(file, scenario, sets)
        if trace is not None:
            jobs.chosen_policies(loaded.value, [policy], loaded.path.name)
            tracing.check(loaded.value, trace)
            story = jobs.trace(loaded, policy, trace, seed=seed, cluster=cluster, say=say)
            _tell(story, as_json)
            return
        runs.ready(folder or runs.FOLDER)
        jobs.chosen_policies(loaded.value, [policy], loaded.path.name)
        document, kept = jobs.kept_simulation(
            loaded, policy, replications=replications, seed=seed, engine=engine, records=records,
            folder=folder or runs.FOLDER, cluster=cluster, say=say,
        )  # fmt: skip
    if as_json:
        _print_json(document)
    else:
        report.print_simulation(out, document)
        report.print_misfit(out, document["anchoring"])
        out.print(f"Kept in {kept}", highlight=False)


def _tell(story: Any, as_json: bool) -> None:
    """One journey's story."""
    from planner import trace

    if as_json:
        _print_json(story)
    else:
        trace.print_story(out, story)


@app.command(epilog="Example: unhurried plan insurer --policy empathy_aware --set what_if.volume=1.1")
def plan(
    file: ScenarioArgument,
    policy: Annotated[str, typer.Option("--policy", help="Policy to plan for.")] = "as_is",
    scenario: Named = None,
    sets: Sets = None,
    replications: Annotated[
        int,
        _number(2, 1_000, "--replications", "-n", help="Replications of the proof."),
    ] = 10,
    seed: Seed = PLAN_SEED,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer replications while searching: sooner, a little dearer.")
    ] = False,
    engine: EngineOption = "kernel",
    cluster: Cluster = None,
    as_json: Json = False,
    folder: Out = None,
) -> None:
    """Plan the horizon: requirement, schedule, roster, and its proof by simulation."""
    from planner import jobs, report, runs

    say = _Progress()
    with _told(file) as reading:
        loaded = reading.load(file, scenario, sets)
        runs.ready(folder or runs.FOLDER)
        jobs.chosen_policies(loaded.value, [policy], loaded.path.name)
        document, tables, _ = jobs.make_plan(
            loaded,
            policy,
            replications=replications,
            seed=seed,
            quick=quick,
            engine=engine,
            cluster=cluster,
            say=say,
        )
        options = {
            "policy": policy,
            "replications": replications,
            "seed": seed,
            "quick": quick,
            "engine": engine,
        }
        kept = runs.save(
            "plan", loaded.value, options, document, tables, applied=[tuple(a) for a in loaded.applied],
            folder=folder or runs.FOLDER,
        )  # fmt: skip
    if as_json:
        _print_json(document)
    else:
        report.print_plan(out, document)
        report.print_misfit(out, document["anchoring"], above=0.02)
        out.print(f"Kept in {kept}", highlight=False)


@app.command(
    epilog="Example: unhurried roster insurer --policy empathy_aware --published in_use.csv --lock mon-tue --xlsx new.xlsx"
)
def roster(
    file: ScenarioArgument,
    policy: Annotated[str, typer.Option("--policy", help="Policy to roster for.")] = "as_is",
    scenario: Named = None,
    sets: Sets = None,
    replications: Annotated[
        int,
        _number(2, 1_000, "--replications", "-n", help="Replications of the proof."),
    ] = 10,
    rounds: Annotated[
        int,
        _number(0, 20, "--rounds", help="How often a roster whose proof misses a target is made anew."),
    ] = 3,
    seed: Seed = PLAN_SEED,
    quick: Annotated[
        bool, typer.Option("--quick", help="Search less: sooner, with a little more short.")
    ] = False,
    reliefs: Annotated[
        bool,
        typer.Option(
            "--reliefs/--no-reliefs", help="Where people are short: try what would relieve it, and price it."
        ),
    ] = True,
    published: Annotated[
        Path | None,
        typer.Option(
            "--published", metavar="FILE.csv", help="Start from the roster in use, a file like those of --csv and --wide, and change little."
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Make no other roster: judge the one in use (--published).")
    ] = False,
    change_price: Annotated[
        Any,
        typer.Option(
            "--change-price", parser=_whole(0, 1_000_000), metavar="POINTS",
            help="Price of each shift changed (default: 40; somebody short for a quarter of an hour costs 20).",
        ),
    ] = None,
    lock: Annotated[
        list[str] | None,
        typer.Option(
            "--lock", metavar="DAYS or ID", help="What stays as published: mon-wed, 2026-03-05, 2026-03-05..2026-03-07, or a person's id."
        ),
    ] = None,
    overtime: Annotated[
        Any,
        typer.Option("--overtime", parser=_hours, metavar="HOURS", help="Paid hours a week that each person may work beyond the contract."),
    ] = None,
    time_off: Annotated[
        bool, typer.Option("--time-off", help="Where many are over: list shifts that can be given back.")
    ] = False,
    as_csv: Annotated[Path | None, _new_option("--csv", ".csv", "roster.csv", "Write a row a shift to this new CSV file.")] = None,
    wide: Annotated[
        Path | None, _new_option("--wide", ".csv", "week.csv", "Write a row a person, a column a day to this new CSV file.")
    ] = None,
    xlsx: Annotated[
        Path | None,
        _new_option("--xlsx", ".xlsx", "roster.xlsx", "Write a new workbook: roster, cover, fairness, rules, reliefs, targets."),
    ] = None,
    ics: Annotated[Path | None, _new_option("--ics", "", "calendars", "Write a calendar for each person to this new folder.")] = None,
    changes: Annotated[
        Path | None, _new_option("--changes", ".csv", "changes.csv", "Write the shifts that change to this new CSV file.")
    ] = None,
    engine: EngineOption = "kernel",
    cluster: Cluster = None,
    as_json: Json = False,
    folder: Out = None,
) -> None:  # fmt: skip
    """Roster the people in force by name, and prove the roster by simulating it; anew, or from the roster in use."""
    from planner import jobs, new_files, roster_files, roster_in_use, roster_report, runs
    from planner.rostering.wishes import CHANGE_PRICE, Wishes

    only = [
        ("--keep", keep),
        ("--change-price", change_price is not None),
        ("--lock", lock),
        ("--changes", changes),
    ]
    _go_together("--published FILE.csv", published is not None, only)
    if keep:
        _exclude("--keep", "which makes no other roster", [*only[1:], ("--overtime", overtime)])
    wanted = {
        path: render
        for path, render in (
            (as_csv, roster_files.long_csv), (wide, roster_files.wide_csv), (xlsx, roster_files.workbook),
            (ics, roster_files.calendars), (changes, roster_files.changes_csv),
        ) if path is not None
    }  # fmt: skip
    if len({path.absolute() for path in wanted}) < sum(
        p is not None for p in (as_csv, wide, xlsx, ics, changes)
    ):
        _fail(
            "--csv, --wide, --xlsx, --ics, --changes: must be files of their own (found the same name twice)"
        )
    wishes = Wishes(
        replications, seed, quick, rounds, reliefs, published, keep, CHANGE_PRICE if change_price is None else change_price,
        tuple(lock or ()), overtime or 0.0, time_off,
    )  # fmt: skip
    say = _Progress()
    with _told(file) as reading:
        loaded = reading.load(file, scenario, sets)
        runs.ready(folder or runs.FOLDER)
        jobs.chosen_policies(loaded.value, [policy], loaded.path.name)
        options = wishes.options(policy, engine)
        document, tables, _ = jobs.make_roster(
            loaded, policy, wishes, engine=engine, cluster=cluster, say=say
        )
        kept = runs.save(
            "roster", loaded.value, options, document, tables, applied=[tuple(a) for a in loaded.applied],
            folder=folder or runs.FOLDER,
        )  # fmt: skip
        new_files.write({path: render(document) for path, render in wanted.items()})
    if as_json:
        _print_json(document)
    else:
        roster_report.print_roster(out, document)
        roster_in_use.print_in_use(out, document)
        out.print(f"Kept in {kept}", highlight=False)
    for path in wanted:
        err.print(f"Written to {path}", highlight=False, soft_wrap=True)


def _go_together(with_what: str, there: bool, options: list[tuple[str, Any]]) -> None:
    """Fail for options that make sense beside another one alone."""
    for name, given in options:
        if given and not there:
            _fail(f"{name}: needs {with_what}, the roster in use")


def _exclude(name: str, why: str, options: list[tuple[str, Any]]) -> None:
    """Fail for options that cannot go with another one."""
    for other, given in options:
        if given:
            _fail(f"{other}: cannot go with {name}, {why}")


def _half_hours(text: Any) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 8 or value * 2 % 1:
        raise typer.BadParameter(
            f"must be half or whole hours from 0 to 8, like 1.5 (found {quote(str(text))})"
        )
    return value


@app.command(epilog='Example: unhurried replan insurer --scenario storm --at "tue 11:00" --sick 15%')
def replan(
    file: ScenarioArgument,
    at: Annotated[
        str,
        typer.Option(
            "--at",
            metavar="DAY TIME",
            help='When it is known: "wed 11:00", or with a date, "2026-03-04 11:00". What lies before stays.',
        ),
    ],
    sick: Annotated[
        list[str] | None,
        typer.Option(
            "--sick",
            metavar="SHARE or ID",
            help="Who is not there from then on, beyond the usual absence: a share such as 15% of those whose shift is not over, "
            "drawn by the seed; or somebody's id. May be repeated.",
        ),
    ] = None,
    scenario: Named = None,
    sets: Sets = None,
    run: Annotated[
        str | None,
        typer.Option(
            "--run",
            metavar="FOLDER",
            help="The kept roster that is in force (default: the newest of this scenario).",
        ),
    ] = None,
    overtime: Annotated[
        Any,
        typer.Option(
            "--overtime",
            parser=_half_hours,
            metavar="HOURS",
            help="How much longer people may stay, at most.",
        ),
    ] = 2.0,
    replications: Annotated[
        int,
        _number(
            2, 1_000, "--replications", "-n", help="Replications of the day, without and with the change."
        ),
    ] = 8,
    seed: Seed = PLAN_SEED,
    engine: EngineOption = "kernel",
    as_json: Json = False,
    folder: Out = None,
) -> None:
    """Plan the rest of a day anew after an event: the scenario as asked, against the one that the kept roster was made for."""
    from planner import jobs, runs

    say = _Progress()
    with _told(file) as reading:
        loaded = reading.load(file, scenario, sets)
        document, options = jobs.replan(
            loaded, file, at, sick=sick or [], run=run, overtime_min=round(float(overtime) * 60), replications=replications,
            seed=seed, engine=engine, folder=folder or runs.FOLDER, say=say,
        )  # fmt: skip
        kept = runs.save(
            "replan", loaded.value, options, document, applied=[tuple(a) for a in loaded.applied], folder=folder or runs.FOLDER
        )  # fmt: skip
    if as_json:
        _print_json(document)
    else:
        from planner import replan_report

        replan_report.print_replan(out, document)
        out.print(f"Kept in {kept}", highlight=False)


@app.command(epilog="Example: unhurried compare insurer --frame equal_hours --doubt 20")
def compare(
    file: ScenarioArgument,
    policy: Annotated[
        list[str] | None, typer.Option("--policy", help="Policies to compare with as_is (default: all).")
    ] = None,
    frame: Annotated[
        list[str] | None,
        typer.Option(
            "--frame",
            parser=_one_of("at_target", "equal_hours", "equal_budget"),
            metavar="FRAME",
            help="Frames: at_target, equal_hours, equal_budget (default: all three).",
        ),
    ] = None,
    scenario: Named = None,
    sets: Sets = None,
    replications: Annotated[
        int,
        _number(2, 10_000, "--replications", "-n", help="Paired replications."),
    ] = 10,
    seed: Seed = SEED,
    ladder: Annotated[bool, typer.Option("--ladder/--no-ladder", help="Each lever's part.")] = True,
    doubt: Annotated[
        int,
        _number(0, 10_000, "--doubt", help="Draws of the uncertain coefficients."),
    ] = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer replications while planning and in the ladder.")
    ] = False,
    engine: EngineOption = "kernel",
    cluster: Cluster = None,
    every: Annotated[bool, typer.Option("--all", help="Print every measure.")] = False,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            parser=_one_of("type", "segment", "channel", "vulnerable", "group"),
            metavar="PART",
            help="Print differences by part too: type, segment, channel, vulnerable or group.",
        ),
    ] = None,
    as_json: Json = False,
    folder: Out = None,
) -> None:
    """Compare policies on the same customers: at target, with equal hours, with an equal budget."""
    from planner import jobs, report, runs
    from planner.compare import FRAMES

    say = _Progress()
    with _told(file) as reading:
        loaded = reading.load(file, scenario, sets)
        runs.ready(folder or runs.FOLDER)
        policies = jobs.chosen_policies(loaded.value, list(dict.fromkeys(policy or [])), loaded.path.name)
        frames = [name for name in FRAMES if not frame or name in frame]
        options = jobs.compare_options(policies, frames, replications, seed, ladder, doubt, quick)
        document = jobs.kept_compare(
            loaded.value,
            options,
            folder=folder or runs.FOLDER,
            say=say,
            applied=loaded.applied,
            engine=engine,
            cluster=cluster,
        )
    if as_json:
        _print_json(document)
    else:
        out.print(
            f"[bold]{document['title'] or document['scenario']}[/bold]\n{document['story']}", highlight=False
        )
        report.print_applied(out, document)
        report.print_misfit(out, document["anchoring"], above=0.02)
        report.print_comparison(out, document, every=every, by=list(dict.fromkeys(by or [])))
        name = runs.name_of("compare", loaded.value, runs.key_of("compare", loaded.value, options))
        out.print(
            f"\n{replications} paired replications; planning and simulating took {document['seconds']:.0f} s. "
            f"Kept in {(folder or runs.FOLDER) / name}",
            highlight=False,
        )


@app.command(
    epilog="Example: unhurried levers insurer --policy empathy_aware --lever agent_assist --lever empathy_training --doubt 20"
)
def levers(
    file: ScenarioArgument,
    policy: Annotated[
        str, typer.Option("--policy", help="Policy in force, on top of which levers are laid too.")
    ] = "as_is",
    lever: Annotated[
        list[str] | None,
        typer.Option("--lever", help="Rank this lever alone; may be repeated (default: all)."),
    ] = None,
    frame: Annotated[
        Any,
        typer.Option(
            "--frame",
            parser=_one_of("equal_occupancy", "equal_hours", "at_target"),
            metavar="FRAME",
            help="How they are staffed: equal_occupancy (people fitted until they are as busy as before), equal_hours (the roster "
            "stays), at_target (planned anew: slow).",
        ),
    ] = "equal_occupancy",
    scenario: Named = None,
    sets: Sets = None,
    replications: Annotated[
        int | None,
        _number(2, 10_000, "--replications", "-n", help="Paired replications (default: 6, quick 3)."),
    ] = None,
    seed: Seed = SEED,
    doubt: Annotated[
        int,
        _number(
            0,
            10_000,
            "--doubt",
            help="Value every lever anew in so many draws of the uncertain coefficients: how its worth varies, and in how many it "
            "saves. How long that takes is said before.",
        ),
    ] = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer replications: sooner, with wider intervals.")
    ] = False,
    engine: EngineOption = "kernel",
    cluster: Cluster = None,
    as_json: Json = False,
    folder: Out = None,
) -> None:
    """Rank levers: what each costs and what it changes, alone and on top of the policy in force.

    What is interrupted goes on where it was.
    """
    from planner import jobs, lever_report, runs
    from planner.levers import RANKED
    from planner.scenario.problems import Problem, ScenarioError

    say = _Progress()
    with _told(file) as reading:
        loaded = reading.load(file, scenario, sets)
        runs.ready(folder or runs.FOLDER)
        jobs.chosen_policies(loaded.value, [policy], loaded.path.name)
        names = list(dict.fromkeys(lever or []))
        for name in names:
            if name not in RANKED:
                allowed = f"must be one of: {', '.join(RANKED)}"
                raise ScenarioError(
                    [Problem("--lever", None, "", quote(name), allowed, nearest(name, RANKED))]
                )
        n = replications or jobs.rank_replications(quick)
        options = jobs.rank_options(policy, frame, n, seed, quick, names, doubt)
        document = jobs.kept_ranking(
            loaded.value,
            options,
            folder=folder or runs.FOLDER,
            say=say,
            applied=loaded.applied,
            engine=engine,
            cluster=cluster,
        )
    if as_json:
        _print_json(document)
        return
    lever_report.print_levers(out, document)
    name = runs.name_of("levers", loaded.value, runs.key_of("levers", loaded.value, options))
    out.print(
        f"\n{n} paired replications; {document['seconds']:.0f} s. Kept in {(folder or runs.FOLDER) / name}",
        highlight=False,
    )


@app.command(
    epilog="Example: unhurried sweep insurer --vary what_if.contained=0.2:0.7:6 --policy as_is --policy empathy_aware"
)
def sweep(
    file: ScenarioArgument,
    vary: Annotated[
        list[str],
        typer.Option(
            "--vary",
            metavar="FIELD=FROM:TO:POINTS",
            help="A field and its values, or FIELD=A,B,C; given twice, every combination.",
        ),
    ],
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", help="Policies to simulate at each point (default: as_is)."),
    ] = None,
    replan: Annotated[
        bool,
        typer.Option("--replan", help="Plan each policy anew at each point, instead of the roster in use."),
    ] = False,
    scenario: Named = None,
    sets: Sets = None,
    replications: Annotated[
        int,
        _number(2, 10_000, "--replications", "-n", help="Replications of each point."),
    ] = 10,
    seed: Seed = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer replications while planning: sooner, a little dearer.")
    ] = False,
    engine: EngineOption = "kernel",
    cluster: Cluster = None,
    as_json: Json = False,
    folder: Out = None,
) -> None:
    """A what-if curve: one or a few fields take several values. What is interrupted goes on where it was."""
    from planner import jobs, runs, sweep_report

    say = _Progress()
    with _told(file) as reading:
        reading.load(file, scenario, sets)
        runs.ready(folder or runs.FOLDER)
        document, kept = jobs.sweep(
            file, scenario, sets or [], vary, policy or [], replications=replications, seed=seed, replan=replan,
            quick=quick, engine=engine, cluster=cluster, folder=folder or runs.FOLDER, say=say,
        )  # fmt: skip
    if as_json:
        _print_json(document)
    else:
        sweep_report.print_curve(out, document)
        out.print(f"Kept in {kept}", highlight=False)


@app.command(epilog="Example: unhurried mix insurer --set behaviour.talk_loading=0.6")
def mix(file: ScenarioArgument, scenario: Named = None, sets: Sets = None, as_json: Json = False) -> None:
    """The curve of what is left for people as containment rises."""
    from planner import report, runs
    from planner.mix import curve

    with _told(file) as reading:
        loaded = reading.load(file, scenario, sets)
        rows = curve(loaded.value)
    s = loaded.value
    document = {
        "scenario": s.name,
        "title": s.title or s.name,
        "applied": runs.applied_rows(loaded.applied),
        "curve": rows,
    }
    if as_json:
        _print_json(document)
        return
    report.print_asked(out, document)
    out.print(
        "As automation contains more, what is left for people takes longer: automation takes the easy contacts."
    )
    table = Table(title="Talk per contact left for people, against no automation", title_justify="left")
    for name in ("Containment", "This scenario", "Low", "High"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            f"{100 * row['containment']:.0f} %",
            *(report.relative(row[k] - 1) for k in ("default", "low", "high")),
        )
    out.print(table)
    out.print(
        "  This scenario: with its own loadings, which say how strongly containment and talk hang on how hard a need is "
        "(containment_loading, talk_loading). Low and high: both at the ends of their evidence range.",
        highlight=False,
    )


@app.command(epilog="Example: unhurried evidence --json")
def evidence(as_json: Json = False) -> None:
    """The evidence table: every coefficient with default, range, grade and source."""
    from planner import evidence as table_of

    frame = table_of.as_frame()
    if as_json:
        _print_json(json.loads(frame.reset_index().to_json(orient="records")))
        return
    table = Table(title="Evidence: A experiment, B observed, C claim or practice, D assumption")
    for name in ("Coefficient", "Meaning", "Default", "Range", "Unit", "Grade", "Source"):
        table.add_column(name, overflow="fold")
    for key, row in table_of.table().items():
        shown = " Shown only: nothing computes with it." if row.used == "context" else ""
        table.add_row(
            key,
            row.meaning + shown,
            f"{row.default:g}",
            f"{row.low:g} to {row.high:g}",
            row.unit,
            row.grade,
            row.source,
        )
    out.print(table)


@app.command("runs", epilog="Example: unhurried runs --json")
def list_runs(as_json: Json = False, folder: Out = None) -> None:
    """List the runs that were kept."""
    from planner import runs

    if folder is not None and not folder.is_dir():
        _fail(f"{folder}: is not a folder with runs")
    rows = runs.listed(folder or runs.FOLDER)
    if as_json:
        _print_json({"runs": rows})
        return
    if not rows:
        out.print("No runs are kept yet. Try: unhurried compare insurer")
        return
    table = Table(title="Runs, newest first")
    for name in ("Run", "Kind", "Scenario", "Made (UTC)", "By this code"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(
            row["run"],
            str(row["kind"]),
            str(row["scenario"]),
            str(row["made"])[:19],
            "yes" if row["current"] else "no",
        )
    out.print(table)


@app.command("app", epilog="Example: unhurried app --port 8501")
def open_app(
    port: Annotated[int, _number(1_024, 65_535, "--port", help="Local port.")] = 8501,
) -> None:
    """Open the app in the browser (this machine only)."""
    page = find_spec("app")
    if page is None or page.origin is None:
        _fail("app: the app's pages are not installed")

    Thread(target=_import_ahead, args=(port,), daemon=True).start()
    sys.argv = [
        "streamlit", "run", page.origin, "--server.address=localhost", f"--server.port={port}",
        "--browser.gatherUsageStats=false",
    ]  # fmt: skip
    run_module("streamlit", run_name="__main__")


def _import_ahead(port: int) -> None:
    """Import what the pages need while the browser loads them; not before the server is up, which goes first."""
    for _ in range(600):
        with suppress(OSError), create_connection(("localhost", port), timeout=1):
            break
        time.sleep(0.05)
    from planner import evidence, jobs  # noqa: F401

    evidence.table()
    time.sleep(3)  # a title that is being drawn goes before what charts need
    for name in ("planner.report", "pandas", "altair"):
        import_module(name)


def _choices(error: Any) -> str:
    """The commands or options there are, where one was named that is not and nothing is like it."""
    command = getattr(getattr(error, "ctx", None), "command", None)
    if (
        command is None
        or "ossible option" in error.format_message()
        or "id you mean" in error.format_message()
    ):
        return ""
    if error.format_message().startswith("No such command"):
        return f" There are {', '.join(getattr(command, 'commands', ()))}."
    if error.format_message().startswith("No such option"):
        opts = [name for param in command.params for name in param.opts if name.startswith("--")]
        return f" (options of {command.name}: {', '.join(opts)})"
    return ""


def _end_now() -> NoReturn:
    """Stopped: what is worth keeping is on disk, so nothing that still computes is waited for, nor left behind."""
    signal(SIGINT, SIG_IGN)
    signal(SIGTERM, SIG_IGN)
    threading.excepthook = lambda _: None  # a pool whose processes are gone complains
    for child in active_children():
        child.kill()
    with suppress(OSError):
        sys.stderr.write("stopped\n")
        sys.stderr.flush()
    # The processes' semaphores are given back among others, or it would be complained of; a full queue may never be.
    last = Thread(target=_run_exitfuncs, daemon=True)
    last.start()
    last.join(1)
    os._exit(130)  # an ordinary end waits for every thread


def main() -> None:
    """Run a command; whatever goes wrong with its options or its output is told in one line."""
    usage: Any = typer.BadParameter.__base__  # Typer keeps its error for wrong options to itself
    signal(
        SIGTERM, default_int_handler
    )  # asked to end, like Ctrl-C: say what is kept, leave no process behind
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
        if code == 130:  # Typer's own way of telling Ctrl-C
            _end_now()
    except usage as error:
        sys.stderr.write(f"unhurried: {' '.join(error.format_message().split())}{_choices(error)}\n")
        code = 2
    except (KeyboardInterrupt, typer.Abort):
        _end_now()
    except BrokenPipeError:
        code = 0
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        sys.stderr.write(f"unhurried: the result cannot be written: {error.strerror or error}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 2
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
