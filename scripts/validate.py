"""Run every case with a known answer at length, and write the tables of docs/validation.md.

python -m scripts.validate [--scale 0.1] [--print]
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the cases are the tests'

import reference_cases as cases  # noqa: E402
from reference_cases import Answer, Row  # noqa: E402

PAGE = ROOT / "docs" / "validation.md"
START, END = "<!-- results: written by scripts/validate.py -->", "<!-- end of results -->"
SHOWN = ("P(wait)", "abandoned", "mean wait, s", "service level", "service level, g3", "occupancy")

Section = tuple[str, str, Callable[[float], list[Row]]]


def _at_least(scale: float, n: int, least: int) -> int:
    return max(least, round(scale * n))


def _closed_forms(scale: float) -> list[Row]:
    rows = cases.closed_forms(_at_least(scale, 4_000_000, 50_000))
    return [row for row in rows if row.figure in SHOWN]


def _contact_centers(scale: float) -> list[Row]:
    days = {"mmc": 10_000, "mmcab": 10_000, "simplemsk": 8_000}
    return [row for name, n in days.items() for row in cases.contact_centers(name, _at_least(scale, n, 50))]


def _ssj(scale: float) -> list[Row]:
    return cases.ssj(_at_least(scale, 20_000, 100))


def _sine(scale: float) -> list[Row]:
    return cases.sine(_at_least(scale, 8_000, 60))


def _ciw(scale: float) -> list[Row]:
    return [
        *cases.ciw_priorities(_at_least(scale, 100, 4)),
        *cases.ciw_day(_at_least(scale, 500, 20)),
        *cases.ciw_room(_at_least(scale, 100, 4)),
    ]


SECTIONS: tuple[Section, ...] = (
    ("Closed forms as printed", "published", lambda _: cases.garnett()),
    ("Closed forms: Erlang C and Erlang A", "exact", _closed_forms),
    ("ContactCenters (Université de Montréal)", "published, 1,000 days", _contact_centers),
    (
        "SSJ CallCenter",
        "published, 10,000 days, 90 % intervals",
        lambda scale: cases.ssj(_at_least(scale, 20_000, 100)),
    ),
    ("A sine: who waits, through the cycle", "exact", _sine),
    ("From calls to people on a bank's Wednesday", "published", lambda _: cases.miller()),
    ("Ciw", "Ciw", _ciw),
)


def shown(answer: Answer) -> str:
    """An answer as it was printed, or with its 95 % interval to as many digits as it deserves."""
    if answer.text:
        return answer.text
    if answer.se > 0:
        decimals = min(5, max(0, 1 - math.floor(math.log10(answer.se))))
    else:
        decimals = 2 if answer.mean >= 10 else 4
    if answer.se == 0:
        return f"{answer.mean:,.{decimals}f}"
    low, high = answer.mean - 1.96 * answer.se, answer.mean + 1.96 * answer.se
    return f"{answer.mean:,.{decimals}f} [{low:,.{decimals}f}, {high:,.{decimals}f}]"


def table(title: str, source: str, rows: list[Row]) -> str:
    """A section of the page."""
    lines = [
        f"## {title}", "",
        f"| case | figure | {source} | Unhurried | verdict | standard errors apart |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    before = ""
    for row in rows:
        case = row.case if row.case != before else ""
        before = row.case
        verdict = "agrees" if row.agrees else "**differs**"
        cells = (case, row.figure, shown(row.reference), shown(row.ours), verdict, f"{row.off:.1f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run and write; 1 where a figure differs."""
    parser = argparse.ArgumentParser(prog="python -m scripts.validate", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="length of the runs; 1 takes some minutes")
    parser.add_argument("--print", action="store_true", help="print the tables and leave the page alone")
    options = parser.parse_args(arguments)
    parts, every = [], []
    for title, source, run in SECTIONS:
        start = time.monotonic()
        rows = run(options.scale)
        every += rows
        parts.append(table(title, source, rows))
        print(f"{title}: {len(rows)} figures in {time.monotonic() - start:.0f} s", file=sys.stderr)
    wrong = [row for row in every if not row.agrees]
    apart = sorted(row.off for row in every if row.ours.se > 0)
    summary = (
        f"{len(every) - len(wrong)} of {len(every)} figures agree; the median of the simulated ones is "
        f"{apart[len(apart) // 2]:.1f} standard errors apart."
    )
    text = "\n\n".join([summary, *parts])
    if options.print:
        print(text)
    else:
        page = PAGE.read_text(encoding="utf-8")
        head, _, rest = page.partition(START)
        _, _, tail = rest.partition(END)
        PAGE.write_text(f"{head}{START}\n\n{text}\n\n{END}{tail}", encoding="utf-8")
    for row in wrong:
        print(row, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
