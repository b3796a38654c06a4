"""YAML text into nodes that know their lines.

The text is read event by event (ruamel.yaml, YAML 1.2), so that nothing in a file can run, repeat a key, grow
without end or nest too deep. Plain scalars follow the core schema: 12:30 and NO are text.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml import events as ev
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from planner.scenario.problems import PathKey, Problem, clip, dotted, nearest, one_line, quote, show

MAX_DEPTH = 40
MAX_VALUES = 30_000
MAX_PROBLEMS = 200


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file with the line of its key; `new` if an override or `--set` brought it."""

    value: Any
    line: int | None
    file: str
    size: int = 1
    height: int = 0
    new: bool = False


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still open while the events are read."""

    value: dict[str, Node] | list[Node]
    line: int | None
    anchor: str | None
    key: str | None = None
    key_line: int | None = None
    merges: list[Node] = field(default_factory=list)
    size: int = 1
    height: int = 0


class StopError(Exception):
    """The text cannot be read any further."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def _scalar(text: str) -> Any:
    """Read a plain scalar by the core schema of YAML 1.2: 12:30 and NO are text, 0o17 is 15."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > 400:
        return text if not _FLOAT.fullmatch(text) else math.inf
    if _INT.fullmatch(text):
        whole = int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        return whole if abs(whole) < 10**300 else math.inf
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return math.nan if "n" in text.lower()[-3:-2] else math.inf
    return text


def has_surrogates(text: str) -> bool:
    """Say whether a text holds halves of characters, which no UTF-8 file can."""
    return any("\ud800" <= char <= "\udfff" for char in text)


class Composer:
    """Builds nodes from YAML events without recursion, and collects what can be collected."""

    def __init__(self, file: str, *, lines: bool) -> None:
        self.file = file
        self.lines = lines
        self.problems: list[Problem] = []
        self.stack: list[_Frame] = []
        self.anchors: dict[str, Node | None] = {}
        self.values = 0
        self.root: Node | None = None
        self.documents = 0

    def compose(self, text: str) -> Node | None:
        """Read the one document of the text; None if there is nothing in it."""
        try:
            for event in YAML(typ="safe", pure=True).parse(text):
                self._take(event)
        except YAMLError as error:
            raise StopError(self._syntax(error, text)) from None
        except (StopError, MemoryError):
            raise
        except Exception as error:  # the scanner fails in its own ways on odd escapes and directives
            raise StopError(self._problem(None, "is not valid YAML")) from error
        return self.root

    def _problem(self, line: int | None, allowed: str, found: str | None = None) -> Problem:
        keys: list[PathKey] = []
        for frame in self.stack:
            if isinstance(frame.value, list):
                keys.append(len(frame.value))
            elif frame.key is not None:
                keys.append(frame.key)
        return Problem(self.file, line if self.lines else None, dotted(keys), found, allowed)

    def _stop(self, line: int | None, allowed: str, found: str | None = None) -> StopError:
        return StopError(self._problem(line, allowed, found))

    def _take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, ev.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self._stop(
                    line, "a second document begins here: keep one scenario per file, without ---"
                )
            if event.version not in (None, (1, 2)):
                raise self._stop(line, "scenario files are YAML 1.2: take out the %YAML line")
        elif isinstance(event, ev.AliasEvent):
            self._alias(event.anchor, line)
        elif isinstance(event, ev.ScalarEvent):
            self._tagless(event, line)
            self._text(event, line)
        elif isinstance(event, ev.MappingStartEvent | ev.SequenceStartEvent):
            self._tagless(event, line)
            self._open(event, line)
        elif isinstance(event, ev.MappingEndEvent | ev.SequenceEndEvent):
            self._close()

    def _collect(self, problem: Problem) -> None:
        self.problems.append(problem)
        if len(self.problems) >= MAX_PROBLEMS:
            raise StopError(
                problem._replace(field="", found=None, allowed="too many problems: reading stops here")
            )

    def _tagless(self, event: Any, line: int) -> None:
        tag = event.tag
        if tag is not None and str(tag) != "None":
            shown = str(tag).replace("tag:yaml.org,2002:", "!!")
            self._collect(self._problem(line, "tags are not allowed: write plain values", quote(shown)))

    def _at_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None

    def _count(self, size: int, line: int) -> None:
        self.values += size
        if self.values > MAX_VALUES:
            raise self._stop(line, f"holds more than {MAX_VALUES:,} values, repeated anchors (&, *) counted")

    def _open(self, event: Any, line: int) -> None:
        if self._at_key():
            raise self._stop(line, "a field name must be plain text", "a mapping or list as a name")
        if len(self.stack) >= MAX_DEPTH:
            raise self._stop(line, f"is nested more than {MAX_DEPTH} levels deep")
        self._count(1, line)
        top = self.stack[-1] if self.stack else None
        own = top.key_line if top is not None and isinstance(top.value, dict) else line
        empty: dict[str, Node] | list[Node] = {} if isinstance(event, ev.MappingStartEvent) else []
        self.stack.append(_Frame(empty, own if self.lines else None, event.anchor))
        if event.anchor is not None:
            self.anchors[event.anchor] = None

    def _close(self) -> None:
        frame = self.stack.pop()
        if isinstance(frame.value, dict):
            for merged in frame.merges:
                for key, child in merged.value.items():
                    frame.value.setdefault(key, child)
        node = Node(frame.value, frame.line, self.file, frame.size, frame.height)
        if frame.anchor is not None:
            self.anchors[frame.anchor] = node
        self._put(node)

    def _alias(self, name: str, line: int) -> None:
        if name not in self.anchors:
            close = nearest(name, self.anchors)
            problem = self._problem(line, f"*{name} refers to an anchor that is not defined above")
            raise StopError(problem._replace(nearest=f"*{close}" if close else None))
        node = self.anchors[name]
        if node is None:
            raise self._stop(line, f"*{name} refers to itself")
        if self._at_key():
            raise self._stop(line, "a field name must be plain text", f"*{name}")
        if len(self.stack) + node.height > MAX_DEPTH:
            raise self._stop(line, f"is nested more than {MAX_DEPTH} levels deep")
        self._count(node.size, line)
        top = self.stack[-1] if self.stack else None
        own = top.key_line if top is not None and isinstance(top.value, dict) else line
        self._put(replace(node, line=own if self.lines else None))

    def _text(self, event: Any, line: int) -> None:
        if has_surrogates(event.value):
            raise self._stop(line, "contains a character that is not text", ascii(event.value[:40]))
        if self._at_key():
            frame = self.stack[-1]
            frame.key, frame.key_line = event.value, line
            if isinstance(frame.value, dict) and event.value in frame.value:
                first = frame.value[event.value].line
                where = f" in line {first} and again here" if self.lines else ""
                self._collect(self._problem(line, f"is written twice{where}: keep one"))
            return
        self._count(1, line)
        plain = event.implicit[0] and event.style is None
        value = _scalar(event.value) if plain else event.value
        if isinstance(value, float) and not math.isfinite(value):
            self._collect(self._problem(line, "must be a finite number", clip(event.value)))
        top = self.stack[-1] if self.stack else None
        own = top.key_line if top is not None and isinstance(top.value, dict) else line
        node = Node(value, own if self.lines else None, self.file)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self._put(node)

    def _put(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        frame.size += node.size
        frame.height = max(frame.height, node.height + 1)
        if isinstance(frame.value, list):
            frame.value.append(node)
            return
        key = frame.key if frame.key is not None else ""
        if key == "<<":
            sources = node.value if isinstance(node.value, list) else [node]
            if all(isinstance(source.value, dict) for source in sources):
                frame.merges.extend(sources)
            else:
                self._collect(self._problem(node.line, "<< merges mappings only", show_node(node)))
        else:
            frame.value.setdefault(key, node)
        frame.key = None

    def _syntax(self, error: YAMLError, text: str) -> Problem:
        if isinstance(error, ReaderError):
            where = error.position if isinstance(error.position, int) else 0
            line = text.count("\n", 0, where) + 1
            return self._problem(line, "contains a character that may not stand in a text file")
        line, opened, what, context = 1, 1, "", ""
        if isinstance(error, MarkedYAMLError):
            what, context = str(error.problem or ""), str(error.context or "")
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark is not None else 1
            opened = error.context_mark.line + 1 if error.context_mark is not None else line
        rows = text.splitlines()
        row = rows[line - 1] if line <= len(rows) else ""
        begun = f" in line {opened}" if self.lines else ""
        if "\t" in row[: len(row) - len(row.lstrip())] or "'\\t'" in what:
            message = "indent with spaces, not tabs"
        elif "found unexpected end of stream" in what or "unexpected document" in what:
            message = f"the quoted text opened{begun} is never closed"
        elif "expected ',' or" in what:
            pair = "{ and }" if "mapping" in context else "[ and ]"
            message = f"the {pair} opened{begun} are not closed, or a comma is missing"
        elif "mapping values are not allowed" in what:
            message = "a colon where none may stand: check the indentation, or put the text in quotes"
        elif "could not find expected ':'" in what:
            message = "a field name without its colon"
        elif "cannot start any token" in what:
            message = "a value cannot begin with this character: put it in quotes"
            return self._bare(line, message, quote(what.split("'")[1] if what.count("'") > 1 else row))
        elif "expected <block end>" in what or "expected the node content" in what:
            message = f"does not fit the block begun{begun}: check the indentation and the brackets"
        else:
            message = "is not valid YAML" + (f": {one_line(what)}" if what else "")
        return self._bare(line, message, None)

    def _bare(self, line: int, allowed: str, found: str | None) -> Problem:
        return Problem(self.file, line if self.lines else None, "", found, allowed)


def pairs(value: Any) -> Iterator[tuple[str, Node]]:
    """Go through the fields of a mapping; through nothing if it is none."""
    if isinstance(value, dict):
        yield from value.items()


def show_node(node: Node) -> str:
    """Show what the file says."""
    return show(node.value)


def as_plain(node: Node) -> Any:
    """Give the value as plain Python."""
    if isinstance(node.value, dict):
        return {key: as_plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [as_plain(child) for child in node.value]
    return node.value


def fresh(node: Node) -> Node:
    """Mark a value and all inside it as brought by an override."""
    value = node.value
    if isinstance(value, dict):
        value = {key: fresh(child) for key, child in value.items()}
    elif isinstance(value, list):
        value = [fresh(child) for child in value]
    return replace(node, value=value, new=True)


def child_of(node: Node, key: PathKey) -> Node | None:
    """Give the field or list entry under a key, if there is one."""
    if isinstance(node.value, dict):
        child = node.value.get(str(key))
        return child if isinstance(child, Node) else None
    if isinstance(node.value, list) and str(key).isascii() and str(key).isdigit():
        at = int(str(key)[:9])
        item = node.value[at] if at < len(node.value) else None
        return item if isinstance(item, Node) else None
    return None


def descend(node: Node, path: Sequence[PathKey]) -> tuple[Node, int]:
    """Follow a path as far as it goes; give the last node and how many keys were met."""
    for met, key in enumerate(path):
        child = child_of(node, key)
        if child is None:
            return node, met
        node = child
    return node, len(path)
