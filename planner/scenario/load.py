"""Reading a scenario file: a base, named overrides, and scenarios that are lists of overrides.

A shape after Calliope: nested mappings of an override merge into the base, anything else replaces what was
there, and a field set twice within one scenario is an error. The model is the caller's. Every override and
scenario is checked, used or not, and every problem is told at once, each with its line.
"""

import hashlib
import math
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, RootModel

from planner.scenario.explain import (
    Fault,
    arms_of,
    check,
    field_of,
    is_mapping,
    is_model,
    kids_of,
    literals_of,
    spelling,
    spellings,
)
from planner.scenario.nodes import (
    MAX_DEPTH,
    Composer,
    Node,
    StopError,
    as_plain,
    child_of,
    descend,
    fresh,
    has_surrogates,
    show_node,
)
from planner.scenario.people_file import Lists, in_list
from planner.scenario.problems import (
    SET,
    UNKNOWN,
    FieldError,
    FieldErrors,
    Problem,
    ScenarioError,
    clip,
    dotted,
    nearest,
    one_line,
    quote,
    show,
    some,
)

__all__ = [
    "Applied",
    "FieldError",
    "FieldErrors",
    "Loaded",
    "Problem",
    "ScenarioError",
    "json_schema",
    "nearest",
    "read",
]

M = TypeVar("M", bound=BaseModel)

MAX_BYTES = 5_000_000
MOST_NAMED = 200
"""Overrides, and scenarios, of a file: each is checked."""
RESERVED = ("overrides", "scenarios")


class Applied(NamedTuple):
    """One value that an override or `--set` put in the place of the base's."""

    path: str
    value: Any
    source: str


class Loaded(NamedTuple, Generic[M]):
    """A scenario that passed every check, and what was applied to its base."""

    value: M
    applied: tuple[Applied, ...]
    text_hash: str
    """Of the file, and of the list of people beside it."""
    path: Path
    root: Node
    """The file with its changes, for the lines of what is found out later."""


def _read_text(path: Path) -> tuple[str, str]:
    """Read the file with every reason not to; give its text and hash."""
    name = clip(path.name or str(path))

    def stop(allowed: str, *, line: int | None = None, close: str | None = None) -> StopError:
        return StopError(Problem(name, line, "", None, allowed, close))

    try:
        status = path.stat()
    except FileNotFoundError:
        raise stop("no such file", close=nearest(path.name, _neighbours(path.parent))) from None
    except (OSError, ValueError) as error:
        raise stop(f"cannot be read: {_reason(error)}") from None
    if stat.S_ISDIR(status.st_mode):
        inside = _neighbours(path)
        listed = f"; it holds {some(inside)}" if inside else ""
        raise stop(f"is a folder: give a scenario file{listed}")
    if not stat.S_ISREG(status.st_mode):
        raise stop("is not an ordinary file")
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1) if status.st_size <= MAX_BYTES else None
    except (OSError, ValueError) as error:
        raise stop(f"cannot be read: {_reason(error)}") from None
    if data is None or len(data) > MAX_BYTES:
        megabytes = max(status.st_size, MAX_BYTES + 1) / 1e6
        raise stop(f"is too large for a scenario: {megabytes:.1f} MB, at most {MAX_BYTES / 1e6:g} MB")
    return _decode(data, stop), hashlib.sha256(data).hexdigest()


def _decode(data: bytes, stop: Any) -> str:
    head = data.lstrip()[:15].lower()
    if data.startswith(b"PK\x03\x04"):
        raise stop("is a workbook or zip archive, not a YAML text file")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise stop("is not UTF-8 text: save it as UTF-8")
    if b"\0" in data[:8192] or data.startswith(b"%PDF"):
        raise stop("is not a text file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise stop("is not UTF-8 text: save it as UTF-8", line=line) from None
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<svg", b"<head", b"<body")):
        raise stop("is a web page or XML, not YAML", line=1)
    return text


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) else None
    return (text or "not a file name").lower()


def _neighbours(folder: Path) -> list[str]:
    try:
        return sorted(p.name for p in folder.iterdir() if p.suffix.lower() in (".yaml", ".yml", ".json"))[
            :500
        ]
    except (OSError, ValueError):
        return []


class _Leaf(NamedTuple):
    """One value an override sets, where, and the line of each key on the way."""

    path: tuple[str, ...]
    node: Node
    lines: tuple[int | None, ...]
    walked: int  # keys that a dotted path only steps through: they must exist


def _split(base: Node, at: Sequence[str], text: str) -> list[str]:
    """Split a dotted path; a name of the base that holds a dot itself is kept whole."""
    tokens = text.split(".")
    here, met = descend(base, at)
    node: Node | None = here if met == len(at) else None
    path: list[str] = []
    while tokens:
        take = 1
        if node is not None and isinstance(node.value, dict):
            take = next((n for n in range(len(tokens), 1, -1) if ".".join(tokens[:n]) in node.value), 1)
        path.append(".".join(tokens[:take]))
        node = child_of(node, path[-1]) if node is not None else None
        tokens = tokens[take:]
    return path


def _leaves(
    base: Node, node: Node, at: tuple[str, ...] = (), lines: tuple[int | None, ...] = (), walked: int = 0
) -> Iterator[_Leaf]:
    """Flatten an override, nested or dotted, into the values it sets."""
    if not isinstance(node.value, dict) or (at and not node.value):
        yield _Leaf(at, fresh(node), lines, walked)
        return
    for key, child in node.value.items():
        tokens = _split(base, at, key)
        through = len(at) + len(tokens) - 1 if len(tokens) > 1 else walked
        yield from _leaves(base, child, (*at, *tokens), (*lines, *[child.line] * len(tokens)), through)


def _misplaced(leaf: _Leaf, base: Node, model: type[BaseModel]) -> Problem | None:
    """Say what is wrong with the path of an override, as far as the base alone can tell."""
    shown, node = dotted(leaf.path), leaf.node

    def wrong(allowed: str, found: str | None = None, close: str | None = None) -> Problem:
        return Problem(node.file, node.line, shown, found, allowed, close)

    if len(leaf.path) > MAX_DEPTH:
        return wrong(f"is nested more than {MAX_DEPTH} levels deep")
    if not all(leaf.path):
        return wrong("must be a path of names joined by single dots")
    here: Node = base
    annotations: list[Any] = [model]
    for at, key in enumerate(leaf.path):
        child = child_of(here, key)
        if child is None and isinstance(here.value, list):
            n = len(here.value)
            numbers = f"0 to {n - 1}" if n else "none, it is empty"
            return wrong(
                f"{dotted(leaf.path[:at])} is a list: address an entry by its number ({numbers})", key
            )
        if child is None:
            owners = [arm for annotation in annotations for arm in arms_of(annotation)]
            names = [name for arm in owners if is_model(arm) for name in spellings(arm)]
            is_free = any(is_mapping(arm) for arm in owners)
            if isinstance(here.value, dict) and is_free and key not in names and at < leaf.walked:
                known = list(here.value)
                unknown = f"{UNKNOWN}, as there is no {clip(key)}"
                return wrong(some(known), unknown, nearest(key, known))
            return None
        here, annotations = child, kids_of(annotations, key)
    return None


def _tree(leaves: Iterable[_Leaf]) -> Node | None:
    """Build one nested mapping from the values set."""
    root: Node | None = None
    for leaf in leaves:
        if root is None:
            root = Node({}, leaf.node.line, leaf.node.file, new=True)
        here = root
        for key, line in zip(leaf.path[:-1], leaf.lines, strict=False):
            here = here.value.setdefault(key, Node({}, line, leaf.node.file, new=True))
        here.value[leaf.path[-1]] = leaf.node
    return root


def _merge(base: Node, over: Node, annotations: list[Any]) -> Node:
    """Lay one mapping over another; anything but a mapping replaces what was there."""
    if not isinstance(over.value, dict) or not over.value:
        return over
    if isinstance(base.value, list):
        items = list(base.value)
        for key, child in over.value.items():
            items[int(key)] = _merge(items[int(key)], child, kids_of(annotations, key))
        return replace(base, value=items)
    if not isinstance(base.value, dict) or _is_other_kind(base, over, annotations):
        return over
    merged = dict(base.value)
    for key, child in over.value.items():
        merged[key] = _merge(merged[key], child, kids_of(annotations, key)) if key in merged else child
    return replace(base, value=merged)


def _is_other_kind(base: Node, over: Node, annotations: list[Any]) -> bool:
    """Say whether an override changes the field by which the branches of a union are told apart."""
    models = [arm for annotation in annotations for arm in arms_of(annotation) if is_model(arm)]
    if len(models) < 2:
        return False
    for key, child in over.value.items():
        old = child_of(base, key)
        if old is None or isinstance(child.value, dict | list):
            continue
        infos = [info for model in models if (info := field_of(model, key)) is not None]
        options = [literals for info in infos if (literals := literals_of(info.annotation))]
        if any(old.value in o for o in options) and not any(
            old.value in o and child.value in o for o in options
        ):
            return True
    return False


class _Override(NamedTuple):
    """A named override of the file, flattened."""

    name: str
    leaves: tuple[_Leaf, ...]


def _mapping(section: Node | None, what: str, problems: list[Problem]) -> dict[str, Node]:
    """Give the entries of a reserved section."""
    if section is None or section.value is None:
        return {}
    if not isinstance(section.value, dict):
        problems.append(
            Problem(section.file, section.line, what, show_node(section), "must be a mapping of names")
        )
        return {}
    if len(section.value) > MOST_NAMED:
        allowed = f"must have at most {MOST_NAMED} entries"
        problems.append(Problem(section.file, section.line, what, show_node(section), allowed))
        return {}
    return section.value


def _clash(leaves: Sequence[tuple[str, _Leaf]]) -> Iterator[tuple[tuple[str, _Leaf], tuple[str, _Leaf]]]:
    """Find pairs that set the same field, or one that sets what another lies inside."""
    seen: dict[tuple[str, ...], tuple[str, _Leaf]] = {}
    above: dict[tuple[str, ...], tuple[str, _Leaf]] = {}
    for item in leaves:
        path = item[1].path
        outer = (seen[path[:n]] for n in range(1, len(path) + 1) if path[:n] in seen)
        first = next(outer, above.get(path))
        if first is not None:
            yield first, item
            continue
        seen[path] = item
        for n in range(1, len(path)):
            above.setdefault(path[:n], item)


def _read_overrides(
    section: Node | None, base: Node, model: type[BaseModel], problems: list[Problem]
) -> dict[str, _Override]:
    overrides: dict[str, _Override] = {}
    for name, node in _mapping(section, "overrides", problems).items():
        if not isinstance(node.value, dict):
            allowed = "must be a mapping of fields to their new values"
            problems.append(
                Problem(node.file, node.line, dotted(["overrides", name]), show_node(node), allowed)
            )
            overrides[name] = _Override(name, ())
            continue
        good: list[_Leaf] = []
        for leaf in _leaves(base, node):
            wrong = _misplaced(leaf, base, model)
            if wrong is None:
                good.append(leaf)
            else:
                problems.append(wrong)
        for (_, first), (_, again) in list(_clash([(name, leaf) for leaf in good])):
            allowed = f"is set twice by override {clip(name)}, in line {first.node.line} and here: keep one"
            problems.append(Problem(again.node.file, again.node.line, dotted(again.path), None, allowed))
            good.remove(again)
        overrides[name] = _Override(name, tuple(good))
    return overrides


def _read_scenarios(
    section: Node | None, overrides: Mapping[str, _Override], problems: list[Problem]
) -> dict[str, tuple[str, ...]]:
    scenarios: dict[str, tuple[str, ...]] = {}
    for name, node in _mapping(section, "scenarios", problems).items():
        where = dotted(["scenarios", name])
        scenarios[name] = ()
        if not isinstance(node.value, list):
            allowed = "must be a list of overrides, such as [first, second]"
            problems.append(Problem(node.file, node.line, where, show_node(node), allowed))
            continue
        names: list[str] = []
        for item in node.value:
            key = str(item.value)
            if isinstance(item.value, dict | list) or key not in overrides:
                allowed = f"must name overrides of this file: {some(list(overrides))}"
                close = nearest(key, overrides) if isinstance(item.value, str) else None
                problems.append(Problem(item.file, item.line, where, show_node(item), allowed, close))
            elif key in names:
                allowed = f"names override {clip(key)} twice: keep one"
                problems.append(Problem(item.file, item.line, where, None, allowed))
            else:
                names.append(key)
        if name in overrides and names != [name]:
            allowed = f"an override in line {_first_line(overrides[name])} has the same name: rename one"
            problems.append(Problem(node.file, node.line, where, None, allowed))
        scenarios[name] = tuple(names)
    return scenarios


def _first_line(override: _Override) -> int | str:
    return next((leaf.node.line for leaf in override.leaves if leaf.node.line is not None), "?")


def _sum(
    name: str, parts: Sequence[_Override], problems: list[Problem]
) -> tuple[list[tuple[str, _Leaf]], bool]:
    """Collect the values of several overrides; a field set by two of them is an error."""
    leaves = [(part.name, leaf) for part in parts for leaf in part.leaves]
    clashes = list(_clash(leaves))
    for (one, first), (two, again) in clashes:
        allowed = (
            f"is set by override {clip(one)} (line {first.node.line}) and by override {clip(two)} "
            f"(line {again.node.line}), both in scenario {clip(name)}: keep one"
        )
        problems.append(Problem(again.node.file, again.node.line, dotted(again.path), None, allowed))
    return leaves, not clashes


def _blame(faults: Iterable[Fault], known: AbstractSet[Problem], cause: str) -> list[Problem]:
    """Give the faults that are not in the base, naming the cause where the line does not show it."""
    told: list[Problem] = []
    for problem, new in faults:
        if problem in known:
            continue
        if new:
            told.append(problem)
        elif problem.found is not None and problem.found.startswith(UNKNOWN):
            told.append(problem._replace(found=f"{problem.found} {cause}"))
        else:
            told.append(problem._replace(allowed=f"{problem.allowed}, {cause}"))
    return told


_PERCENT = re.compile(r"([+-]\s*(?:[0-9]+\.?[0-9]*|\.[0-9]+))\s*%")
_TIMES = re.compile(r"\*\s*((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)")
_ABSENT = object()


def _factor(text: str) -> float | None:
    """Read +10% as 1.1 and *1.1 as 1.1; None if the text is neither."""
    if len(text) > 40:
        return None
    percent = _PERCENT.fullmatch(text)
    if percent is not None:
        return 1 + float(percent[1].replace(" ", "")) / 100
    times = _TIMES.fullmatch(text)
    return float(times[1]) if times is not None else None


def _default(value: object, path: Sequence[str]) -> object:
    """Look a field up in the checked model, for values that the file leaves to their defaults."""
    for key in path:
        if isinstance(value, RootModel):
            value = value.root
        if isinstance(value, BaseModel):
            fields = type(value).model_fields
            name = next((n for n, info in fields.items() if spelling(n, info) == key), None)
            value = getattr(value, name) if name is not None else _ABSENT
        elif isinstance(value, Mapping):
            value = next((v for k, v in value.items() if str(k) == key), _ABSENT)
        elif isinstance(value, list | tuple) and key.isdigit() and int(key[:9]) < len(value):
            value = value[int(key[:9])]
        else:
            return _ABSENT
    return value


def _parse_set(text: str, root: Node, value: BaseModel | None) -> tuple[_Leaf | None, list[Problem]]:
    """Read one `path=value`."""
    name, equals, right = text.partition("=")
    name, right = name.strip(), right.strip()

    def wrong(allowed: str, found: str | None = None) -> tuple[None, list[Problem]]:
        return None, [Problem(SET, None, clip(name) if equals else "", found, allowed)]

    if not equals or not name:
        return wrong("must be written path=value, such as types.claims.offered_per_week=120", quote(text))
    if not right:
        return wrong("has no value after the = (write null to empty a field)")
    if has_surrogates(text):
        return wrong("contains a character that is not text")
    path = tuple(_split(root, (), name))
    factor = _factor(right)
    if factor is not None:
        here, met = descend(root, path)
        now = here.value if met == len(path) else _default(value, path)
        if isinstance(now, bool) or not isinstance(now, int | float):
            if (
                met < len(path) and now is _ABSENT
            ):  # let the path's own check speak, if it has something to say
                leaf = _Leaf(path, Node(0, None, SET, new=True), (None,) * len(path), len(path) - 1)
                return leaf, [Problem(SET, None, dotted(path), right, "has no value that could be scaled")]
            return wrong(f"only a number can be scaled by {clip(right)}", show(now))
        scaled = float(f"{now * factor:.12g}")
        exact = (
            int(scaled) if isinstance(now, int) and scaled.is_integer() and math.isfinite(scaled) else scaled
        )
        if not math.isfinite(scaled):
            return wrong("must be a finite number", right)
        return _Leaf(path, Node(exact, None, SET, new=True), (None,) * len(path), len(path) - 1), []
    composer = Composer(SET, lines=False)
    try:
        node = composer.compose(right)
    except StopError as stop:
        return None, [stop.problem._replace(field=clip(name))]
    problems = [p._replace(field=clip(".".join(filter(None, (name, p.field))))) for p in composer.problems]
    if node is None or (isinstance(node.value, dict | list) and right[0] not in "[{"):
        return wrong("must be a single value, a [list] or a {mapping}", quote(right))
    if problems:
        return None, problems
    return _Leaf(path, fresh(node), (None,) * len(path), len(path) - 1), []


def _check(
    root: Node, model: type[M], lists: Lists, base: Node | None = None
) -> tuple[Node, M | None, list[Fault]]:
    """Check a file after what it refers to has been read in its place; give it filled, too."""
    filled, problems = lists.filled(root)
    value, faults = check(filled, model, base)
    told = [Fault(problem, True) for problem in problems]  # its line, or its file, shows whence it comes
    told += [Fault(in_list(fault.problem), fault.new) for fault in faults]
    return filled, None if told else value, told


def _apply_sets(
    sets: Sequence[str],
    root: Node,
    value: M | None,
    model: type[M],
    known: AbstractSet[Problem],
    lists: Lists,
) -> tuple[Node, M | None, list[Applied], list[Problem]]:
    """Lay the `--set` values over the scenario and check it once more."""
    problems: list[Problem] = []
    leaves: list[_Leaf] = []
    for text in sets:
        leaf, wrongs = _parse_set(text, root, value)
        misplaced = _misplaced(leaf, root, model) if leaf is not None else None
        if misplaced is not None:
            problems.append(misplaced)
        elif wrongs:
            unknown = (
                _check(_merge(root, _tree([leaf]) or root, [model]), model, lists)[2]
                if leaf is not None
                else []
            )
            names = [f.problem for f in unknown if f.new and f.problem.found == UNKNOWN]
            problems += names or (wrongs if leaf is None or value is not None else [])
        elif leaf is not None:
            for part in _leaves(root, leaf.node, leaf.path, leaf.lines, leaf.walked):
                wrong = _misplaced(part, root, model)
                if wrong is None:
                    leaves.append(part)
                else:
                    problems.append(wrong)
    for (_, first), (_, again) in list(_clash([(SET, leaf) for leaf in leaves])):
        inside = "" if first.path == again.path else f" (by {dotted(first.path)})"
        allowed = f"is set twice on the command line{inside}: keep one"
        problems.append(Problem(SET, None, dotted(again.path), None, allowed))
        leaves = [leaf for leaf in leaves if leaf is not again]
    tree = _tree(leaves)
    if tree is not None:
        merged = _merge(root, tree, [model])
        _, value, faults = _check(merged, model, lists, root)
        problems += _blame(faults, known, "with --set")
        root = merged
    return root, value, [Applied(dotted(leaf.path), as_plain(leaf.node), SET) for leaf in leaves], problems


def read(
    path: str | Path, model: type[M], *, scenario: str | None = None, sets: Sequence[str] = ()
) -> Loaded[M]:
    """Read a scenario file, apply a named scenario and `--set` values, and check all of it.

    `scenario` names a scenario of the file, or a single override. Raises `ScenarioError` with every problem
    at once: of the base, of each override and scenario (used or not), and of the `sets`.
    """
    path = Path(path)
    try:
        return _read(path, model, scenario, tuple(sets))
    except StopError as stop:
        raise ScenarioError([stop.problem]) from None
    except (ScenarioError, MemoryError):
        raise
    except Exception as error:  # a validator of the schema fell over: the planner still gets one line
        what = one_line(f"{type(error).__name__}: {error}")
        problem = Problem(clip(path.name), None, "", None, f"could not be checked to the end ({what})")
        raise ScenarioError([problem]) from error


def _read(path: Path, model: type[M], scenario: str | None, sets: tuple[str, ...]) -> Loaded[M]:
    text, text_hash = _read_text(path)
    name = clip(path.name)
    composer = Composer(name, lines=True)
    try:
        root = composer.compose(text)
    except StopError as stop:
        raise ScenarioError([*composer.problems, stop.problem]) from None
    if root is None or (root.value is None and not composer.problems):
        raise StopError(Problem(name, None, "", None, "is empty"))
    if not isinstance(root.value, dict):
        raise StopError(
            Problem(name, root.line, "", show_node(root), "must be a mapping of fields (name: value)")
        )

    unread = [_at_home(problem) for problem in composer.problems]
    problems: list[Problem] = []
    sections = {key: root.value.get(key) for key in RESERVED}
    base = replace(root, value={k: n for k, n in root.value.items() if k not in RESERVED})
    lists = Lists(path)
    _, value, faults = _check(base, model, lists)
    known = {fault.problem for fault in faults}
    problems += [fault.problem for fault in faults]

    overrides = _read_overrides(sections["overrides"], base, model, problems)
    scenarios = _read_scenarios(sections["scenarios"], overrides, problems)
    bundles: dict[str, tuple[_Override, ...]] = {name: (overrides[name],) for name in overrides}
    bundles |= {name: tuple(overrides[part] for part in parts) for name, parts in scenarios.items()}
    chosen, chosen_leaves = base, list[tuple[str, _Leaf]]()
    told = {_place(problem) for problem in known}
    for bundle, parts in bundles.items():
        leaves, is_clear = _sum(bundle, parts, problems)
        tree = _tree(leaf for _, leaf in leaves)
        if tree is None or not is_clear:
            continue
        merged = _merge(base, tree, [model])
        _, checked, all_faults = _check(merged, model, lists, base)
        faults = all_faults
        cause = f"with {'scenario' if bundle in scenarios else 'override'} {clip(bundle)}"
        if bundle in scenarios:  # what an override shows alone need not be told again
            faults = [fault for fault in faults if _place(fault.problem) not in told]
        problems += _blame(faults, known, cause)
        told |= {_place(fault.problem) for fault in faults}
        if bundle == scenario:
            chosen, chosen_leaves, value = merged, leaves, checked
            known = known | {fault.problem for fault in all_faults}
    if scenario is not None and scenario not in bundles:
        close = nearest(scenario, bundles)
        allowed = f"no such scenario; the file has: {some(list(scenarios) or list(overrides))}"
        problems.append(Problem(name, None, "", quote(scenario), allowed, close))

    applied = [
        Applied(dotted(leaf.path), as_plain(leaf.node), f"override {part} ({name}:{leaf.node.line})")
        for part, leaf in chosen_leaves
    ]
    if sets:
        chosen, value, by_hand, wrongs = _apply_sets(sets, chosen, value, model, known, lists)
        applied += by_hand
        problems += wrongs
    places = {problem[:3] for problem in unread}
    problems = unread + [problem for problem in problems if problem[:3] not in places]
    if problems or value is None:
        raise ScenarioError(problems)
    text_hash = hashlib.sha256(text_hash.encode() + lists.digest()).hexdigest() if lists.read else text_hash
    return Loaded(value, tuple(applied), text_hash, path, lists.filled(chosen)[0])


def _place(problem: Problem) -> tuple[Any, ...]:
    """Give what makes two problems the same, whichever override brought them out."""
    return (problem.file, problem.line, problem.field, problem.allowed)


def _at_home(problem: Problem) -> Problem:
    """Name a field inside an override as it is named in the base."""
    head, _, rest = problem.field.partition(".")
    return problem._replace(field=rest.partition(".")[2]) if head == "overrides" and "." in rest else problem


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of a scenario file, for editors that complete and check."""
    schema = model.model_json_schema(mode="validation")
    target = schema
    if "$ref" in schema:
        target = schema["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    target.setdefault("properties", {}).update(
        overrides={
            "type": ["object", "null"],
            "description": "Named changes to the base: dotted paths or nested fields, and their new values.",
            "additionalProperties": {"type": "object"},
        },
        scenarios={
            "type": ["object", "null"],
            "description": "Named lists of overrides, applied together.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        },
    )
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def problem_at(loaded: Loaded[Any], error: FieldError) -> Problem:
    """Give the line and the field of an error found after reading (a value that simulation refuses).

    What `--set` or an override gave is told as theirs; of other fields it is said what else was changed.
    """
    node, met = descend(loaded.root, error.path)
    found = show(error.found) if error.found is not None else None
    if found is None and met == len(error.path) and not isinstance(node.value, dict | list):
        found = show_node(node)
    allowed = one_line(error.allowed)
    if loaded.applied and not node.new:
        allowed += f", with {_changes(loaded.applied)}"
    return in_list(Problem(node.file, node.line, dotted(error.path), found, allowed, error.nearest))


@contextmanager
def lines_of(loaded: Callable[[], Loaded[Any]]) -> Iterator[None]:
    """Turn what is found wrong after reading into a ScenarioError with lines; `loaded` is asked only then."""
    try:
        yield
    except (FieldError, FieldErrors) as error:
        found = error.errors if isinstance(error, FieldErrors) else (error,)
        raise ScenarioError([problem_at(loaded(), e) for e in found]) from None


def _changes(applied: Sequence[Applied]) -> str:
    """Name overrides and fields set by hand: override storm and --set what_if.volume."""
    overrides = dict.fromkeys(a.source.partition(" (")[0] for a in applied if a.source != SET)
    by_hand = some([a.path for a in applied if a.source == SET], 3)
    return " and ".join([*overrides, *([f"{SET} {by_hand}"] if by_hand != "none" else [])])
