"""What the loop buys: Erlang C per queue, Erlang A pooled, and the simulated requirement, scheduled and simulated alike.

`python -m benchmarks.loop [SCENARIO ...] [--json] [--write]`, for example `python -m benchmarks.loop bank-1999`. All start from
the same forecast of today's policy and go through the same schedule and the same proof. What judges them are customers
whom no step has met, neither the search nor the repairs.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import circumstances, table
from planner import jobs
from planner.money import WEEKS_PER_YEAR, money
from planner.natural import NaturalValues
from planner.numbers import workable
from planner.plan import (
    BACK_OFFICE,
    Proof,
    outcomes,
    plan,
    prove,
    queue_numbers,
    schedule_of,
    tightest,
    weeks_of,
)
from planner.requirement import MOST, SEED, Requirement, Search, describe, require
from planner.roster import Roster
from planner.scenario import compile as c
from planner.scenario.problems import ScenarioError
from planner.scenario.schema import DAYS, Scenario
from planner.shrinkage import rostered_per_present

Say = Callable[[str], None]

KEPT = Path(__file__).parent / "loop.json"
DOCS = Path(__file__).parent.parent / "docs"
PAGE, CHART = DOCS / "loop.md", DOCS / "loop.svg"
POLICY = "as_is"
REPLICATIONS = 20
JUDGE = SEED + 2
"""The search meets the customers of SEED, the repairs those of the next: these are met by nobody before."""
STEPS = {
    "erlang_c": "(a) Erlang C per queue",
    "erlang_a": "(b) Erlang A, pooled",
    "simulated": "(c) simulated requirement",
    "repaired": "(c) with repairs",
}
MORE = 0.002
"""Of payroll: what is less is not told as a difference."""
COLOURS = {"erlang_c": "#b5651d", "erlang_a": "#8a8f98", "simulated": "#7fb3c8", "repaired": "#1f6f8b"}


# --- the requirements -----------------------------------------------------------------------------------------------


def erlang_c(search: Search) -> Requirement:
    """Whole numbers for each type's queue and interval by Erlang C, added up over every set of types; nothing is pooled.

    As in the plan's own comparison (`planner.plan.erlang_c`): a type's second tier is in its queue, and gets its share of
    the number where it has people of its own; deferred work is its hours over an occupancy of BACK_OFFICE, spread here evenly
    over the open hours at which its people can come.
    """
    scenario, met = search.scenario, search.forecast()
    n, seconds = len(scenario.types), scenario.horizon.interval_min * 60
    is_open = c.open_intervals(scenario).reshape(-1)
    able = (
        workable(scenario) if scenario.has_deferred() else np.ones((len(scenario.groups), search.size), bool)
    )
    numbers = np.zeros((2 * n, search.size))
    for t, name in enumerate(scenario.types):
        both = [t, n + t]
        who = sorted({g for s in search.sets if set(s.types) <= set(both) for g in s.groups})
        here, handle = able[who].any(axis=0), float(met.handle_s[t])
        queued = np.where(here, met.queued[both], 0.0)
        live = queue_numbers(scenario, name, queued.sum(axis=0) / seconds, handle)
        open_then = here & is_open
        waiting = met.waiting[both].sum(axis=1) * handle / seconds / BACK_OFFICE
        numbers[both] = live * queued / np.maximum(queued.sum(axis=0), 1e-12)
        numbers[both] += waiting[:, None] * open_then / max(1, int(open_then.sum()))
    need = np.array([numbers[list(s.types)].sum(axis=0) for s in search.sets])
    need = np.round(need, 9)  # shares of a whole number add up to it
    duty = search.numbers.of(need, search.own)
    return Requirement(scenario, search.policy, search.sets, need, duty, own=search.own)


def erlang_a(search: Search) -> Requirement:
    """The start of the search, staffed to the targets themselves: Erlang A on lagged load, pooled over skills."""
    return search.start(from_below=False)


# --- one scenario ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """A roster before its judges: what `tightest` and `outcomes` ask for."""

    scenario: Scenario
    policy: str
    proof: Proof


def compared(name: str, executor: Executor | None = None, say: Say = lambda _: None) -> dict[str, Any]:
    """All four steps of a shipped scenario, each with its people, cost and service."""
    scenario = jobs.load(name).value
    natural = jobs.today(scenario, executor=executor, say=say).anchored.natural
    return steps_of(scenario, natural, executor, say)


def steps_of(
    scenario: Scenario,
    natural: NaturalValues,
    executor: Executor | None = None,
    say: Say = lambda _: None,
    *,
    replications: int = REPLICATIONS,
    plan_replications: int = MOST,
) -> dict[str, Any]:
    """The four steps of a scenario that has shifts."""
    begun = time.monotonic()
    search = Search(scenario, natural, POLICY, executor=executor, say=say)
    needs = {"erlang_c": erlang_c(search), "erlang_a": erlang_a(search)}
    needs["simulated"] = require(
        scenario, natural, POLICY, executor=executor, say=say, most_replications=plan_replications
    )
    steps: dict[str, Any] = {}
    for step, need in needs.items():
        say(f"scheduling {STEPS[step]}")
        _, schedule, roster, violations = schedule_of(scenario, need)
        steps[step] = told_of(scenario, natural, need, roster, executor, replications) | {
            "unmet": len(schedule.unmet), "rules_broken": len(violations),
        }  # fmt: skip
    planned = plan(
        scenario, natural, POLICY, executor=executor, say=say, requirement=needs["simulated"],
        plan_replications=plan_replications,
    )  # fmt: skip
    assert planned.schedule is not None
    steps["repaired"] = told_of(
        scenario, natural, planned.requirement, planned.roster, executor, replications
    ) | {
        "unmet": len(planned.schedule.unmet), "rules_broken": len(planned.violations), "repairs": planned.repairs,
    }  # fmt: skip
    return {
        "currency": scenario.costs.currency,
        "steps": steps,
        "seconds": round(time.monotonic() - begun),
    }


def told_of(
    scenario: Scenario,
    natural: NaturalValues,
    need: Requirement,
    roster: Roster,
    executor: Executor | None,
    replications: int,
) -> dict[str, Any]:
    """Hours and money a week, and the service that the roster gives to new customers."""
    proof = prove(scenario, natural, POLICY, roster, executor=executor, replications=replications, seed=JUDGE)
    weeks, hours = weeks_of(scenario), scenario.horizon.interval_min / 60
    n_groups, n = len(scenario.groups), c.n_intervals(scenario)
    on_queue = roster.cover(n_groups, scenario.horizon.days, scenario.horizon.interval_min).sum(axis=0)
    asked = need.duty.sum(axis=0).reshape(-1, n) * rostered_per_present(scenario)[:, None]
    paid = money(scenario, natural, POLICY, proof.totals).lines
    payroll = sum(paid[line].mean() for line in ("payroll", "overtime_premium", "outsourcing"))
    worst = tightest(outcomes(Judged(scenario, POLICY, proof)))[0]
    when = DAYS[c.weekday_of(scenario, worst.day)] if worst.target.window != "week" else "week"
    if worst.minute is not None:
        when += f" {worst.minute // 60:02d}:{worst.minute % 60:02d}"

    def interval(measure: str) -> list[float]:
        found = proof.measures[measure]
        return [round(x, 4) for x in (found.mean, found.low, found.high)]

    return {
        "required_hours": round(need.agent_hours / weeks, 1),
        "scheduled_hours": round(float(on_queue.sum()) * hours / weeks, 1),
        "hours_over": round(float(np.maximum(0, on_queue - asked).sum()) * hours / weeks, 1),
        "paid_hours": round(float(roster.paid_minutes(n_groups, scenario.horizon.interval_min).sum()) / 60 / weeks, 1),
        "payroll": round(float(payroll) / WEEKS_PER_YEAR),
        "service_level": interval("service_level"),
        "abandonment": interval("abandonment"),
        "windows": len(proof.verdicts),
        "missed": len(proof.missed),
        "clearly_missed": sum(v.clearly_missed for v in proof.verdicts),
        "worst": {
            "target": describe(worst.target), "window": when, "aim": worst.verdict.aim,
            "found": [round(x, 4) for x in (worst.verdict.mean, worst.verdict.low, worst.verdict.high)],
            "share": worst.target.measure != "mean_wait",
        },
    }  # fmt: skip


# --- tables, chart, page --------------------------------------------------------------------------------------------


def against(steps: dict[str, Any], step: str) -> float:
    """Payroll of a step against that of the repaired plan, as a share more."""
    return float(steps[step]["payroll"] / steps["repaired"]["payroll"] - 1)


def _found(value: list[float], share: bool = True) -> str:
    mean, low, high = (x * 100 if share else x for x in value)
    unit = " %" if share else " s"
    return f"{mean:.1f}{unit} [{low:.1f}, {high:.1f}]"


def cells(result: dict[str, Any]) -> list[list[str]]:
    """One row for each scenario and step."""
    return [
        [
            name if step == "erlang_c" else "", STEPS[step], f"{one['required_hours']:,.0f}", f"{one['paid_hours']:,.0f}",
            f"{one['payroll']:,} {of['currency']}", f"{against(of['steps'], step):+.1%}", _found(one["service_level"]),
            f"{one['missed']} of {one['windows']} ({one['clearly_missed']} clearly)",
            f"{one['worst']['window']}: {_found(one['worst']['found'], one['worst']['share'])}, aim {_aim(one['worst'])}",
            f"{one['hours_over']:,.0f}",
        ]
        for name, of in result["scenarios"].items()
        for step, one in of["steps"].items()
    ]  # fmt: skip


def _aim(worst: dict[str, Any]) -> str:
    aim = f"{worst['aim']:.0%}".replace("%", " %") if worst["share"] else f"{worst['aim']:g} s"
    return f"{aim} {'abandoned' if worst['target'].startswith('abandonment') else 'in time'}"


HEADS = [
    "scenario", "step", "hours on the queue", "paid hours", "payroll", "against (c)", "answered in time",
    "windows missed", "worst window", "hours over",
]  # fmt: skip


def told(result: dict[str, Any]) -> str:
    """The figures as a plain table, all of a week."""
    return table("What the loop buys, a week of as_is", HEADS, cells(result))


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else "".join(names)


def _tally(scenarios: dict[str, Any], step: str) -> str:
    """Windows missed in all scenarios, in words."""
    windows, missed, clearly = (
        sum(steps[step][key] for steps in scenarios.values())
        for key in ("windows", "missed", "clearly_missed")
    )
    return f"misses {missed or 'none'} of {windows} windows" + (
        f", {clearly or 'none'} of them clearly" if missed else ""
    )


def findings(result: dict[str, Any]) -> str:
    """What came out, step by step, in words that follow from the figures."""
    scenarios = {name: of["steps"] for name, of in result["scenarios"].items()}
    said = []
    for step, subject in (
        ("erlang_c", "Erlang C per queue"), ("erlang_a", "Pooled Erlang A"), ("simulated", "The simulated requirement, scheduled as it is,"),
    ):  # fmt: skip
        more = {name: against(steps, step) for name, steps in scenarios.items()}
        missing = [name for name, steps in scenarios.items() if steps[step]["missed"]]
        said.append(
            f"{subject} costs {min(more.values()):+.1%} to {max(more.values()):+.1%} against the repaired plan "
            f"and {_tally(scenarios, step)}."
        )
        for names, verdict in (
            ([n for n in more if n not in missing and more[n] > MORE], "It has too many people in"),
            ([n for n in missing if more[n] > MORE], "It costs more and misses all the same in"),
            ([n for n in missing if more[n] <= MORE], "It costs no more and misses in"),
        ):  # fmt: skip
            if names:
                said.append(f"{verdict} {_listed(names)}.")
    said.append(f"The repaired plan {_tally(scenarios, 'repaired')}.")
    changed = [
        f"{name} ({steps['repaired']['payroll'] / steps['simulated']['payroll'] - 1:+.1%} of payroll, "
        f"{steps['simulated']['missed']} windows missed before and {steps['repaired']['missed']} after)"
        for name, steps in scenarios.items()
        if steps["repaired"]["payroll"] != steps["simulated"]["payroll"]
    ]
    said.append(
        f"Its repairs, made for other customers than those who judge, change {_listed(changed) or 'nothing'}."
    )
    return " ".join(said)


def page(result: dict[str, Any]) -> str:
    """docs/loop.md, every word and figure of it."""
    about = f"""The same week of each shipped scenario, under the policy of today, is planned three ways. **(a)** Erlang C for each
        type's queue and interval, rounded up, to the type's own service level, added up over types; a second tier gets its share;
        deferred work is its hours at {BACK_OFFICE:.0%} occupancy, spread evenly over the open hours. **(b)** Erlang A on lagged load,
        pooled over skills, to the targets themselves: the start of our search, which otherwise begins a little lower. **(c)** The
        simulated requirement of `unhurried plan`, scheduled as it is, and then with its repairs, which raise days that the proof
        misses and lower days that clear by far. All get the same forecast (contacts and handle times simulated with more people than
        enough, so that nobody has to call again), the same shrinkage by item, the same schedule optimiser and the same validator. The
        rosters are judged by {result["replications"]} simulated weeks of customers whom neither search nor repairs have met. In
        favour of the service of (a) and (b), against their cost: they hold every half-hour to targets that are asked for by day. (a) and
        (b) differ in two things, pooling and impatience; the simulated roster pools skills for all alike, so that (a) gets more out of its people
        than it reckons with."""
    meant = """All figures are of one week. *Hours on the queue* are the bare requirement; *payroll* has leave, absence, overtime premium
        and outsourced people inside; *against (c)* is payroll against (c) with repairs; *answered in time* is over all live contacts, with
        its 95 % interval. A *window* is a target on one day, or in the week; it is missed if its mean is on the wrong side, clearly if its
        one-sided 95 % interval is, too. The *worst* is the one that has used up most of what its target leaves room for. *Hours over* are
        scheduled above the step's own requirement, shrinkage divided out: the price of shifts that are hours long. Made by `python -m
        benchmarks.loop --write`, a minute or two a scenario; the figures are kept in `benchmarks/loop.json`."""
    lines = ["| " + " | ".join(row) + " |" for row in (HEADS, ["---"] * len(HEADS), *cells(result))]
    parts = [
        "# What the loop buys", _wrapped(about), _wrapped(findings(result)),
        "![Payroll against the repaired plan, and windows missed, by scenario and step](loop.svg)",
        "\n".join(lines), _wrapped(meant),
    ]  # fmt: skip
    return re.sub(r"(?<=\d)%", " %", "\n\n".join(parts)) + "\n"


def _wrapped(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 120, break_on_hyphens=False, break_long_words=False)


def chart(result: dict[str, Any]) -> str:
    """An SVG: payroll against the repaired plan to the left, the share of windows missed to the right."""
    scenarios = {name: of["steps"] for name, of in result["scenarios"].items()}
    wide, row, top, left = 300, 56, 48, 110
    high = top + row * len(scenarios)
    more = [100 * against(steps, step) for steps in scenarios.values() for step in steps]
    low_end, high_end = 5 * np.floor(min(more) / 5) - 1, 5 * np.ceil(max(more) / 5) + 1
    missed = [one["missed"] / one["windows"] for steps in scenarios.values() for one in steps.values()]
    most = max(10.0, 10 * float(np.ceil(10 * max(missed))))
    parts = []
    for k, (step, colour) in enumerate(COLOURS.items()):
        x = left + 165 * k
        parts.append(
            f'<circle cx="{x}" cy="12" r="5" fill="{colour}"/><text x="{x + 9}" y="16">{STEPS[step]}</text>'
        )
    for title, at, first, last, every in (
        (
            "payroll against (c) with repairs, %",
            left,
            low_end,
            high_end,
            20 if high_end - low_end > 50 else 5,
        ),
        ("windows missed, % (line: clearly)", left + wide + 60, 0.0, most, 10 if most > 20 else 5),
    ):
        parts.append(f'<text x="{at}" y="{top - 8}" font-weight="bold">{title}</text>')
        for tick in np.arange(np.ceil(first / every) * every, last + 1e-9, every):
            x = at + wide * (tick - first) / (last - first)
            parts.append(
                f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{high}" stroke="{"#666" if tick == 0 else "#ddd"}"/>'
                f'<text x="{x:.1f}" y="{high + 14}" text-anchor="middle">{tick + 0.0:g}</text>'
            )
    for r, (name, steps) in enumerate(scenarios.items()):
        y = top + row * r
        parts.append(f'<text x="{left - 10}" y="{y + row / 2 + 4:.0f}" text-anchor="end">{name}</text>')
        for k, (step, one) in enumerate(steps.items()):
            cy = y + 10 + 12 * k
            x = left + wide * (100 * against(steps, step) - low_end) / (high_end - low_end)
            parts.append(f'<circle cx="{x:.1f}" cy="{cy}" r="5" fill="{COLOURS[step]}"/>')
            share, clearly = (one[key] / one["windows"] for key in ("missed", "clearly_missed"))
            at = left + wide + 60
            parts.append(
                f'<rect x="{at}" y="{cy - 4}" width="{max(1.0, wide * 100 * share / most):.1f}" height="8" fill="{COLOURS[step]}"/>'
            )
            if clearly:
                parts.append(
                    f'<line x1="{at + wide * 100 * clearly / most:.1f}" y1="{cy - 6}" x2="{at + wide * 100 * clearly / most:.1f}" y2="{cy + 6}" stroke="black"/>'
                )
    text = (
        "Payroll against the repaired plan, and the share of target windows that new customers find missed, for Erlang C per queue, "
        "Erlang A pooled, the simulated requirement, and the same with repairs. The table of the page has the figures."
    )
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + 2 * wide + 90} {high + 24}" role="img" font-family="sans-serif" font-size="11">',
        f"<title>{text}</title>", '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n",
    ])  # fmt: skip


# --- running --------------------------------------------------------------------------------------------------------


def write(result: dict[str, Any]) -> None:
    """Keep the figures, and make page and chart of them."""
    KEPT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(result), encoding="utf-8")
    CHART.write_text(chart(result), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Run, print, keep."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.loop", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )  # fmt: skip
    parser.add_argument(
        "scenario", nargs="*", help="names of shipped scenarios (default: all that have shifts)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--write", action="store_true",
        help="keep the figures in benchmarks/loop.json beside those of scenarios that are not run, and write docs/loop.md and docs/loop.svg",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    try:
        loaded = {name: jobs.load(name).value for name in options.scenario or jobs.shipped()}
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    unknown = [name for name in loaded if name not in jobs.shipped()]
    bare = [name for name, scenario in loaded.items() if not scenario.shifts]
    if options.scenario and (unknown or bare):
        why = "does not ship" if unknown else "has no shifts to schedule"
        sys.stderr.write(f"{(unknown or bare)[0]}: {why}; there are {', '.join(jobs.shipped())}\n")
        return 2
    kept = json.loads(KEPT.read_text(encoding="utf-8"))["scenarios"] if KEPT.exists() else {}
    found: dict[str, Any] = {}
    with jobs.workers(say=lambda text: sys.stderr.write(f"{text}\n")) as executor:
        for name in [name for name in loaded if name not in bare]:
            say = lambda text, name=name: sys.stderr.write(f"{name}: {text}\n")  # noqa: E731
            found[name] = compared(name, executor, say)
            if options.write:
                kept[name] = found[name]
                write(_result({n: kept[n] for n in jobs.shipped() if n in kept}))
    result = _result(found)
    print(json.dumps(result, indent=1) if options.json else told(result))
    return 0


def _result(scenarios: dict[str, Any]) -> dict[str, Any]:
    return {
        "circumstances": circumstances(), "policy": POLICY, "replications": REPLICATIONS, "seed": JUDGE,
        "scenarios": scenarios,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
