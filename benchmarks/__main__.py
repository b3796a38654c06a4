"""Run every benchmark, print tables, and keep the figures: python -m benchmarks [--json] [--quick] [--full]."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import blocks, engine, mmsm, scaling, schedule
from benchmarks.measure import circumstances, cpu, table

RESULTS = Path(__file__).parent / "results.json"


def schedules(quick: bool) -> list[dict[str, Any]]:
    """Gap and seconds of the schedule optimiser on synthetic weeks."""
    cases = list(schedule.cases().items())
    rows = []
    for name, case in cases[:1] if quick else cases:
        seconds, plan = cpu(lambda case=case: schedule.solve(case, time_limit_s=30.0))  # type: ignore[misc]
        rows.append(
            {
                "case": name,
                "gap": plan.gap,
                "seconds": round(plan.seconds, 2),
                "cpu_seconds": round(seconds, 2),
                "shifts": len(plan.shifts),
                "valid": bool(schedule.validate(case, plan).valid),
            }
        )
    return rows


def schedules_told(rows: list[dict[str, Any]]) -> str:
    """The same as a table."""
    cells = [
        [r["case"], f"{r['gap']:.2%}", f"{r['seconds']:.1f}", f"{r['cpu_seconds']:.1f}", str(r["shifts"]), "yes" if r["valid"] else "NO"]
        for r in rows
    ]  # fmt: skip
    heads = ["Schedule of a week in quarters", "gap", "seconds", "CPU s", "shifts", "valid"]
    return table("Cost of a schedule above the proven bound", heads, cells)


def main_job() -> dict[str, float]:
    """Seconds on the clock of the insurer's plan and of the demo's comparison, made afresh."""
    from planner import jobs

    loaded = jobs.load(jobs.DEMO)
    start = time.monotonic()
    jobs.make_plan(loaded, "as_is", quick=True)
    between = time.monotonic()
    jobs.compare(loaded.value, jobs.demo_options(loaded.value))
    end = time.monotonic()
    return {"plan_quick_s": round(between - start, 1), "compare_quick_s": round(end - between, 1)}


def main(arguments: list[str] | None = None) -> int:
    """Run, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--quick", action="store_true", help="shorter runs; results.json is left alone")
    parser.add_argument(
        "--full", action="store_true", help="also time the insurer's plan and comparison (minutes)"
    )
    options = parser.parse_args(arguments)
    result: dict[str, Any] = {"circumstances": circumstances()}
    parts: tuple[tuple[str, Any, Any], ...] = (
        ("engine", engine.run, engine.told),
        ("blocks", blocks.run, blocks.told),
        ("scaling", scaling.run, scaling.told),
        ("mmsm", mmsm.run, mmsm.told),
        ("schedule", schedules, schedules_told),
    )
    for name, run, told in parts:
        sys.stderr.write(f"{name} ...\n")
        result[name] = run(options.quick)
        if not options.json:
            print(told(result[name]), end="\n\n", flush=True)
    if options.full:
        sys.stderr.write("the insurer's plan and comparison ...\n")
        result["main_job"] = main_job()
        if not options.json:
            print(", ".join(f"{k} {v:.0f}" for k, v in result["main_job"].items()))
    text = json.dumps(result, indent=1)
    if not options.quick:
        RESULTS.write_text(text + "\n", encoding="utf-8")
        scaling.CHART.write_text(scaling.chart(result["scaling"]), encoding="utf-8")
    if options.json:
        print(text)
    elif not options.quick:
        print(f"Kept in {RESULTS.parent.name}/{RESULTS.name}. Machine: {result['circumstances']['cores']} cores, load average {result['circumstances']['load_average']}.")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
