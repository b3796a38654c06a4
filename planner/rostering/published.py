"""A roster in use, read from a CSV file: a row a shift, or a row a person and a column a day. Times are by the centre's clock.

A shift stands for the duty of its kind and start that has the pauses of the file. Where the file has none, people with the same
kind of shift on a day take turns within the windows of their pauses, and who is alone pauses in the middle. What the roster breaks is for the validator to say: here only what makes no sense is refused.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from planner.rostering.people import listed
from planner.rostering.problem import DAY_MIN, Duty, NamedRoster, RosterProblem, Work
from planner.rostering.rules.base import stretches
from planner.scenario import csv_table
from planner.scenario.clocks import clock
from planner.scenario.csv_table import MAX_BYTES
from planner.scenario.problems import Problem, ScenarioError, nearest, quote, some
from planner.scenario.schema import DAYS, Scenario

LONG = ("id", "group", "date", "day", "shift", "start", "end", "paid_hours", "pauses", "queues")
NEEDED = ("id", "date", "shift", "start")
WIDE = ("id", "group")
CELLS = ("shift", "start", "end", "pauses", "queues")
OFF = ("", "-", "off", "leave")
MOST_ROWS = 100_000
GRID_MIN = 15
_DATE = re.compile(r"(?:[a-z]{2,9}\s+)?(\d{4}-\d{2}-\d{2})")
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)(?::00)?")
_TIMED = re.compile(r"(.+?)\s+(\d{1,2}:\d{2})(?:\s*[-–]\s*(\d{1,2}:\d{2}))?")
_FROM_TO = re.compile(r"(\d{1,2}:\d{2})\s*[-–]\s*(\d{1,2}:\d{2})\s+(.+)")


def bytes_of(path: Path) -> bytes:
    """The file's bytes. Raises ScenarioError where there is no such file, or it cannot be one."""
    why = ""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            why = "is a folder, not a CSV file"
        elif not stat.S_ISREG(status.st_mode):
            why = "is not an ordinary file"
        elif status.st_size > MAX_BYTES:
            why = f"is too large for a roster: {status.st_size / 1e6:.1f} MB, at most {MAX_BYTES / 1e6:g} MB"
        else:
            return path.read_bytes()
    except FileNotFoundError:
        near = sorted(p.name for p in path.absolute().parent.glob("*.csv"))[:500]
        raise ScenarioError(
            [Problem(str(path), None, "", None, "no such file", nearest(path.name, near))]
        ) from None
    except (OSError, ValueError) as error:
        why = f"cannot be read: {(getattr(error, 'strerror', None) or 'not a file name').lower()}"
    raise ScenarioError([Problem(str(path), None, "", None, why)])


def read(name: str, data: bytes, scenario: Scenario, problem: RosterProblem) -> NamedRoster:
    """The roster that a file's bytes hold. Raises ScenarioError with a line for each thing that is wrong."""
    return _Reader(name, scenario, problem).read(data)


class _Reader:
    def __init__(self, name: str, scenario: Scenario, problem: RosterProblem) -> None:
        self.name = name
        self.scenario = scenario
        self.problem = problem
        self.ids = {person.id: number for number, person in enumerate(problem.people)}
        self.groups = [person.group for person in listed(scenario)]
        self.kinds: dict[str, dict[int, list[int]]] = {}
        """By kind and start: the duties."""
        for number, duty in enumerate(problem.duties):
            self.kinds.setdefault(duty.kind, {}).setdefault(duty.start_min, []).append(number)
        self.mine = [frozenset(k for day in person.duties for k in day) for person in problem.people]
        self.problems: list[Problem] = []
        self.work: dict[tuple[int, int], tuple[Work, int]] = {}
        self.silent: dict[tuple[int, str], list[tuple[int, int]]] = {}
        """By day and kind: who works it, of whom the file says no pauses."""
        self.days: dict[str, int | None] = {}
        """Of the wide form: by column, the day."""

    def read(self, data: bytes) -> NamedRoster:
        rows, problems = csv_table.rows_of(
            self.name, data, self._wrong_columns, needed=NEEDED, most=MOST_ROWS, too_many="rows",
            nothing="has no shift: a roster that nobody works is none",
        )  # fmt: skip
        self.problems += problems
        for line, cells in rows:
            plain = {column: csv_table.plain(cell.strip()) for column, cell in cells.items()}
            if self.days:
                self._person(line, plain)
            else:
                self._shift(line, plain)
        if not self.work and not self.problems:
            self._wrong(None, "", None, "has no shift: a roster that nobody works is none")
        if self.problems:
            raise ScenarioError(self.problems)
        self._take_turns()
        return NamedRoster(tuple(sorted(work for work, _ in self.work.values())))

    def _take_turns(self) -> None:
        for cells in self.silent.values():
            for turn, cell in enumerate(cells):
                work, line = self.work[cell]
                duty = self.problem.duties[work.duty]
                times = pauses_at(duty, (turn + 0.5) / len(cells))
                self.work[cell] = work._replace(pauses=tuple(duty.start_min + at for at in times)), line

    def _wrong(
        self, line: int | None, column: str, found: str | None, allowed: str, close: str | None = None
    ) -> None:
        self.problems.append(
            Problem(self.name, line, column, None if found is None else quote(found), allowed, close)
        )

    def _wrong_columns(self, line: int, columns: list[str]) -> list[Problem]:
        if "date" in columns or not any(_DATE.fullmatch(column) for column in columns):
            return csv_table.column_problems(self.name, line, columns, LONG, NEEDED)
        self.days = {
            column: self._day(line, "", found[1]) for column in columns if (found := _DATE.fullmatch(column))
        }
        dated = [column for column in columns if column in self.days]
        known = [*WIDE, *self.days]
        problems = csv_table.column_problems(self.name, line, columns, known, ("id",))
        seen: dict[int, str] = {}
        for column in dict.fromkeys(dated):
            day = self.days[column]
            if day is not None and seen.setdefault(day, column) != column:
                self._wrong(line, "", column, f"is the day of the column {seen[day]} too: keep one")
        problems, self.problems = [*problems, *self.problems], []
        return problems

    # A row a person.

    def _person(self, line: int, cells: Mapping[str, str]) -> None:
        number = self._who(line, cells)
        for column, day in self.days.items():
            text = cells[column]
            if text.lower() in OFF or number is None or day is None:
                continue
            found = _TIMED.fullmatch(text)
            if found is None:
                allowed = "must be a shift with its times, like early 08:00-16:30, or off"
                self._wrong(line, column, text, allowed)
                continue
            self._duty(line, number, day, found[1], found[2], found[3] or "", "", "", (column,) * 5)

    # A row a shift.

    def _shift(self, line: int, cells: Mapping[str, str]) -> None:
        number, day = self._who(line, cells), self._day(line, "date", cells["date"])
        if day is not None and (said := cells.get("day", "").lower()[:3]) in DAYS:
            weekday = DAYS[(self.scenario.horizon.start.weekday() + day) % 7]
            if said != weekday:
                self._wrong(line, "day", cells["day"], f"must be {weekday}, which {cells['date']} is")
        if number is None or day is None:
            return
        kind, start, end, pauses, queues = (cells.get(column, "") for column in CELLS)
        self._duty(line, number, day, kind, start, end, pauses, queues, CELLS)

    def _who(self, line: int, cells: Mapping[str, str]) -> int | None:
        name = cells["id"]
        number = self.ids.get(name)
        if number is None:
            allowed = f"must be an id of the people in force: {some(list(self.ids), 6)}"
            self._wrong(line, "id", name, allowed, nearest(name, self.ids))
            return None
        group = self.groups[number]
        if cells.get("group") and cells["group"] != group:
            self._wrong(line, "group", cells["group"], f"must be {group}, the group of {name}")
        return number

    def _day(self, line: int, column: str, text: str) -> int | None:
        start, n = self.scenario.horizon.start, self.scenario.horizon.days
        last = start + timedelta(n - 1)
        try:
            day = (date.fromisoformat(text) - start).days
        except ValueError:
            self._wrong(line, column, text, f"must be a date like {start}")
            return None
        if not 0 <= day < n:
            self._wrong(line, column, text, f"must lie within the horizon, {start} to {last}")
            return None
        return day

    def _duty(
        self, line: int, number: int, day: int, kind: str, start: str, end: str, pauses: str, queues: str,
        columns: Sequence[str],
    ) -> None:  # fmt: skip
        of_shift, of_start, of_end, of_pauses, of_queues = columns
        if kind not in self.kinds:
            allowed = f"must be a shift of the catalogue: {some(sorted(self.kinds))}"
            self._wrong(line, of_shift, kind, allowed, nearest(kind, self.kinds))
            return
        starts, at = self.kinds[kind], minute_of(start)
        if at not in starts:
            allowed = (
                f"must be a start of the shift {kind}: {some([clock(one) for one in sorted(starts)], 24)}"
            )
            self._wrong(line, of_start, start, allowed)
            return
        fitting = starts[at]
        if end:
            until = minute_of(end)
            ends = sorted({self.problem.duties[k].end_min % DAY_MIN for k in fitting})
            fitting = [
                k
                for k in fitting
                if until is not None and self.problem.duties[k].end_min % DAY_MIN == until % DAY_MIN
            ]
            if not fitting:
                allowed = (
                    f"must be {some([clock(one) for one in ends])}, when a shift {kind} from {start} ends"
                )
                self._wrong(line, of_end, end, allowed)
                return
        # What the person may be given goes before what others may, and fewer pauses before more.
        fitting = sorted(
            fitting, key=lambda k: (k not in self.mine[number], len(self.problem.duties[k].pauses), k)
        )
        chosen = self._pauses(line, fitting, pauses, of_pauses)
        if chosen is None:
            return
        duty, times = chosen
        if (number, day) in self.work:
            first = self.work[number, day][1]
            person = self.problem.people[number].id
            where = f"the first is in line {first}" if first != line else "the first is in the same line"
            self._wrong(line, of_shift, kind, f"is a second shift of {person} on a day: {where}")
            return
        work = Work(number, day, duty, times)
        at_posts = self._queues(line, work, queues, of_queues)
        if at_posts is not None:
            self.work[number, day] = work._replace(posts=at_posts), line
            if not pauses and not at_posts:
                self.silent.setdefault((day, kind), []).append((number, day))

    def _pauses(
        self, line: int, fitting: Sequence[int], text: str, column: str
    ) -> tuple[int, tuple[int, ...]] | None:
        """The duty that has these pauses, and when they begin; None where none has."""
        duties = self.problem.duties
        if not text:
            duty = duties[fitting[0]]
            return fitting[0], tuple(duty.start_min + at for at in pauses_at(duty, 0.5))
        said = []
        for part in _parts(text):
            found = _TIMED.fullmatch(part)
            if found is None:
                self._wrong(
                    line, column, part, "must be pauses with their times, like lunch 12:00-12:30; pause 15:00"
                )
                return None
            times = [None if time is None else minute_of(time) for time in (found[2], found[3])]
            if times[0] is None or (found[3] and times[1] is None):
                self._wrong(line, column, part, "must have times from 00:00 to 24:00")
                return None
            at, until = times[0], times[1]
            if at < duties[fitting[0]].start_min:
                at += DAY_MIN
            said.append((at, until, found[1], part))
        said.sort(key=lambda one: one[0])
        names = [name for _, _, name, _ in said]
        same = [k for k in fitting if [cell_name(p.name) for p in duties[k].pauses] == names]
        if not same:
            known = dict.fromkeys(
                "; ".join(cell_name(p.name) for p in duties[k].pauses) or "none" for k in fitting
            )
            allowed = f"must be the pauses of the shift in their order ({some(list(known), 3)})"
            self._wrong(line, column, text, allowed)
            return None
        duty, free = duties[same[0]], duties[same[0]].start_min
        for (at, until, _, part), pause in zip(said, duty.pauses, strict=True):
            if until is not None and (until - at) % DAY_MIN != pause.minutes:
                self._wrong(line, column, part, f"must last {pause.minutes} minutes, as {pause.name} does")
                return None
            if at < free or at + pause.minutes > duty.end_min:
                within = f"{clock(duty.start_min)} to {clock(duty.end_min % DAY_MIN)}"
                self._wrong(
                    line, column, part, f"must lie within the shift, {within}, and overlap no other pause"
                )
                return None
            free = at + pause.minutes
        return same[0], tuple(at for at, *_ in said)

    def _queues(self, line: int, work: Work, text: str, column: str) -> tuple[int, ...] | None:
        """The post of each stretch; empty where nothing is said, None where what is said is wrong."""
        if not text:
            return ()
        posts = {cell_name(self.problem.posts[k].name): k for k in self.problem.people[work.person].posts}
        if not posts:
            self._wrong(line, column, text, "must be empty: this person's queues do not rotate")
            return None
        said: dict[int, int] = {}
        for part in _parts(text):
            found = _FROM_TO.fullmatch(part)
            at = minute_of(found[1]) if found else None
            if found is None or at is None:
                self._wrong(line, column, part, "must be times with their queues, like 09:00-11:00 emotional")
                return None
            if found[3] not in posts:
                self._wrong(
                    line, column, found[3], f"must be one of: {some(list(posts))}", nearest(found[3], posts)
                )
                return None
            said[at] = posts[found[3]]
        usual = self.problem.people[work.person].posts[0]
        chosen = []
        for start, end, _ in stretches(self.problem, work):
            post = said.pop(start % DAY_MIN, None) if end > start else usual
            if post is None:
                self._wrong(
                    line,
                    column,
                    text,
                    f"must say the queue from {clock(start % DAY_MIN)}, where a stretch begins",
                )
                return None
            chosen.append(post)
        if said:
            late = clock(min(said))
            self._wrong(line, column, text, f"must change queues at pauses: no stretch begins at {late}")
            return None
        return () if all(post == usual for post in chosen) else tuple(chosen)


def minute_of(text: str) -> int | None:
    """A time such as 08:30 as minutes after midnight; None where it is none."""
    found = _CLOCK.fullmatch(text.strip())
    minute = None if found is None else int(found[1]) * 60 + int(found[2])
    return None if minute is None or minute > DAY_MIN else minute


def cell_name(name: str) -> str:
    """A name as lists in a cell have it."""
    return " ".join(name.replace(";", ",").split())


def _parts(cell: str) -> Iterable[str]:
    return [" ".join(part.split()) for part in cell.split(";") if part.strip()]


def pauses_at(duty: Duty, share: float) -> tuple[int, ...]:
    """Each pause so far into its window, on the quarter-hour, or as near to that as the others let it; minutes into the duty."""
    last, end = [0] * len(duty.pauses), duty.minutes
    for k in reversed(range(len(duty.pauses))):
        last[k] = end = min(duty.pauses[k].latest_min, end - duty.pauses[k].minutes)
    starts, free = [], 0
    for pause, latest in zip(duty.pauses, last, strict=True):
        wanted = pause.earliest_min + share * (pause.latest_min - pause.earliest_min)
        at = max(free, pause.earliest_min, min(int(wanted // GRID_MIN) * GRID_MIN, latest))
        starts.append(at)
        free = at + pause.minutes
    return tuple(starts)
