"""Rosters of named people with breaks, rotation and limits on emotional work, by size: `python -m benchmarks.people [--people 50 200 1000] [--json]`.

The insurer, its contacts and headcount scaled alike, asked for what Erlang A of its forecast says. How emotional work is comes from a
pattern that is the same for all sizes (`SHARES`), as no roster is simulated here: what is measured is the optimiser.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from benchmarks.measure import table
from planner import jobs
from planner.requirement import Search
from planner.rostering import tours
from planner.rostering.people import needs_of, problem_of
from planner.rostering.staff import MOVES_PER_DAY, made
from planner.rostering.validate import audit

SHARES = {"all": 300, "emotional": 550, "routine": 100}
"""Emotional minutes in a thousand on the queue, by post."""
RULES = {
    "labour_rules.exposure": "{stretch_min: 75, day_min: 200, week_min: 850}",
    "labour_rules.decompression": "{after_min: 110, minutes: 15}",
    "labour_rules.rotation": "{most_min: 240}",
    "labour_rules.prices": "{exposure: 2, decompression: 4, rotation: 1}",
}
INSURER = 183


def case(people: int) -> tuple[Any, float]:
    """The problem of so many people, and how long it took to make."""
    begun = time.perf_counter()
    factor = people / INSURER
    sets = [f"what_if.volume={factor}", f"what_if.headcount={factor}"]
    scenario = jobs.load("insurer", None, [*sets, *(f"{key}={value}" for key, value in RULES.items())]).value
    with jobs.workers() as executor:
        natural = jobs.today(scenario, executor=executor).anchored.natural
        requirement = Search(scenario, natural, "as_is", executor=executor).start(from_below=False)
    slots = scenario.horizon.days * 96
    shares = {group: {post: (share,) * slots for post, share in SHARES.items()} for group in scenario.groups}
    problem = problem_of(scenario, needs_of(scenario, requirement), "as_is", shares)
    return problem, time.perf_counter() - begun


def measured(people: int, moves_per_day: int, seed: int) -> dict[str, Any]:
    """One size: seconds of each step, what is short, and how far from the bound."""
    problem, before = case(people)
    made(problem._replace(needs=()), None, 1, seed)  # compiled before the clock runs
    begun = time.perf_counter()
    roster = made(problem, None, moves_per_day, seed)
    found_at = time.perf_counter()
    found = audit(problem, roster)
    checked_at = time.perf_counter()
    proven = tours.bound(problem)
    asked = sum(n.people * n.minutes for n in problem.needs) / 60
    points = 80.0  # of an hour short
    return {
        "people": len(problem.people), "shifts": len(roster.work), "duties": len(problem.duties),
        "problem_s": round(before, 1), "search_s": round(found_at - begun, 1), "check_s": round(checked_at - found_at, 1),
        "bound_s": round(time.perf_counter() - checked_at, 1), "hard_rules_broken": len(found.hard),
        "objective": found.objective, "bound": proven.cost, "bound_complete": proven.complete,
        "asked_hours": asked, "short_hours": sum(m.short * problem.needs[m.need].minutes for m in found.met) / 60,
        "gap_of_hours": (found.under + found.over - proven.cost) / points / asked,
    }  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, nargs="+", default=[50, 200, 1000])
    parser.add_argument(
        "--moves", type=int, default=MOVES_PER_DAY, help="for each person and day, in each of two searches"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    rows = [measured(people, asked.moves, asked.seed) for people in asked.people]
    if asked.json:
        print(json.dumps({"rows": rows}))
        return 0
    cells = [
        [
            f"{r['people']:,}", f"{r['shifts']:,}", f"{r['search_s']:.1f}", f"{r['check_s']:.1f}", f"{r['bound_s']:.1f}",
            f"{r['hard_rules_broken']}", f"{r['objective']:,}", f"{r['bound']:,.0f}", f"{r['short_hours']:,.0f} of {r['asked_hours']:,.0f}",
            f"{r['gap_of_hours']:.2%}",
        ]
        for r in rows
    ]  # fmt: skip
    heads = [
        "people",
        "shifts",
        "search s",
        "check s",
        "bound s",
        "hard broken",
        "points",
        "bound",
        "hours short",
        "cover above bound",
    ]
    print(table("Named rosters with breaks, decompression and rotation, a week", heads, cells))
    print(
        "Cover above bound: points for short and over beyond the bound, as hours short, of the hours asked."
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
