"""A contact centre's week of 200 people, read into our own roster model, improved, and scored by a checker of its own.

`python -m benchmarks.contact_centre ../shared/validation/rostering/contact-centre-200.json --seconds 60 --json`
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from planner.rostering.improve import improve, moves_in
from planner.rostering.problem import (
    Before,
    Duty,
    NamedRoster,
    Need,
    Pause,
    Person,
    RosterProblem,
    Terms,
)
from planner.rostering.validate import audit

QUARTER, DAYS, SHORT, OVER, OUTSIDE = 15, 7, 8, 1, 2
REST, IN_A_ROW, SHIFTS = 44, 5, 5


def problem_of(file: dict[str, Any]) -> RosterProblem:
    """The file in our terms."""
    duties, of_contract = [], {}
    for name, contract in file["contracts"].items():
        pauses = tuple(
            Pause(
                f"break {k + 1}", b["length"] * QUARTER, True, b["earliest"] * QUARTER, b["latest"] * QUARTER
            )
            for k, b in enumerate(contract["breaks"])
        )
        minutes = contract["length"] * QUARTER
        of_contract[name] = range(len(duties), len(duties) + 48)
        duties += [Duty(name, 30 * half, minutes, minutes, pauses) for half in range(48)]
    people = []
    for agent in file["agents"]:
        mine, (low, high) = of_contract[str(agent["contract"])], agent["preferred_start"]
        last = agent["last_shift_end"]
        people.append(
            Person(
                agent["id"],
                frozenset(agent["skills"]),
                tuple(() if day in agent["unavailable_days"] else tuple(mine) for day in range(DAYS)),
                Terms(
                    least_shifts=SHIFTS,
                    most_shifts=SHIFTS,
                    least_rest_min=REST * QUARTER,
                    most_in_a_row=IN_A_ROW,
                ),
                before=Before(agent["days_worked_in_a_row_before"], None if last is None else last * QUARTER),
                dislike={k: OUTSIDE for k in mine if not low <= duties[k].start_min // QUARTER <= high},
            )
        )
    needs = [
        Need(q // 96, n, SHORT, OVER, start_min=q % 96 * QUARTER, minutes=QUARTER, skills=frozenset({skill}))
        for skill, required in file["required"].items()
        for q, n in enumerate(required)
    ]
    return RosterProblem(DAYS, 0, tuple(duties), tuple(people), tuple(needs))


def score(file: dict[str, Any], problem: RosterProblem, roster: NamedRoster) -> tuple[int, int]:
    """Cost and hard rules broken, from the file alone, with nothing of the product's rules."""
    broken = outside = 0
    on = {skills: np.zeros(96 * DAYS, int) for skills in (("A",), ("B",), ("A", "B"))}
    by_person: dict[int, list[Any]] = {}
    for work in roster.work:
        by_person.setdefault(work.person, []).append(work)
    for number, agent in enumerate(file["agents"]):
        contract = file["contracts"][str(agent["contract"])]
        end, row, previous = agent["last_shift_end"], agent["days_worked_in_a_row_before"], -1
        mine = sorted(by_person.get(number, []), key=lambda w: w.day)
        broken += len(mine) != SHIFTS
        for work in mine:
            start = problem.duties[work.duty].start_min // QUARTER
            outside += not agent["preferred_start"][0] <= start <= agent["preferred_start"][1]
            begins = work.day * 96 + start
            row = row + 1 if work.day == previous + 1 else 1
            broken += (work.day in agent["unavailable_days"]) + (row > IN_A_ROW) + (work.day == previous)
            broken += problem.duties[work.duty].kind != str(agent["contract"]) or start % 2 != 0
            broken += end is not None and begins - end < REST
            end, previous = begins + contract["length"], work.day
            there = np.ones(contract["length"], int)
            for rule, at in zip(contract["breaks"], work.pauses, strict=True):
                into = at // QUARTER - start
                broken += not rule["earliest"] <= into <= rule["latest"]
                there[into : into + rule["length"]] = 0
            broken += int(len(there) - there.sum() != sum(rule["length"] for rule in contract["breaks"]))
            counted = on[tuple(sorted(agent["skills"]))][begins:end]
            counted += there[: len(counted)]
    a, b = (np.array(file["required"][skill]) for skill in "AB")
    only_a, only_b, both = on.values()
    # Whoever has both skills counts where somebody is missing.
    short = np.maximum(0, np.maximum(0, a - only_a) + np.maximum(0, b - only_b) - both)
    over = only_a + only_b + both - a - b + short
    return int(SHORT * short.sum() + OVER * over.sum() + OUTSIDE * outside), int(broken)


def run(path: Path, seconds: float, seed: int, starts: int, moves: int | None = None) -> dict[str, Any]:
    """What a search of so many seconds finds, scored twice."""
    file = json.loads(path.read_text(encoding="utf-8"))
    problem = problem_of(file)
    begun = time.perf_counter()
    n = moves or moves_in(problem, seconds)
    began = time.perf_counter()
    roster = improve(problem, moves=n, seed=seed, starts=starts)
    took = time.perf_counter() - began
    found, (cost, broken) = audit(problem, roster), score(file, problem, roster)
    return {
        "people": len(problem.people), "moves": n, "searches": starts, "seconds": round(took, 1),
        "seconds_to_get_ready": round(began - begun, 1), "objective": cost, "hard_rules_broken": broken, "seed": seed,
        "validator_agrees": (found.objective, len(found.hard)) == (cost, broken),
    }  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Read, search, score, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="contact-centre-200.json, or a file like it")
    parser.add_argument("--seconds", type=float, default=60.0, help="about how long to search (default 60)")
    parser.add_argument("--moves", type=int, help="moves of each search instead: the same roster each time")
    parser.add_argument("--searches", type=int, default=2, help="searches side by side (default 2)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    if not asked.file.is_file():
        print(f"{asked.file}: there is no such file", file=sys.stderr)
        sys.exit(2)
    found = run(asked.file, asked.seconds, asked.seed, asked.searches, asked.moves)
    if asked.json:
        print(json.dumps(found))
    else:
        print(
            f"{found['people']} people, a week: cost {found['objective']:,}, {found['hard_rules_broken']} hard rules broken, "
            f"{found['moves']:,} moves in each of {found['searches']} searches, {found['seconds']} s."
        )


if __name__ == "__main__":
    main()
