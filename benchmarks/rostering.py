"""Public rostering instances (Curtois & Qu 2014), read into our own roster model, solved, and scored by a checker of its own.

`python -m benchmarks.rostering ../shared/validation/rostering/Instance1.txt --seconds 60 --json`
"""

import argparse
import json
import re
import sys
import time
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from planner.rostering.model import solve
from planner.rostering.problem import Duty, NamedRoster, Need, Person, Request, RosterProblem, Terms, Work
from planner.rostering.validate import validate

MONDAY = 0


WIDTHS = {
    "HORIZON": 1,
    "SHIFTS": 3,
    "STAFF": 8,
    "DAYS_OFF": None,
    "SHIFT_ON_REQUESTS": 4,
    "SHIFT_OFF_REQUESTS": 4,
    "COVER": 5,
}
"""Sections and their fields; days off are a name and any number of days."""

WORDS = {
    "SHIFTS": (0, 2),
    "STAFF": (0, 1),
    "DAYS_OFF": (0,),
    "SHIFT_ON_REQUESTS": (0, 2),
    "SHIFT_OFF_REQUESTS": (0, 2),
    "COVER": (1,),
}
"""Which fields are not whole numbers."""


class Instance(NamedTuple):
    """The file, section by section, each line split at its commas."""

    days: int
    shifts: list[list[str]]
    staff: list[list[str]]
    days_off: dict[str, set[int]]
    on: list[list[str]]
    off: list[list[str]]
    cover: list[list[str]]


def read(path: Path) -> Instance:
    """Read a file; ValueError with file, line and what was found where it is not in the format."""
    sections: dict[str, list[list[str]]] = {}
    name = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if text.startswith("SECTION_"):
            name = text.removeprefix("SECTION_")
            sections[name] = []
        elif text and not text.startswith("#"):
            fields = [field.strip() for field in text.split(",")]
            if name not in WIDTHS:
                raise ValueError(
                    f"{path}:{number}: {text}: stands in no section known; they are {', '.join(WIDTHS)}"
                )
            if WIDTHS[name] not in (None, len(fields)):
                raise ValueError(f"{path}:{number}: {text}: {len(fields)} fields, {name} has {WIDTHS[name]}")
            for index, field in enumerate(fields):
                if index not in WORDS.get(name, ()) and not field.isdecimal():
                    raise ValueError(f"{path}:{number}: {text}: {field!r} is not a whole number")
            if name == "STAFF" and not re.fullmatch(r"([^=|]+=\d+)(\|[^=|]+=\d+)*", fields[1]):
                raise ValueError(f"{path}:{number}: {text}: {fields[1]!r} is not of the form D=14|L=7")
            sections[name].append(fields)
    for section in WIDTHS:
        if section not in sections:
            raise ValueError(f"{path}: there is no SECTION_{section}")
    horizon, shifts, staff, off, wish_on, wish_off, cover = (sections[section] for section in WIDTHS)
    if len(horizon) != 1:
        raise ValueError(f"{path}: SECTION_HORIZON has {len(horizon)} lines, must be 1")
    days_off = {row[0]: {int(day) for day in row[1:]} for row in off}
    return Instance(int(horizon[0][0]), shifts, staff, days_off, wish_on, wish_off, cover)


def problem_of(instance: Instance) -> RosterProblem:
    """The same in our terms. The format has no times of the day: all shifts start at midnight."""
    duties = tuple(Duty(row[0], 0, int(row[1]), int(row[1])) for row in instance.shifts)
    forbidden = frozenset((row[0], then) for row in instance.shifts for then in row[2].split("|") if then)
    people = []
    for name, kinds, most_min, least_min, most_row, least_row, least_off, weekends in instance.staff:
        terms = Terms(
            least_paid_min=int(least_min),
            most_paid_min=int(most_min),
            most_of_kind={kind: int(n) for kind, n in (one.split("=") for one in kinds.split("|"))},
            least_in_a_row=int(least_row),
            most_in_a_row=int(most_row),
            least_off_in_a_row=int(least_off),
            most_weekends=int(weekends),
            forbidden=forbidden,
        )
        off = instance.days_off.get(name, set())
        every = tuple(range(len(duties)))
        wishes = [
            Request(int(day), kind, wants, int(weight))
            for wants, rows in ((True, instance.on), (False, instance.off))
            for who, day, kind, weight in rows
            if who == name
        ]
        allowed = tuple(() if day in off else every for day in range(instance.days))
        people.append(Person(name, frozenset(), allowed, terms, tuple(wishes)))
    needs = tuple(
        Need(int(day), int(n), int(under), int(over), kind) for day, kind, n, under, over in instance.cover
    )
    return RosterProblem(instance.days, MONDAY, duties, tuple(people), needs)


def lines_of(problem: RosterProblem, roster: NamedRoster) -> dict[str, list[str]]:
    """For each person a shift, or "", for each day."""
    lines = {person.id: [""] * problem.days for person in problem.people}
    for work in roster.work:
        lines[problem.people[work.person].id][work.day] = problem.duties[work.duty].kind
    return lines


def roster_of(problem: RosterProblem, lines: dict[str, list[str]]) -> NamedRoster:
    """The other way round."""
    kinds = {duty.kind: number for number, duty in enumerate(problem.duties)}
    work = [
        Work(who, day, kinds[kind])
        for who, person in enumerate(problem.people)
        for day, kind in enumerate(lines[person.id])
        if kind
    ]
    return NamedRoster(tuple(work))


def score(instance: Instance, lines: dict[str, list[str]]) -> tuple[int, list[str]]:
    """Cost of a solution and the hard rules that it breaks, from the file's own words alone."""
    minutes = {row[0]: int(row[1]) for row in instance.shifts}
    after = {row[0]: {then for then in row[2].split("|") if then} for row in instance.shifts}
    broken = []
    for name, kinds, most_min, least_min, most_row, least_row, least_off, weekends in instance.staff:
        line = lines[name]
        total = sum(minutes[shift] for shift in line if shift)
        if not int(least_min) <= total <= int(most_min):
            broken.append(f"{name}: {total} minutes")
        for one in kinds.split("|"):
            kind, most = one.split("=")
            if line.count(kind) > int(most):
                broken.append(f"{name}: {line.count(kind)} {kind}")
        if any(line[day] for day in instance.days_off.get(name, ())):
            broken.append(f"{name}: works on a day off")
        broken += [
            f"{name}: {line[day]} after {line[day - 1]} on day {day}"
            for day in range(1, instance.days)
            if line[day] and line[day] in after.get(line[day - 1], ())
        ]
        day = 0
        for works, group in groupby(line, key=bool):
            length = len(list(group))
            inside = day > 0 and day + length < instance.days
            if works and length > int(most_row):
                broken.append(f"{name}: {length} days in a row from day {day}")
            if inside and length < int(least_row if works else least_off):
                broken.append(f"{name}: {length} days {'on' if works else 'off'} from day {day}")
            day += length
        worked = sum(any(line[day : day + 2]) for day in range(5, instance.days, 7))
        if worked > int(weekends):
            broken.append(f"{name}: {worked} weekends")
    cost = sum(int(weight) for who, day, kind, weight in instance.on if lines[who][int(day)] != kind)
    cost += sum(int(weight) for who, day, kind, weight in instance.off if lines[who][int(day)] == kind)
    for day, kind, people, under, over in instance.cover:
        excess = sum(line[int(day)] == kind for line in lines.values()) - int(people)
        cost += excess * int(over) if excess > 0 else -excess * int(under)
    return cost, broken


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="an instance in the format of schedulingbenchmarks.org")
    parser.add_argument("--seconds", type=float, default=60.0, help="time for the search")
    parser.add_argument("--workers", type=int, default=8, help="strategies searched side by side")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text, with the solution")
    given = parser.parse_args()
    try:
        instance = read(given.file)
        problem = problem_of(instance)
    except (OSError, ValueError) as problem_found:
        print(f"rostering: {problem_found}", file=sys.stderr)
        raise SystemExit(2) from None
    begun = time.monotonic()

    def tell(objective: float, bound: float) -> None:
        print(f"{time.monotonic() - begun:6.1f} s: {objective:g}, bound {bound:g}", file=sys.stderr)

    outcome = solve(problem, seconds=given.seconds, seed=given.seed, workers=given.workers, tell=tell)
    lines = lines_of(problem, outcome.roster)
    cost, broken = score(instance, lines)
    found = validate(problem, outcome)
    result = {
        "instance": given.file.stem,
        "objective": outcome.objective,
        "bound": outcome.bound,
        "gap": outcome.gap,
        "status": outcome.status,
        "seconds": round(outcome.seconds, 1),
        "seed": outcome.seed,
        "rescored": cost,
        "broken": broken,
        "validator_agrees": not found.claims and found.objective == cost and bool(found.hard) == bool(broken),
    }
    if given.json:
        print(json.dumps({**result, "solution": lines}, indent=2))
    else:
        print(
            f"{result['instance']}: {outcome.objective:g} ({outcome.status}), bound {outcome.bound:g}, gap {outcome.gap:.2%}, "
            f"{outcome.seconds:.1f} s; re-scored {cost}, {len(broken)} hard rules broken"
        )
    if cost != outcome.objective or not result["validator_agrees"]:
        print("rostering: the scores disagree", file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
