"""Checking nodes against a pydantic model, and pydantic's errors in a planner's words.

Each error's location is aligned with the file, the labels pydantic inserts at unions are taken out, and of a
union only the branch that fits best is told.
"""

import json
import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from planner.scenario.nodes import Node, as_plain, child_of, descend, pairs, show_node
from planner.scenario.problems import (
    UNKNOWN,
    FieldError,
    FieldErrors,
    PathKey,
    Problem,
    clip,
    dotted,
    nearest,
    number,
    one_line,
    quote,
    show,
    some,
)

M = TypeVar("M", bound=BaseModel)
MOST_TOLD = 200
"""So many errors are told of a file; with the rest something else is wrong."""
MOST_READ = 10 * MOST_TOLD
"""So many are looked at: of a union's errors only the branch that fits best is told."""


def _bare_type(annotation: Any) -> Any:
    """Take off Annotated, type aliases and type variables."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        else:
            return annotation


def is_model(annotation: Any) -> bool:
    """Say whether a type is a pydantic model."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_root(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, RootModel)


def _union(annotation: Any) -> list[Any] | None:
    """Give the arms of a union, None left out, or None if it is no union."""
    if get_origin(annotation) in (Union, types.UnionType):
        return [arm for arm in get_args(annotation) if arm is not type(None)]
    return None


def is_mapping(annotation: Any) -> bool:
    """Say whether a type is a mapping of free names."""
    origin = get_origin(annotation) or annotation
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _item(annotation: Any, index: int) -> Any:
    """Give the type of a list's or tuple's item, or None if it is neither."""
    origin, args = get_origin(annotation) or annotation, get_args(annotation)
    if not isinstance(origin, type) or issubclass(origin, str | bytes | Mapping):
        return None
    if issubclass(origin, tuple):
        if len(args) == 2 and args[1] is Ellipsis:
            return args[0]
        return args[index] if 0 <= index < len(args) else Any
    if issubclass(origin, Sequence | AbstractSet):
        return args[0] if args else Any
    return None


def spelling(name: str, info: FieldInfo) -> str:
    """Give a field's name as the file spells it."""
    alias = info.validation_alias if isinstance(info.validation_alias, str) else info.alias
    return alias or name


def field_of(model: type[BaseModel], key: PathKey) -> FieldInfo | None:
    """Find a field of a model by the file's spelling."""
    for name, info in model.model_fields.items():
        if key == spelling(name, info) or (key == name and model.model_config.get("populate_by_name")):
            return info
    return None


def spellings(model: type[BaseModel]) -> list[str]:
    """Give the names of a model's fields as the file spells them."""
    return [spelling(name, info) for name, info in model.model_fields.items()]


def arms_of(annotation: Any) -> list[Any]:
    """Give every type a value may take, unions and roots unfolded."""
    bare = _bare_type(annotation)
    if _is_root(bare):
        return arms_of(bare.model_fields["root"].annotation)
    arms = _union(bare)
    if arms is None:
        return [bare]
    return [deep for arm in arms for deep in arms_of(arm)]


def kids_of(annotations: Iterable[Any], key: PathKey) -> list[Any]:
    """Give the types found under a key."""
    found: list[Any] = []
    for arm in (deep for annotation in annotations for deep in arms_of(annotation)):
        if is_model(arm):
            info = field_of(arm, key)
            found += [info.annotation] if info is not None else []
        elif is_mapping(arm):
            found += [get_args(arm)[1]] if len(get_args(arm)) == 2 else [Any]
        elif str(key).isdigit():
            item = _item(arm, int(str(key)[:9]))
            found += [item] if item is not None else []
    return found


def literals_of(annotation: Any) -> tuple[Any, ...]:
    """Give the values a Literal allows; none if it is no Literal."""
    bare = _bare_type(annotation)
    return get_args(bare) if get_origin(bare) is Literal else ()


class _Step(NamedTuple):
    """One element of an error's location: a key of the file, or the label of a union's branch."""

    label: bool
    key: PathKey
    owner: Any


def _align(annotation: Any, loc: tuple[PathKey, ...]) -> list[_Step] | None:
    """Tell the keys of an error's location from the labels of union branches; None if it does not fit."""
    if not loc:
        return []
    bare = _bare_type(annotation)
    head, rest = loc[0], loc[1:]
    if _is_root(bare):
        return _align(bare.model_fields["root"].annotation, loc)
    arms = _union(bare)
    if arms is not None and len(arms) == 1:
        return _align(arms[0], loc)
    if arms is not None:
        for arm in sorted(arms, key=lambda arm: not _labelled(arm, head)):
            tail = _align(arm, rest)
            if tail is not None:
                return [_Step(True, head, arm), *tail]
        return None
    if is_model(bare):
        info = field_of(bare, head)
        tail = _align(info.annotation, rest) if info is not None else (None if rest else [])
    elif is_mapping(bare):
        if rest == ("[key]",):
            tail = [_Step(True, "[key]", bare)]
        else:
            tail = _align(get_args(bare)[1] if len(get_args(bare)) == 2 else Any, rest)
    else:
        item = _item(bare, head) if isinstance(head, int) else None
        tail = _align(item, rest) if item is not None else None
    return None if tail is None else [_Step(False, head, bare), *tail]


def _labelled(arm: Any, label: PathKey) -> bool:
    """Say whether pydantic would call this branch by that label."""
    bare = _bare_type(arm)
    if getattr(bare, "__name__", None) == label or str(bare) == label:
        return True
    if is_model(bare):
        return any(
            str(label) in map(str, literals_of(info.annotation)) for info in bare.model_fields.values()
        )
    return False


def _greedy(node: Node, loc: tuple[PathKey, ...], kind: str) -> list[_Step]:
    """Align a location by the file alone, where the annotations do not tell."""
    steps: list[_Step] = []
    here: Node | None = node
    for at, key in enumerate(loc):
        child = child_of(here, key) if here is not None else None
        last = at == len(loc) - 1 and kind in ("missing", "extra_forbidden")
        if child is None and not last:
            steps.append(_Step(True, key, None))
        else:
            steps.append(_Step(False, key, None))
            here = child
    return steps


class Fault(NamedTuple):
    """A problem, and whether the value at fault came with an override."""

    problem: Problem
    new: bool


class _Raw(NamedTuple):
    """One of pydantic's errors with its location aligned to the file."""

    kind: str
    steps: tuple[_Step, ...]
    ctx: dict[str, Any]

    @property
    def keys(self) -> tuple[PathKey, ...]:
        return tuple(step.key for step in self.steps if not step.label)


_PLAIN = {
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "string": "text",
    "dict": "a mapping (name: value)",
    "mapping": "a mapping (name: value)",
    "model": "a mapping (name: value)",
    "model_attributes": "a mapping (name: value)",
    "dataclass": "a mapping (name: value)",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "iterable": "a list",
    "date": "a date such as 2026-03-31",
    "date_from_datetime": "a date such as 2026-03-31",
    "time": "a time of day such as 08:30",
    "datetime": "a date and time such as 2026-03-31T08:30",
    "datetime_from_date": "a date and time such as 2026-03-31T08:30",
    "time_delta": "a duration such as PT30M",
    "url": "a web address",
    "uuid": "an identifier",
    "bytes": "text",
}
_BOUNDS = {
    "greater_than": ("gt", "must be greater than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
    "multiple_of": ("multiple_of", "must be a multiple of"),
}
_FIXED = {
    "missing": "must be given",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large",
    "finite_number": "must be a finite number",
    "none_required": "must be empty (null)",
    "date_past": "must lie in the past",
    "date_future": "must lie in the future",
    "datetime_past": "must lie in the past",
    "datetime_future": "must lie in the future",
    "date_from_datetime_inexact": "must be a date such as 2026-03-31",
    "string_unicode": "must be text",
    "invalid_key": "must be a plain field name",
}
_NUMBERS = ("int_type", "int_parsing", "float_type", "float_parsing", "decimal_type", "decimal_parsing")
_DECIMAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_WRONG_KIND = {"literal_error", "enum", "none_required", "is_instance_of", "is_subclass_of", "callable_type"}


def _is_wrong_kind(kind: str) -> bool:
    """Say whether the value is of another kind altogether, rather than out of bounds."""
    return kind in _WRONG_KIND or kind.endswith(("_type", "_parsing"))


def _unquote(node: Node) -> str:
    """Say what keeps a text from being the number that it looks like."""
    text = node.value.strip() if isinstance(node.value, str) else ""
    if _DECIMAL.fullmatch(text):
        return ", not text: take the quotes away"
    if text.endswith("%") and _DECIMAL.fullmatch(text[:-1].strip()):
        return f", such as {float(text[:-1]) / 100:g} for {clip(text)}"
    if "," in text and _DECIMAL.fullmatch(text.replace(",", ".", 1)):
        return " written with a point, not a comma"
    return ""


def _options(text: str) -> list[str]:
    """Take the words out of pydantic's list: 'voice', 'chat' or 3."""
    quoted = re.findall(r"'([^']*)'|\"([^\"]*)\"|(?:^|[ ,])(-?[0-9][0-9.]*|True|False)", text)
    return [next((part for part in parts if part), "''") for parts in quoted]


def _allowed(raw: _Raw, node: Node) -> tuple[str, list[str]]:
    """Say in plain words what is allowed, with the spellings to choose from if there are any."""
    kind, ctx = raw.kind, raw.ctx
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        bound = ctx.get(key)
        return f"{words} {number(bound) if isinstance(bound, int | float) else clip(str(bound))}", []
    if kind in ("literal_error", "enum", "union_tag_invalid"):
        options = _options(str(ctx.get("expected", ctx.get("expected_tags", ""))))
        if node.value in options and "'" not in str(ctx.get("expected", "'")):
            return f"must be one of: {some(options)}{_unquote(node)}", []
        return ("must be " + (f"one of: {some(options)}" if len(options) != 1 else options[0])), options
    if kind in ("too_short", "too_long"):
        most = kind == "too_long"
        n = ctx.get("max_length" if most else "min_length")
        return f"must have at {'most' if most else 'least'} {n} entr{'y' if n == 1 else 'ies'}", []
    if kind in ("string_too_short", "string_too_long"):
        most = kind == "string_too_long"
        n = ctx.get("max_length" if most else "min_length")
        return f"must have at {'most' if most else 'least'} {n} character{'' if n == 1 else 's'}", []
    if kind in ("value_error", "assertion_error"):
        return one_line(str(ctx.get("error", ""))) or "is not allowed here", []
    if kind == "string_pattern_mismatch":
        examples = _examples(raw)
        return (f"must look like {examples}" if examples else f"must have the form {ctx.get('pattern')}"), []
    if kind in _FIXED:
        return _FIXED[kind], []
    stem = re.sub(r"_(type|parsing|invalid|object_invalid|scheme|parsing_error|syntax_violation)$", "", kind)
    if stem in _PLAIN:
        if stem == "string" and isinstance(node.value, int | float):
            return "must be text: put it in quotes", []
        return f"must be {_PLAIN[stem]}{_unquote(node) if kind in _NUMBERS else ''}", []
    return "is not a value this field can take", []


def _examples(raw: _Raw) -> str:
    """Give the examples the schema states for the field."""
    last = next((step for step in reversed(raw.steps) if not step.label), None)
    info = field_of(last.owner, last.key) if last is not None and is_model(last.owner) else None
    return (
        " or ".join(clip(str(example)) for example in (info.examples or [])[:3]) if info is not None else ""
    )


def _best(raws: list[_Raw], root: Node, depth: int = 0) -> list[_Raw]:
    """At each union keep the branch that fits best; merge branches when the value fits none."""
    plain: list[_Raw] = []
    unions: dict[tuple[PathKey, ...], dict[PathKey, list[_Raw]]] = {}
    for raw in raws:
        at = next((i for i, step in enumerate(raw.steps) if i >= depth and step.label), None)
        if at is None or raw.steps[at].key == "[key]":
            plain.append(raw)
        else:
            unions.setdefault(tuple(step.key for step in raw.steps[:at]), {}).setdefault(
                raw.steps[at].key, []
            ).append(raw)
    for where, branches in unions.items():
        below = len(where) + 1
        kept = {label: _best(inner, root, below) for label, inner in branches.items()}
        scores = {
            label: (
                any(_is_elsewhere(raw, below) for raw in inner),
                sum(_weight(raw, below) for raw in inner),
            )
            for label, inner in kept.items()
        }
        if len(kept) == 1 or not all(is_elsewhere for is_elsewhere, _ in scores.values()):
            plain += kept[min(scores, key=lambda label: scores[label])]
        else:
            plain.append(_either([raw for inner in kept.values() for raw in inner], root, len(where)))
    return plain


def _is_elsewhere(raw: _Raw, depth: int) -> bool:
    """Say whether the value as a whole is of another kind than this branch."""
    inside = any(not step.label for step in raw.steps[depth:])
    return not inside and (raw.kind == "either" or _is_wrong_kind(raw.kind))


def _weight(raw: _Raw, depth: int) -> int:
    """Weigh an error inside a branch by how strongly it says that another branch was meant."""
    if sum(not step.label for step in raw.steps[depth:]) == 1 and raw.kind in ("literal_error", "enum"):
        return 50
    return {"extra_forbidden": 3, "missing": 2}.get(raw.kind, 1)


def _either(raws: list[_Raw], root: Node, at: int) -> _Raw:
    """Join the branches of the union at this step into `must be a number or a list`."""
    first = min(raws, key=lambda raw: len(raw.keys))
    node, _ = descend(root, first.keys)
    parts: dict[str, None] = {}
    words: list[str] = []
    for raw in raws:
        if raw.kind == "either":
            parts.update(dict.fromkeys(raw.ctx["parts"]))
            words += raw.ctx["words"]
        elif len(raw.keys) == len(first.keys):
            allowed, options = _allowed(raw, node)
            parts[allowed.removeprefix("must be ").split(": put it")[0]] = None
            words += options
    return _Raw("either", first.steps[:at], {"parts": list(parts), "words": words})


_DIGITS = ("int_type", "float_type", "decimal_type")
_CLOCKS = ("date_type", "time_type", "datetime_type")


def _is_silent(raw: _Raw, node: Node) -> bool:
    """Pick the silent conversions no planner means: true as 1, 8 as 00:00:08, '0.7' or 'inf' as a number."""
    value = node.value
    if raw.kind in _CLOCKS:
        return isinstance(value, int | float)
    if raw.kind not in _DIGITS:
        return False
    if isinstance(value, bool):
        return True
    try:
        return isinstance(value, str) and float(value) is not None
    except ValueError:
        return False


def _raws(error: ValidationError, root: Node, model: type[BaseModel]) -> list[_Raw]:
    raws = []
    for item in error.errors(include_url=False, include_input=False)[:MOST_READ]:
        kind, loc = item["type"], item["loc"]
        steps = _align(model, loc)
        raw = _Raw(kind, tuple(_greedy(root, loc, kind) if steps is None else steps), item.get("ctx", {}))
        if kind == "too_short":
            written = descend(root, raw.keys)[0].value
            if isinstance(written, dict | list) and len(written) >= raw.ctx.get("min_length", 0):
                continue  # only those that can be read were counted
        raws.append(raw)
    return raws


def check(root: Node, model: type[M], base: Node | None = None) -> tuple[M | None, list[Fault]]:
    """Check the mapping against the model: leniently, and strictly for silent conversions."""
    text = json.dumps(as_plain(root))
    value: M | None = None
    raws: list[_Raw] = []
    try:
        value = model.model_validate_json(text, strict=False)
    except ValidationError as error:
        raws = _raws(error, root, model)
    try:
        model.model_validate_json(text, strict=True)
    except ValidationError as error:
        silent = []
        for raw in _raws(error, root, model):
            node, met = descend(root, raw.keys)
            if met == len(raw.keys) and _is_silent(raw, node):
                silent.append(raw)
        told = {raw.keys for raw in silent}
        raws = [raw for raw in raws if raw.keys not in told] + silent
    best = _best(raws, root)
    faults = _faults(best, root, base)
    faults += [fault for fault in _beyond(best, root, model) if fault not in faults]
    return (None if faults else value), faults


def _beyond(raws: list[_Raw], root: Node, model: type[BaseModel]) -> list[Fault]:
    """What is wrong between the parts, to be told beside what is wrong inside them.

    For that the values at fault are put right for the moment. Nothing is told of what stands close to them, nor at all
    where much else hangs on one (the `KEYSTONES` of the model, if it names any). Entries of the lists that the model names
    as `APART` do not hang on each other.
    """
    stones: AbstractSet[PathKey] | None = getattr(model, "KEYSTONES", None)
    if stones is None or not raws or len(raws) > MOST_TOLD:
        return []
    apart_lists: AbstractSet[PathKey] = getattr(model, "APART", frozenset())
    plain, close = as_plain(root), set[tuple[PathKey, ...]]()
    for raw in raws:
        inside_list = len(raw.keys) > 1 and isinstance(raw.keys[1], int)
        if inside_list and raw.keys[0] in apart_lists:
            out = _left_out(plain, raw)
            if not out:
                return []
            close |= out
            continue
        if any(key in stones for key in raw.keys) or not _put_right(plain, raw, stones):
            return []
        close.add(raw.keys[:1] if inside_list else raw.keys[:3])
    try:
        model.model_validate_json(json.dumps(plain), strict=False)
    except ValidationError as error:
        found = [raw.ctx.get("error") for raw in _raws(error, root, model) if not raw.keys]
    else:
        return []
    each = [e for one in found for e in (one.errors if isinstance(one, FieldErrors) else (one,))]
    apart = [
        e
        for e in each
        if isinstance(e, FieldError)
        and len(e.path) > 1
        and not any(e.path[: len(place)] == place for place in close)
    ]
    return [fault for e in apart for fault in _tell(_Raw("value_error", (), {"error": e}), root)]


def _left_out(plain: Any, raw: _Raw) -> set[tuple[PathKey, ...]]:
    """Take the fields at fault out of an entry of a list; give their paths, none if that cannot be."""
    error = raw.ctx.get("error")
    each = error.errors if isinstance(error, FieldErrors) else (error,)
    paths = [raw.keys + (one.path if isinstance(one, FieldError) else ()) for one in each]
    if any(len(path) < 3 for path in paths):
        return set()
    for path in paths:
        plain[path[0]][path[1]].pop(str(path[2]), None)
    return {path[:3] for path in paths}


def _put_right(plain: Any, raw: _Raw, stones: AbstractSet[PathKey]) -> bool:
    """Take a value at fault out where it may be left out, or put the plainest one that is allowed; say if that could be."""
    steps = [step for step in raw.steps if not step.label]
    for at in range(len(steps) - 1, -1, -1):
        parent, key, owner = plain, steps[at].key, steps[at].owner
        for step in steps[:at]:
            inner = parent.get(str(step.key)) if isinstance(parent, dict) else None
            if isinstance(parent, list) and isinstance(step.key, int) and step.key < len(parent):
                inner = parent[step.key]
            parent = inner
        if parent is None:
            return True  # gone with another
        if not isinstance(parent, dict):
            continue
        info = field_of(owner, key) if is_model(owner) else None
        if is_model(owner) and info is None:
            parent.pop(str(key), None)
            return at > 0 and nearest(str(key), spellings(owner)) not in stones
        if info is not None:
            if at == 0 and any(is_mapping(arm) for arm in arms_of(info.annotation)):
                return False
            if info.is_required():
                value = _plainest(info)
                if value is None:
                    continue
                parent[str(key)] = value
            else:
                parent.pop(str(key), None)
            return True
        if is_mapping(owner) and not isinstance(parent.get(str(key)), dict | list):
            parent.pop(str(key), None)
            return at > 1
    return False


def _plainest(info: FieldInfo) -> Any:
    """A value that a field can take; None where none comes to mind."""
    guesses: list[Any] = [*literals_of(info.annotation), 1, 0, 0.5, 60, "x", "09:00"]
    for arm in arms_of(info.annotation):
        if is_model(arm):
            needed = {name: f for name, f in arm.model_fields.items() if f.is_required()}
            guesses.append({spelling(name, f): _plainest(f) for name, f in needed.items()})
    annotation: Any = Annotated[info.annotation, info]
    kind: TypeAdapter[Any] = TypeAdapter(annotation)
    for guess in guesses:
        with suppress(ValidationError):
            kind.validate_json(json.dumps(guess))
            return guess
    return None


def _faults(raws: list[_Raw], root: Node, base: Node | None) -> list[Fault]:
    faults: list[Fault] = []
    misspelt: set[tuple[PathKey, ...]] = set()
    missing: dict[tuple[PathKey, ...], list[_Raw]] = {}
    for raw in raws:
        if len(faults) >= MOST_TOLD:
            break
        if raw.kind == "missing" and raw.keys:
            missing.setdefault(raw.keys[:-1], []).append(raw)
            continue
        for problem, new in _tell(raw, root):
            faults.append(Fault(problem, new))
            if raw.kind == "extra_forbidden" and problem.nearest:
                misspelt.add((*raw.keys[:-1], problem.nearest))
    for parent, lacks in missing.items():
        lacking = [raw for raw in lacks if raw.keys not in misspelt]
        node, _ = descend(root, parent)
        if lacking and node.new and base is not None and descend(base, parent)[1] < len(parent):
            names = some([str(raw.keys[-1]) for raw in lacking])
            owner, _ = descend(root, parent[:-1])
            others = [key for key, _ in pairs(owner.value) if key != str(parent[-1])]
            message = f"is not in the base, and as a new entry it lacks {names}"
            close = nearest(str(parent[-1]), others)
            faults.append(Fault(Problem(node.file, node.line, dotted(parent), None, message, close), True))
            continue
        for raw in lacking:
            allowed = (
                "must be given" if not isinstance(raw.keys[-1], int) else "this entry of the list is missing"
            )
            faults.append(Fault(Problem(node.file, node.line, dotted(raw.keys), None, allowed), node.new))
    if len(faults) > MOST_TOLD or len(raws) > MOST_TOLD:
        more = f"has many more errors: the first {MOST_TOLD} are told"
        return [Fault(Problem(root.file, None, "", None, more), root.new), *faults[:MOST_TOLD]]
    return faults


def _tell(raw: _Raw, root: Node) -> Iterator[Fault]:
    """Translate one error; a validator that raises several gives several."""
    error = raw.ctx.get("error")
    if isinstance(error, FieldErrors | FieldError):
        for one in error.errors if isinstance(error, FieldErrors) else (error,):
            keys = (*raw.keys, *one.path)
            node, met = descend(root, keys)
            found = show(one.found) if one.found is not None else None
            if found is None and met == len(keys) and not isinstance(node.value, dict | list):
                found = show_node(node)
            allowed = one_line(one.allowed)
            yield Fault(Problem(node.file, node.line, dotted(keys), found, allowed, one.nearest), node.new)
        return
    keys = raw.keys
    node, met = descend(root, keys)
    if raw.kind == "extra_forbidden":
        owner = raw.steps[-1].owner
        names = spellings(owner) if is_model(owner) else []
        written, _ = descend(root, keys[:-1])
        free = [name for name in names if node.new or child_of(written, name) is None]
        close = nearest(str(keys[-1]), free) or nearest(str(keys[-1]), names)
        allowed = some([close, *(n for n in names if n != close)] if close else names)
        yield Fault(Problem(node.file, node.line, dotted(keys), UNKNOWN, allowed, close), node.new)
        return
    if raw.kind == "either":
        allowed, options = "must be " + " or ".join(raw.ctx["parts"]), raw.ctx["words"]
    else:
        allowed, options = _allowed(raw, node)
    if raw.kind in ("union_tag_invalid", "union_tag_not_found"):
        tag = str(raw.ctx.get("discriminator", "")).strip("'")
        keys = (*keys, tag) if tag.isidentifier() else keys
        node, met = descend(root, keys)
        if raw.kind == "union_tag_not_found":
            allowed, options = "must be given, to say which kind this is", []
    if raw.steps and raw.steps[-1].key == "[key]":
        allowed = f"the name {allowed}"
        yield Fault(Problem(node.file, node.line, dotted(keys), quote(str(keys[-1])), allowed), node.new)
        return
    own = raw.kind in ("value_error", "assertion_error") and isinstance(node.value, dict)
    found = show_node(node) if met == len(keys) and not own else None
    close = nearest(node.value, options) if isinstance(node.value, str) and options else None
    yield Fault(Problem(node.file, node.line, dotted(keys), found, allowed, close), node.new)
