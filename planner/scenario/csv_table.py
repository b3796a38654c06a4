"""A CSV file's rows by column, each with its line, and what is wrong with its form: said in one line, with what is allowed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from planner.scenario.nodes import has_surrogates
from planner.scenario.problems import Problem, nearest, quote, some

MAX_BYTES = 5_000_000
Row = tuple[int, dict[str, str]]
"""Line, and cells by column."""
SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""What begins like this spreadsheets would compute."""


def safe(text: str) -> str:
    """A text that no spreadsheet computes; `plain` gives it back."""
    return f"'{text}" if text.startswith((*SIGNS, "'")) else text


def plain(cell: str) -> str:
    """What was made `safe`; others as they are."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith((*SIGNS, "'")) else cell


def rows_of(
    name: str,
    data: bytes,
    wrong_columns: Callable[[int, list[str]], list[Problem]],
    *,
    needed: Sequence[str],
    most: int,
    too_many: str,
    nothing: str,
) -> tuple[list[Row], list[Problem]]:
    """The rows of a file's bytes under the columns of its first line, and what is wrong with its form.

    wrong_columns: what is wrong with columns in a line. too_many: what there is too much of; nothing: what is said of no rows.
    """

    def wrong(line: int | None, allowed: str, found: str | None = None) -> Problem:
        return Problem(name, line, "", found, allowed)

    if data.startswith(b"PK\x03\x04"):
        return [], [wrong(None, "is a workbook, not a CSV file: save the sheet as CSV (UTF-8)")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [], [wrong(data.count(b"\n", 0, error.start) + 1, "is not UTF-8 text: save it as CSV (UTF-8)")]
    if "\0" in text or has_surrogates(text):
        return [], [wrong(None, "is not a text file")]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, problems = list[Row](), list[Problem]()
    columns: list[str] | None = None
    last = 0
    try:
        for cells in reader:
            line, last = last + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = [cell.strip().lower() for cell in cells]
                problems = wrong_columns(line, columns)
                if problems:
                    return [], problems
                continue
            if len(cells) != len(columns):
                allowed = f"must have {len(columns)} cells, as the first line has; put cells that hold commas in quotes"
                problems.append(wrong(line, allowed, str(len(cells))))
                continue
            if len(rows) >= most:
                return [], [wrong(line, f"has too many {too_many}: at most {most:,}")]
            rows.append((line, dict(zip(columns, cells, strict=True))))
    except csv.Error as error:
        return [], [wrong(last + 1, f"is not a CSV file: {error}")]
    if columns is None:
        return [], [wrong(None, f"is empty: its first line must name columns ({', '.join(needed)}, ...)")]
    if not rows and not problems:
        problems.append(wrong(None, nothing))
    return rows, problems


def column_problems(
    name: str, line: int, columns: Sequence[str], known: Sequence[str], needed: Sequence[str]
) -> list[Problem]:
    """Columns that there are not, that are there twice, or that are missing."""
    if len(columns) == 1 and ";" in columns[0]:
        return [Problem(name, line, "", None, "separates its columns by semicolons: save it with commas")]
    found = []
    for i, column in enumerate(columns):
        if column not in known:
            close = nearest(column, [c for c in known if c not in columns])
            allowed = f"may have the columns {some(known)}"
            found.append(Problem(name, line, "", f"column {quote(column)}", allowed, close))
        elif column in columns[:i]:
            found.append(Problem(name, line, "", None, f"has the column {column} twice: keep one"))
    lacking = [column for column in needed if column not in columns]
    if lacking and not any(p.nearest in lacking for p in found):
        found.append(Problem(name, line, "", None, f"lacks the column {' and '.join(lacking)}"))
    return found
