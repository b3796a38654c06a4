"""Write the figures of README.md from kept runs: comparisons of the insurer and the retailer, the insurer's roster.

python -m scripts.readme_numbers [--check] [--section NAME]

The comparisons are those that `make demo` makes and keeps in runs/; what is missing is made first, which takes some
minutes. With --check nothing is made or written: what is kept is compared with what the README says.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from planner import jobs, roster_report, runs
from planner.report import change, label_of, number
from planner.rostering.wishes import Wishes

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
FRAME_TITLES = {"at_target": "At target", "equal_hours": "Equal hours", "equal_budget": "Equal budget"}
SHOWN = (
    "service_level", "first_contact_resolution", "log_resolution", "heard", "seen_and_sorted", "returns", "load",
    "recovery_owed", "vulnerable_unmet", "attrition", "customers_lost", "cash",
)  # fmt: skip
RUNGS = 3
FAR_OFF = 0.02
"""What may be left of a frame's equality before it says nothing any more."""


def staffing(document: dict[str, Any]) -> list[str]:
    """People needed at target, beside what a spreadsheet would say."""
    lines = [
        "| to hold the service targets | people on the queue | on the payroll | Erlang C per queue, flat shrinkage |",
        "|---|---:|---:|---:|",
    ]
    for policy in document["policies"]:
        fte = document["plans"][policy]["fte"]
        lines.append(
            f"| {document['policies'][policy]['title']} | {fte['bare']:.0f} FTE | {fte['paid']:.0f} FTE | "
            f"{fte['erlang_c_flat_shrinkage']:.0f} FTE |"
        )
    return lines


def verdicts(document: dict[str, Any], turns: bool = True) -> list[str]:
    """Each frame's verdict, word for word: who costs least, and where that turns."""
    lines = []
    for frame in document["frames"]:
        lines += ["", f"**{FRAME_TITLES[frame['frame']]}** ({frame['meaning']}):", ""]
        sentences = frame["verdict"]["sentences"]
        ranks = [x for x in sentences if x.startswith(("On cash", "With the margin"))]
        where = [x for x in sentences if x.startswith("It turns")]
        if frame["frame"] == "equal_budget":  # cash is alike by construction
            ranks, where = [x for x in ranks if not x.startswith("On cash")], []
        short = [x for x in sentences if "misses its service targets" in x]
        lines += [f"- {sentence}" for sentence in [*ranks, *short, *(where if turns else [])]]
        off = [
            f"{document['policies'][p]['title']} {100 * rest:+.1f} %"
            for p, rest in frame["residue"].items()
            if abs(rest) > FAR_OFF
        ]
        if off:
            lines.append(f"- **The equality was not reached**, so do not read this frame: {', '.join(off)}.")
    return lines


def measures(document: dict[str, Any]) -> list[str]:
    """The measures of the frame with equal hours, side by side."""
    frame = next(f for f in document["frames"] if f["frame"] == "equal_hours")
    policies = frame["policies"]
    heads = [document["policies"][p]["title"] for p in policies]
    lines = [
        "",
        "With equal hours, the simulated week (money and people a year):",
        "",
        f"| | {' | '.join(heads)} |",
        "|---|" + "---:|" * len(heads),
    ]
    for name in SHOWN:
        unit = next(iter(policies.values()))[name]["unit"]
        what = label_of(name) if unit.startswith("share") else f"{label_of(name)}, {unit}"
        cells = [number(policies[p][name]["mean"], unit) for p in policies]
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return lines


def ladder(document: dict[str, Any]) -> list[str]:
    """The levers that move cash and kept margin most, alone on today's policy."""
    frame = next(f for f in document["frames"] if f["ladder"])
    lines = []
    for policy, rungs in frame["ladder"].items():
        ranked = sorted(rungs, key=lambda rung: -abs(rung["average"]["cash_and_margin"] or 0.0))[:RUNGS]
        lines += [
            "",
            f"What moves {document['policies'][policy]['title']} most (cash and margin lost a year, "
            f"{document['currency']}; below zero is better):",
            "",
            "| what changes | alone, on today's policy | last, in the bundle | average of the two |",
            "|---|---:|---:|---:|",
        ]
        for rung in ranked:
            alone, last = (change(rung[k]["cash_and_margin"]) for k in ("alone", "last"))
            lines.append(
                f"| {rung['what']} | {alone} | {last} | {change(rung['average_interval']['cash_and_margin'])} |"
            )
    return lines


def footnote(document: dict[str, Any]) -> str:
    """How the figures were made."""
    return (
        f'{document["replications"]} paired replications, quick planning; brackets and "95 %" are what the '
        "simulation leaves open, not what the assumptions do."
    )


def demo_section(document: dict[str, Any]) -> str:
    """The insurer."""
    lines = [
        *staffing(document),
        *verdicts(document),
        *measures(document),
        *ladder(document),
        "",
        footnote(document),
    ]
    return "\n".join(lines)


def retail_section(document: dict[str, Any]) -> str:
    """The retailer, shorter: the two sentences of each frame that rank the policies."""
    return "\n".join([*staffing(document), *verdicts(document, turns=False), "", footnote(document)])


def roster_section(document: dict[str, Any]) -> str:
    """A roster's first sentences, word for word."""
    told = [*roster_report.sentences(document), roster_report.relief_sentence(document)]
    return "\n".join(f"- {sentence}" for sentence in told if sentence)


Say = Callable[[str], None]
ROSTER = Wishes(quick=True)
"""`unhurried roster insurer --quick`."""


def comparison(file: str, make: bool, say: Say) -> dict[str, Any] | None:
    """The document of a kept comparison; made first where it may be, else None."""
    scenario = jobs.load(file).value
    chosen = jobs.demo_options(scenario)
    known = runs.find("compare", scenario, chosen)
    return known["document"] if known else jobs.kept_compare(scenario, chosen, say=say) if make else None


def roster(file: str, make: bool, say: Say) -> dict[str, Any] | None:
    """The same of a kept roster."""
    loaded = jobs.load(file)
    known = runs.find("roster", loaded.value, ROSTER.options("as_is", "kernel"))
    return (
        known["document"] if known else jobs.kept_roster(loaded, "as_is", ROSTER, say=say) if make else None
    )


SECTIONS: dict[
    str, tuple[str, Callable[[str, bool, Say], dict[str, Any] | None], Callable[[dict[str, Any]], str]]
] = {
    "demo": (jobs.DEMO, comparison, demo_section),
    "retail": ("retail-returns", comparison, retail_section),
    "roster": (jobs.DEMO, roster, roster_section),
}


def filled(page: str, name: str, body: str) -> str:
    """The page with what stands between this name's markers replaced."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    head, found, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the markers of {name} are missing")
    return f"{head}{begin}\n\n{body}\n\n{end}{tail}"


def main(arguments: list[str] | None = None) -> int:
    """Write the sections; with --check, hold them against the kept runs."""
    parser = argparse.ArgumentParser(prog="python -m scripts.readme_numbers", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="make and write nothing; exit 1 if a figure is old"
    )
    parser.add_argument("--section", choices=list(SECTIONS), help="only these figures (default: all)")
    options = parser.parse_args(arguments)
    start = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - start:6.1f} s  {text}\n")

    old = new = README.read_text(encoding="utf-8")
    for name, (file, document_of, section) in SECTIONS.items():
        if options.section not in (None, name):
            continue
        document = document_of(file, not options.check, say)
        if document is None:
            say(f"{name}: no kept run by this code, so nothing to compare with")
            continue
        new = filled(new, name, section(document))
    if options.check:
        say("the README's figures are those of the kept runs" if new == old else "the README's figures are old: run python -m scripts.readme_numbers")  # fmt: skip
        return int(new != old)
    README.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
