"""The CSV file of people beside a scenario file, as nodes that know their lines.

A row becomes what a list in the scenario file would hold, so that the schema checks both alike. Cells with several values
separate them by semicolons: `mon-fri 08:00-18:00; sat 09:00-13:00`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from planner.scenario import csv_table
from planner.scenario.clocks import DAY_MIN, clock
from planner.scenario.csv_table import MAX_BYTES
from planner.scenario.nodes import Node, fresh, show_node
from planner.scenario.problems import UNKNOWN, Problem, clip, nearest, quote

COLUMNS = (
    "id", "group", "skills", "contract", "availability", "leave", "requests", "site", "time_zone", "tenure_weeks",
)  # fmt: skip
NEEDED = ("id", "group")
MOST_ROWS = 20_000


class Lists:
    """Lists of people that a scenario file refers to, each read once."""

    def __init__(self, path: Path) -> None:
        self.home = path
        self.read: dict[str, tuple[list[Node], list[Problem], bytes]] = {}

    def filled(self, root: Node) -> tuple[Node, list[Problem]]:
        """The file with its `people` where it names a file, and what is wrong with that."""
        node = root.value.get("people") if isinstance(root.value, dict) else None
        if node is None or not isinstance(node.value, dict):
            return root, []
        rows, problems = self._rows(node)
        if node.new or any(child.new for child in node.value.values()):
            rows = [fresh(row) for row in rows]
        return replace(root, value=root.value | {"people": replace(node, value=rows)}), problems

    def digest(self) -> bytes:
        """A hash of all that was read."""
        return hashlib.sha256(b"\0".join(data for *_, data in self.read.values())).digest()

    def _rows(self, node: Node) -> tuple[list[Node], list[Problem]]:
        def wrong(
            at: Node, allowed: str, found: str | None = None, close: str | None = None, field: str = "people"
        ) -> tuple[list[Node], list[Problem]]:
            return [], [Problem(at.file, at.line, field, found, allowed, close)]

        for key, child in node.value.items():
            if key.isdigit() and "file" in node.value:
                return wrong(child, "are in a file: change them there", found=f"number {key}")
            if key != "file":
                return wrong(child, "file", UNKNOWN, nearest(key, ["file"]), f"people.{clip(key)}")
        entry = node.value.get("file")
        if entry is None:
            return wrong(node, "must be a list, or {file: people.csv}")
        if not isinstance(entry.value, str) or not entry.value.strip():
            return wrong(entry, "must be the name of a CSV file", show_node(entry), field="people.file")
        if entry.value not in self.read:
            data, why = self._bytes(entry.value)
            if data is None:
                near = (
                    sorted(p.name for p in self.home.parent.glob("*.csv"))[:500]
                    if why == "no such file"
                    else []
                )
                return wrong(entry, why, show_node(entry), nearest(entry.value, near), "people.file")
            rows, problems = rows_of(clip(Path(entry.value).name), data)
            self.read[entry.value] = rows, problems, data
        rows, problems, _ = self.read[entry.value]
        return rows, problems

    def _bytes(self, name: str) -> tuple[bytes | None, str]:
        """The file's bytes, or why not."""
        try:
            home = self.home.parent.resolve()
            path = (home / name).resolve()
            if Path(name).is_absolute() or "\\" in name or not path.is_relative_to(home):
                return None, "must lie beside the scenario file, or in a folder there"
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                return None, "is a folder, not a CSV file" if stat.S_ISDIR(
                    status.st_mode
                ) else "is not an ordinary file"
            if status.st_size > MAX_BYTES:
                return (
                    None,
                    f"is too large for a list of people: {status.st_size / 1e6:.1f} MB, at most {MAX_BYTES / 1e6:g} MB",
                )
            with path.open("rb") as stream:
                return stream.read(MAX_BYTES + 1), ""
        except FileNotFoundError:
            return None, "no such file"
        except (OSError, ValueError, RuntimeError) as error:
            return None, f"cannot be read: {(getattr(error, 'strerror', None) or 'not a file name').lower()}"


def in_list(problem: Problem) -> Problem:
    """Name the column, not the place in the list, of what stands in a CSV file."""
    if not problem.file.lower().endswith(".csv"):
        return problem
    return problem._replace(field=re.sub(r"^people(\.\d+)?\.?", "", problem.field))


def rows_of(name: str, data: bytes) -> tuple[list[Node], list[Problem]]:
    """People of a CSV file's bytes, as nodes, and what is wrong with its form."""
    found, problems = csv_table.rows_of(
        name, data, lambda line, columns: csv_table.column_problems(name, line, columns, COLUMNS, NEEDED),
        needed=NEEDED, most=MOST_ROWS, too_many="people", nothing="lists nobody",
    )  # fmt: skip
    rows = []
    for line, cells in found:
        row, wrongs = _person(cells)
        rows.append(_node(row, line, name))
        problems += [Problem(name, line, field, quote(what), allowed) for field, what, allowed in wrongs]
    return rows, problems


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _number(text: str) -> Any:
    """A number where the text is one; or else the text, for the schema to say what is wrong."""
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() and abs(value) < 1e15 else value if value == value else text


_SKILL = re.compile(r"(.+?)(?:\s*[:=]\s*|\s+)(-?[0-9][0-9.,]*)")
_HOURS = re.compile(r"(.+?)\s*:?\s+(\d.*|always|all day|closed|off|none)", re.IGNORECASE)


def _person(cells: Mapping[str, str]) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """What a list in the scenario file would hold for a row, and (column, found, allowed) of what cannot be told apart."""
    row: dict[str, Any] = {}
    wrongs: list[tuple[str, str, str]] = []
    for column, cell in cells.items():
        text = cell.strip()
        if not text:
            continue
        value: Any = text
        if column == "tenure_weeks":
            value = _number(text)
        elif column == "leave":
            value = _parts(text)
        elif column == "requests":
            value = [_wish(part) for part in _parts(text)]
        elif column in ("skills", "availability"):
            value = {}
            for part in _parts(text):
                key, inner = _skill(part) if column == "skills" else _window(part)
                if inner == "":
                    wrongs.append((column, part, "must be days and hours, like mon-fri 08:00-18:00"))
                    continue
                if key in value:
                    wrongs.append((column, key, "is named twice: keep one"))
                value[key] = inner
        row[column] = value
    return row, wrongs


def _skill(part: str) -> tuple[str, Any]:
    match = _SKILL.fullmatch(part)
    return (match[1], _number(match[2])) if match else (part, 1)


def _window(part: str) -> tuple[str, str]:
    """Days and hours; hours alone are those of every day, days alone no hours."""
    if re.fullmatch(r"(\d[\d:\s,–-]*|always|all day)", part, re.IGNORECASE):
        return "every day", part
    match = _HOURS.fullmatch(part)
    return (match[1], match[2]) if match else (part, "")


def _wish(part: str) -> dict[str, Any]:
    words = part.split()
    wish: dict[str, Any] = {"day": words[0]}
    if len(words) > 2 and re.fullmatch(r"-?[0-9.]+", words[-1]):
        wish["weight"] = _number(words.pop())
    if len(words) > 1:
        wish["wants"] = " ".join(words[1:])
    return wish


def _node(value: Any, line: int, file: str) -> Node:
    if isinstance(value, dict):
        return Node({key: _node(child, line, file) for key, child in value.items()}, line, file)
    if isinstance(value, list):
        return Node([_node(child, line, file) for child in value], line, file)
    return Node(value, line, file)


# --- writing --------------------------------------------------------------------------------------------------------


def window_text(windows: Mapping[str, Iterable[tuple[int, int]]]) -> str:
    """Availability as a cell holds it."""
    return "; ".join(f"{days} {spans_text(spans)}" for days, spans in windows.items())


def spans_text(spans: Iterable[tuple[int, int]]) -> str:
    """Hours of a day as a file holds them."""
    shown = [f"{clock(start)}-{clock(end if end <= DAY_MIN else end - DAY_MIN)}" for start, end in spans]
    return ", ".join("always" if one == "00:00-24:00" else one for one in shown) or "off"


def written(people: Iterable[Any]) -> str:
    """People (of the schema) as a CSV text that reads back as the same."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for person in people:
        skills = person.skills or {}
        table.writerow([
            person.id, person.group,
            "; ".join(name if share == 1 else f"{name} {share:g}" for name, share in skills.items()),
            person.contract, window_text(person.availability),
            "; ".join(first if first == last else f"{first}..{last}" for first, last in person.leave),
            "; ".join(f"{wish.day} {wish.wants} {wish.weight}" for wish in person.requests),
            person.site, person.time_zone or "",
            "" if person.tenure_weeks is None else f"{person.tenure_weeks:g}",
        ])  # fmt: skip
    return out.getvalue()
