"""Gap and time of the schedule optimiser on synthetic weeks of 7 x 96 quarters. `--json` for a machine."""

import argparse
import json
import time

import numpy as np

from planner.schedule.cover import solve
from planner.schedule.people import assign
from planner.schedule.problem import BreakRule, CoverProblem, CoverRow, ShiftKind
from planner.schedule.validate import validate, validate_people

DAYS = 7


def week(peak: float, seed: int, shift_h: float = 0.0) -> np.ndarray:
    """People wanted per quarter: two humps a day, quieter weekends, a little noise."""
    rng = np.random.default_rng(seed)
    hour = np.arange(96) / 4
    day = np.exp(-(((hour - 11) / 2.6) ** 2)) + 0.8 * np.exp(-(((hour - 16) / 2.8) ** 2)) + 0.06
    wanted = np.concatenate([day * factor for factor in (1, 0.95, 0.92, 0.93, 1, 0.6, 0.45)])
    wanted *= peak / wanted.max() * (1 + 0.03 * rng.standard_normal(wanted.size))
    return np.roll(wanted, round(4 * shift_h))


def kinds(groups: tuple[int, ...], every_min: int) -> tuple[ShiftKind, ...]:
    """Shifts of 8, 6 and 4 hours with breaks in windows."""
    starts, days = tuple(range(0, 1440, every_min)), tuple(range(DAYS))
    tea, late = BreakRule("tea", 15, True, 60, 180), BreakRule("late tea", 15, True, 315, 435)
    early = BreakRule("tea", 15, True, 60, 135)
    lunch, short_lunch = (
        BreakRule("lunch", 30, False, 180, 300, "lunch"),
        BreakRule("lunch", 30, False, 150, 240, "lunch"),
    )
    return (
        ShiftKind("8 h", 480, starts, days, (tea, lunch, late), groups),
        ShiftKind("6 h", 360, starts, days, (early, short_lunch), groups),
        ShiftKind("4 h", 240, starts, days, (BreakRule("tea", 15, True, 60, 165),), groups),
    )


def problem(
    sets: list[tuple[tuple[int, ...], np.ndarray]],
    costs: tuple[float, ...],
    every_min: int = 30,
    row_slots: int = 1,
) -> CoverProblem:
    rows = tuple(
        CoverRow(interval, groups, round(float(people), 2))
        for groups, wanted in sets
        for interval, people in enumerate(wanted.reshape(-1, row_slots).mean(axis=1))
    )
    names = tuple("ABCDE"[: len(costs)])
    groups = tuple(range(len(costs)))
    return CoverProblem(
        15, DAYS, names, kinds(groups, every_min), rows, costs, 8.0, 0.01, interval_slots=row_slots
    )


def cases() -> dict[str, CoverProblem]:
    one = [((0,), week(200, 1))]
    a, b, c = week(80, 2), week(60, 3, 1.5), week(40, 4, -2)
    three = [((0, 2), a), ((1, 2), b), ((0, 1, 2), a + b + 1)]
    a, b = week(50, 2), week(50, 3, 1.5)
    five = [
        ((0, 3, 4), a),
        ((1, 3, 4), b),
        ((2, 4), c),
        ((0, 1, 3, 4), a + b + 2),
        ((0, 1, 2, 3, 4), a + b + c + 4),
    ]
    return {
        "1 set, half-hour starts": problem(one, (0.3,)),
        "1 set, quarter-hour starts": problem(one, (0.3,), every_min=15),
        "3 groups, half-hour rows": problem(three, (0.3, 0.3, 0.33), row_slots=2),
        "5 overlapping sets": problem(five, (0.3, 0.3, 0.306, 0.33, 0.36)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds per case")
    arguments = parser.parse_args()
    results = []
    for name, case in cases().items():
        cpu = time.process_time()
        plan = solve(case, time_limit_s=arguments.time_limit)
        cpu = time.process_time() - cpu
        people = assign(plan, case)
        sound = validate(case, plan).valid and not validate_people(case, plan, people.agents)
        results.append(
            {
                "case": name,
                "gap": plan.gap,
                "seconds": plan.seconds,
                "cpu_s": cpu,
                "objective": plan.objective,
                "bound": plan.bound,
                "shifts": len(plan.shifts),
                "people": sum(people.n_people),
                "people_at_least": sum(people.lower_bound),
                "valid": sound,
            }
        )
    if arguments.json:
        print(json.dumps(results, indent=2))
        return
    print(f"{'case':28} {'gap':>7} {'seconds':>8} {'cpu s':>7} {'shifts':>7} {'people':>13}  valid")
    for r in results:
        people_text = f"{r['people']} (>= {r['people_at_least']})"
        print(
            f"{r['case']:28} {r['gap']:7.2%} {r['seconds']:8.1f} {r['cpu_s']:7.1f} {r['shifts']:7} "
            f"{people_text:>13}  {'yes' if r['valid'] else 'NO'}"
        )


if __name__ == "__main__":
    main()
