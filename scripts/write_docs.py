"""Write the generated parts of docs/: scenario fields, the evidence table, measures and lines of money.

python -m scripts.write_docs [--check]

Each part stands between a begin and an end marker of its name; what is around it is left alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from planner import evidence
from planner.money import CASH_LINES, LINE_MEANING
from planner.report import label_of
from planner.scenario import schema
from planner.scenario.schema import Scenario
from sim.measures import CUSTOMER, PEOPLE

DOCS = Path(__file__).resolve().parents[1] / "docs"
BEGIN, END = "<!-- {}:begin (python -m scripts.write_docs) -->", "<!-- {}:end -->"
ALIASES: dict[Any, str] = {
    schema.Minute: "time",
    schema.Hours: "hours",
    schema.DaysKey: "days",
    schema.ByTime: "values by time",
    schema.Spans: "hours, or several",
    schema.Day: "date or number of a day",
    schema.Stretch: "day or stretch of days",
    schema.Proficiency: "list of names, or by name: number ≥ 0, ≤ 1.5",
    schema.Zone: "time zone",
}
BY_VALIDATOR = {
    "_minute": "time", "_hours": "hours", "_starts": "hours", "_day_key": "days", "_day": "date or number of a day",
    "_proficiency": "list of names, or by name: number ≥ 0, ≤ 1.5",
}  # fmt: skip
"""The same where pydantic has taken the type apart."""
GRADES = {
    "A": "experiment or meta-analysis",
    "B": "observed in real operations",
    "C": "a vendor's or a survey's claim, or trade practice",
    "D": "an assumption that nobody has measured",
}
READERS = {"sim": "engine", "planner": "planner", "context": "shown only"}


# --- the scenario file ----------------------------------------------------------------------------------------------


def title_of(part: type[BaseModel]) -> str:
    """A part's heading."""
    words = "".join(f" {c}" if c.isupper() else c for c in part.__name__).split()
    return " ".join([words[0], *(w.lower() for w in words[1:])])


def anchor_of(title: str) -> str:
    """What a heading is linked by."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")


def kind_of(annotation: Any) -> str:
    """A field's type in words."""
    for alias, words in ALIASES.items():
        if annotation in (alias, get_args(alias)[0]) and annotation not in (int, str):
            return words
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *notes = get_args(annotation)
        return kind_of(base) + limits_of(notes)
    if origin in (Union, UnionType):
        arms = [a for a in get_args(annotation) if a is not NoneType]
        return " or ".join(dict.fromkeys(kind_of(a) for a in arms))
    if origin is Literal:
        return ", ".join(f"`{a}`" for a in get_args(annotation))
    if origin is tuple:
        return f"list of {kind_of(get_args(annotation)[0])}"
    if origin is dict:
        key, value = get_args(annotation)
        name = "days" if key == schema.DaysKey else "name"
        return f"by {name}: {kind_of(value)}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        title = title_of(annotation)
        return f"[{title}](#{anchor_of(title)})"
    plain = {float: "number", int: "whole number", str: "text", bool: "yes or no"}
    return plain.get(annotation, "date" if getattr(annotation, "__name__", "") == "date" else str(annotation))


def of_validator(notes: Any) -> str:
    """A type's words by the function that reads it, or nothing."""
    names = (getattr(getattr(note, "func", None), "__name__", "") for note in notes)
    return next((BY_VALIDATOR[name] for name in names if name in BY_VALIDATOR), "")


def limits_of(notes: Any) -> str:
    """Limits that pydantic keeps beside a type."""
    words = []
    for note in notes:
        for inner in getattr(note, "metadata", [note]):
            for sign, name in (("≥", "ge"), (">", "gt"), ("≤", "le"), ("<", "lt")):
                limit = getattr(inner, name, None)
                if limit is not None and abs(limit) < 1e8:
                    words.append(f"{sign} {limit:,g}" if abs(limit) < 1e4 else f"{sign} {limit:,.0f}")
    return f" {', '.join(words)}" if words else ""


def default_of(field: Any) -> str:
    """A field's default as it would be written."""
    value = field.default
    if value is PydanticUndefined:
        return "must be given"
    if value is None:
        return ""
    if isinstance(value, BaseModel) or value in ((), {}, ""):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value == (0, 1440):
        return "always"
    if isinstance(value, dict):
        return "see text" if any(isinstance(v, BaseModel) for v in value.values()) else "every day, always"
    return f"`{value}`" if isinstance(value, str) else f"{value}"


def parts_in_order(root: type[BaseModel]) -> list[type[BaseModel]]:
    """Every part of the schema, each after the one that first names it."""
    found = [root]
    for part in found:
        for field in part.model_fields.values():
            found += [m for m in models_in(field.annotation) if m not in found]
    return found


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Models named anywhere in a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found: list[type[BaseModel]] = []
    for inner in get_args(annotation):
        found += [m for m in models_in(inner) if m not in found]
    return found


def one_line(text: str | None) -> str:
    """Text for a table's cell."""
    return " ".join((text or "").split()).replace("|", "\\|")


def scenario_fields() -> str:
    """A table for each part of the scenario file."""
    lines = []
    for part in parts_in_order(Scenario):
        lines += [f"## {title_of(part)}", "", one_line(part.__doc__), ""]
        lines += ["| field | what it takes | default | meaning |", "|---|---|---|---|"]
        for name, field in part.model_fields.items():
            kind = of_validator(field.metadata) or kind_of(field.annotation) + limits_of(field.metadata)
            lines.append(
                f"| `{name}` | {kind} | {one_line(default_of(field))} | {one_line(field.description)} |"
            )
        lines.append("")
    return "\n".join(lines).rstrip()


# --- evidence, measures, money --------------------------------------------------------------------------------------


def evidence_table() -> str:
    """The evidence table."""
    lines = [f"- **{grade}**: {meaning}" for grade, meaning in GRADES.items()]
    lines += [
        "",
        "| coefficient | meaning | default | range | unit | grade | read by | source |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for key, row in evidence.table().items():
        default = f"{row.default:g}" if row.default == row.default else "sign only"
        width = f"{row.low:g} to {row.high:g}" if row.low < row.high else ""
        note = f" {row.note}" if row.note else ""
        lines.append(
            f"| `{key}` | {one_line(row.meaning + note)} | {default} | {width} | {row.unit} | {row.grade} | "
            f"{READERS[row.used]} | {one_line(row.source)} |"
        )
    return "\n".join(lines)


def measures_table() -> str:
    """Measures of customers and of people, as they stand in documents."""
    lines = []
    for title, measures in (("customers", CUSTOMER), ("people", PEOPLE)):
        lines += [f"Measures of {title}:", "", "| key | unit | meaning |", "|---|---|---|"]
        lines += [f"| `{k}` | {m.unit} | {one_line(m.meaning)} |" for k, m in measures.items()]
        lines.append("")
    return "\n".join(lines).rstrip()


def money_table() -> str:
    """Lines of money, as they stand in documents."""
    lines = ["| key | line | meaning |", "|---|---|---|"]
    lines += [
        f"| `money_{k}` | {label_of(f'money_{k}')} | {one_line(LINE_MEANING.get(k))} |" for k in CASH_LINES
    ]
    return "\n".join(lines)


# --- writing --------------------------------------------------------------------------------------------------------

GENERATED: dict[str, dict[str, Callable[[], str]]] = {
    "scenario.md": {"fields": scenario_fields},
    "evidence.md": {"evidence": evidence_table},
    "json.md": {"measures": measures_table, "money": money_table},
}


def filled(page: str, name: str, body: str) -> str:
    """The page with what stands between this name's markers replaced."""
    begin, end = BEGIN.format(name), END.format(name)
    head, found, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the markers of {name} are missing")
    return f"{head}{begin}\n\n{body}\n\n{end}{tail}"


def main(arguments: list[str] | None = None) -> int:
    """Write the generated parts; with --check, only say whether they are up to date."""
    parser = argparse.ArgumentParser(prog="python -m scripts.write_docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is out of date")
    options = parser.parse_args(arguments)
    stale = []
    for file, parts in GENERATED.items():
        page = DOCS / file
        old = new = page.read_text(encoding="utf-8")
        for name, body in parts.items():
            new = filled(new, name, body())
        if new != old:
            stale.append(file)
            if not options.check:
                page.write_text(new, encoding="utf-8")
    for file in stale:
        print(
            f"docs/{file} is out of date: run python -m scripts.write_docs" if options.check else f"docs/{file} written",
            file=sys.stderr,
        )  # fmt: skip
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
