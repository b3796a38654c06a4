"""The scenario file is read with every documented error provoked, on a small model of nested parts."""

import datetime as dt
import json
import os
import pickle
import re
import string
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    field_validator,
    model_validator,
)

from planner.scenario import nodes
from planner.scenario.load import (
    FieldError,
    FieldErrors,
    Loaded,
    Problem,
    ScenarioError,
    json_schema,
    nearest,
    read,
)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lognormal(Strict):
    family: Literal["lognormal"]
    mean_s: float = Field(gt=0)
    sigma: float = Field(0.5, ge=0)


class Fixed(Strict):
    family: Literal["fixed"]
    value_s: float = Field(gt=0)


Talk = Annotated[Lognormal | Fixed, Field(discriminator="family")]


class Pause(Strict):
    minutes: float = Field(gt=0)
    uptake: float = Field(1, ge=0, le=1)


class Block(Strict):
    from_min: int
    length_min: int = Field(multiple_of=5)


def minutes_of(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"\d\d:\d\d-\d\d:\d\d", value):
        raise ValueError("must be hours such as 08:00-20:00")
    return tuple(int(part[:2]) * 60 + int(part[3:]) for part in value.split("-"))


class Kind(Strict):
    channel: Literal["voice", "chat"] = "voice"
    offered: float = Field(120, gt=0, le=1e6)
    curve: float | list[float] | None = None
    share: Annotated[float, Field(ge=0, le=1)] | Literal["auto"] = "auto"
    handle: Talk
    talk_s: float = 300
    acw_s: float = 60
    hours: Annotated[tuple[int, int], BeforeValidator(minutes_of)] = (480, 1200)
    agents: int = Field(3, ge=1)
    min_wait: float = 0
    max_wait: float = 100
    opens: dt.time | None = None
    starts: dt.date | None = None
    days: tuple[Literal["mon", "tue"], ...] = ()
    rest: Pause | Block | float | None = None
    recorded: bool = False
    code: str | None = Field(None, pattern=r"^[A-Z]{3}$", examples=["CLM"])

    @model_validator(mode="after")
    def _in_order(self) -> "Kind":
        if self.min_wait > self.max_wait:
            raise FieldError(("min_wait",), self.min_wait, f"must be at most max_wait ({self.max_wait:g})")
        if self.agents == 13:
            raise ValueError("thirteen agents bring bad luck")
        return self

    @field_validator("acw_s")
    @classmethod
    def _even(cls, value: float) -> float:
        if value == 666:
            raise FieldError((), value, "must be a kinder number")
        return value


class Target(Strict):
    measure: Literal["service_level", "wait"]
    at_least: float = Field(ge=0, le=1)


class Steps(RootModel[list[float]]):
    model_config = ConfigDict(frozen=True)


class Scenario(Strict):
    name: str = Field(min_length=2, max_length=20)
    types: dict[str, Kind] = Field(min_length=1)
    targets: tuple[Target, ...] = Field((), max_length=3)
    growth: dict[str, float] = {}
    by_day: dict[int, float] = {}
    pair: tuple[float, float] = (0, 1)
    steps: Steps = Steps([])
    seed: int = Field(1, alias="first_seed")

    @model_validator(mode="after")
    def _known(self) -> "Scenario":
        wrong = [k for k in self.growth if k not in self.types]
        if wrong:
            raise FieldErrors(
                FieldError(("growth", k), k, "must be a type of this file", nearest(k, self.types))
                for k in wrong
            )
        return self


BASE = """\
name: insurer
types:
  claims:
    offered: 100
    handle: {family: lognormal, mean_s: 300}
    hours: 08:00-20:00
  billing:
    handle: {family: fixed, value_s: 200}
targets:
  - {measure: service_level, at_least: 0.8}
"""
OVERRIDES = """\
overrides:
  bot_40:
    types.claims.offered: 60
    types.claims.handle.mean_s: 400
  short:
    types:
      claims:
        handle: {family: fixed, value_s: 3}
  strict: {targets.0.at_least: 0.9}
scenarios:
  automated: [bot_40, strict]
  calm: [short]
"""


Load = Callable[..., Loaded[Scenario]]
Told = Callable[..., str]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def _load(text: str | bytes = BASE, **options: Any) -> Loaded[Scenario]:
        file = tmp_path / "insurer.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read(file, Scenario, **options)

    return _load


@pytest.fixture
def told(load: Load) -> Told:
    def _told(text: str | bytes, **options: Any) -> str:
        with pytest.raises(ScenarioError) as caught:
            load(text, **options)
        message = str(caught.value)
        assert message.count("\n") + 1 == len(caught.value.problems)
        for jargon in ("Input should", "pydantic", "validation error", "[type=", "Traceback", "ruamel"):
            assert jargon not in message
        return message.replace("insurer.yaml", "f")

    return _told


def in_claims(line: str) -> str:
    """Put lines into the claims type, from line 5 on."""
    return BASE.replace("offered: 100", "offered: 100\n    " + line.replace("\n", "\n    "))


# -------------------------------------------------------------------------------------------- what is read


def test_a_good_file_is_read(load: Load) -> None:
    loaded = load()
    assert loaded.value.types["claims"].offered == 100
    assert loaded.value.types["claims"].hours == (480, 1200)
    assert loaded.value.targets[0].at_least == 0.8
    assert loaded.applied == ()
    assert len(loaded.text_hash) == 64
    assert loaded.path.name == "insurer.yaml"


def test_the_hash_follows_the_text(load: Load) -> None:
    assert load().text_hash == load().text_hash != load(BASE + "# more\n").text_hash


def test_a_byte_order_mark_and_windows_lines_are_welcome(load: Load) -> None:
    assert load(b"\xef\xbb\xbf" + BASE.replace("\n", "\r\n").encode()).value == load().value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:30", "12:30"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("2026-03-31", "2026-03-31"),
        ("0o17", 15),
        ("0x1F", 31),
        ("017", 17),
        ("+1", 1),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("~", None),
        ("", None),
        ("True", True),
        ("false", False),
        ("'1'", "1"),
        ('"a\\tb"', "a\tb"),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    root = nodes.Composer("f", lines=True).compose(f"a: {text}\n")
    assert root is not None
    got = root.value["a"].value
    assert got == value
    assert type(got) is type(value)


def test_dates_times_and_aliases_are_read(load: Load) -> None:
    text = in_claims("opens: 08:30\nstarts: 2026-03-31\nagents: 4.0") + "first_seed: 7\nby_day: {0: 1.5}\n"
    kind = load(text).value.types["claims"]
    assert (kind.opens, kind.starts, kind.agents) == (dt.time(8, 30), dt.date(2026, 3, 31), 4)
    assert load(text).value.seed == 7
    assert load(text).value.by_day == {0: 1.5}


def test_anchors_and_merge_keys_are_read(load: Load) -> None:
    text = BASE.replace("handle: {family: lognormal", "handle: &talk {family: lognormal").replace(
        "{family: fixed, value_s: 200}", "{<<: *talk, sigma: 0.7}"
    )
    handle = load(text).value.types["billing"].handle
    assert isinstance(handle, Lognormal)
    assert (handle.mean_s, handle.sigma) == (300, 0.7)


# --------------------------------------------------------------------------------- what the schema refuses


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("talk_s: abc", "f:5: types.claims.talk_s: must be a number (found 'abc')"),
        ("talk_s: true", "f:5: types.claims.talk_s: must be a number (found true)"),
        ("talk_s: nan", "f:5: types.claims.talk_s: must be a number (found 'nan')"),
        ("talk_s: ' -Infinity'", "f:5: types.claims.talk_s: must be a number (found ' -Infinity')"),
        ("talk_s: .nan", "f:5: types.claims.talk_s: must be a finite number (found .nan)"),
        ("talk_s: -.INF", "f:5: types.claims.talk_s: must be a finite number (found -.INF)"),
        ("talk_s: 1e999", "f:5: types.claims.talk_s: must be a finite number (found 1e999)"),
        ("talk_s:", "f:5: types.claims.talk_s: must be a number (found nothing)"),
        ("agents: 2.5", "f:5: types.claims.agents: must be a whole number (found 2.5)"),
        ("agents: 0", "f:5: types.claims.agents: must be at least 1 (found 0)"),
        ("agents: true", "f:5: types.claims.agents: must be a whole number (found true)"),
        ("agents: [1]", "f:5: types.claims.agents: must be a whole number (found a list of 1 entry)"),
        ("agents: 13", "f:3: types.claims: thirteen agents bring bad luck"),
        ("acw_s: 666", "f:5: types.claims.acw_s: must be a kinder number (found 666)"),
        ("recorded: maybe", "f:5: types.claims.recorded: must be true or false (found 'maybe')"),
        (
            "channel: voce",
            "f:5: types.claims.channel: must be one of: voice, chat (found 'voce'; did you mean voice?)",
        ),
        ("days: [mon, wed]", "f:5: types.claims.days.1: must be one of: mon, tue (found 'wed')"),
        ("days:\n- mon\n- wed", "f:7: types.claims.days.1: must be one of: mon, tue (found 'wed')"),
        ("days: mon", "f:5: types.claims.days: must be a list (found 'mon')"),
        ("opens: 8", "f:5: types.claims.opens: must be a time of day such as 08:30 (found 8)"),
        ("opens: 8h", "f:5: types.claims.opens: must be a time of day such as 08:30 (found '8h')"),
        ("starts: 20260331", "f:5: types.claims.starts: must be a date such as 2026-03-31 (found 20260331)"),
        (
            "starts: 2026-13-01",
            "f:5: types.claims.starts: must be a date such as 2026-03-31 (found '2026-13-01')",
        ),
        ("code: 123", "f:5: types.claims.code: must be text: put it in quotes (found 123)"),
        ("code: abc", "f:5: types.claims.code: must look like CLM (found 'abc')"),
        ("min_wait: 300", "f:5: types.claims.min_wait: must be at most max_wait (100) (found 300)"),
        ("max_wait: -1", "f:3: types.claims.min_wait: must be at most max_wait (-1) (found 0)"),
    ],
)
def test_one_wrong_value(told: Told, line: str, message: str) -> None:
    assert told(in_claims(line)) == message


def test_values_in_other_places(told: Told) -> None:
    assert told(BASE.replace("offered: 100", "offered: -5")) == (
        "f:4: types.claims.offered: must be greater than 0 (found -5)"
    )
    assert told(BASE.replace("08:00-20:00", "all day")) == (
        "f:6: types.claims.hours: must be hours such as 08:00-20:00 (found 'all day')"
    )
    assert told(BASE.replace("name: insurer", "name: a")) == (
        "f:1: name: must have at least 2 characters (found 'a')"
    )
    assert told(BASE.replace("name: insurer", "name: " + "a" * 90)) == (
        f"f:1: name: must have at most 20 characters (found '{'a' * 39}…')"
    )
    assert told("name: insurer\ntypes: {}\n") == (
        "f:2: types: must have at least 1 entry (found a mapping of 0 fields)"
    )
    assert told(BASE + "  - {measure: wait, at_least: 1}\n" * 3) == (
        "f:9: targets: must have at most 3 entries (found a list of 4 entries)"
    )
    assert (
        told(BASE + "by_day: {mon: 1}\n") == "f:11: by_day.mon: the name must be a whole number (found 'mon')"
    )
    assert told(BASE + "pair: [1]\n") == "f:11: pair.1: this entry of the list is missing"
    assert "f:11: pair: must have at most 2 entries" in told(BASE + "pair: [1, 2, 3]\n")
    assert told(BASE + "steps: [1, x]\n") == "f:11: steps.1: must be a number (found 'x')"
    assert told(BASE + "first_seed: x\n") == "f:11: first_seed: must be a whole number (found 'x')"


def test_missing_fields_point_at_their_parent(told: Told) -> None:
    assert told("types: {a: {offered: 3}}\n") == (
        "f:1: name: must be given\nf:1: types.a.handle: must be given"
    )


def test_unknown_fields_offer_the_nearest(told: Told) -> None:
    assert told(in_claims("tlak_s: 3")).startswith(
        "f:5: types.claims.tlak_s: unknown field (did you mean talk_s? allowed: talk_s, channel, offered, "
    )
    assert told(BASE + "nonsense_xyz: 3\n") == (
        "f:11: nonsense_xyz: unknown field "
        "(allowed: name, types, targets, growth, by_day, pair, steps, first_seed)"
    )
    assert "did you mean first_seed?" in told(BASE + "First-Seed: 3\n")
    assert "seed: unknown field" in told(BASE + "seed: 3\n")


def test_a_misspelt_required_field_is_told_once(told: Told) -> None:
    assert told(BASE.replace("mean_s", "maen_s")) == (
        "f:5: types.claims.handle.maen_s: unknown field (did you mean mean_s? allowed: mean_s, family, sigma)"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("curve: abc", "f:5: types.claims.curve: must be a number or a list (found 'abc')"),
        ("curve: [1, a]", "f:5: types.claims.curve.1: must be a number (found 'a')"),
        ("curve: [1, true]", "f:5: types.claims.curve.1: must be a number (found true)"),
        ("share: 1.5", "f:5: types.claims.share: must be at most 1 (found 1.5)"),
        (
            "share: atuo",
            "f:5: types.claims.share: must be a number or auto (found 'atuo'; did you mean auto?)",
        ),
        (
            "rest: {minutse: 3}",
            "f:5: types.claims.rest.minutse: unknown field (did you mean minutes? allowed: minutes, uptake)",
        ),
        ("rest: {minutes: -3}", "f:5: types.claims.rest.minutes: must be greater than 0 (found -3)"),
        (
            "rest: {from_min: 3, length_min: 7}",
            "f:5: types.claims.rest.length_min: must be a multiple of 5 (found 7)",
        ),
        (
            "rest: soon",
            "f:5: types.claims.rest: must be a mapping (name: value) or a number (found 'soon')",
        ),
    ],
)
def test_of_a_union_only_the_best_branch_is_told(told: Told, line: str, message: str) -> None:
    assert told(in_claims(line)) == message


def test_a_long_bad_list_is_told_by_its_entries(told: Told) -> None:
    assert (
        told(in_claims("curve: [" + ", ".join("a" * 150) + "]")).count("must be a number (found 'a')") == 150
    )


def test_of_very_many_errors_the_first_are_told(told: Told) -> None:
    lines = told(BASE + "".join(f"key{i}: 1\n" for i in range(5_000))).splitlines()
    assert lines[0] == "f: has many more errors: the first 200 are told"
    assert len(lines) == 201


def test_more_overrides_than_anybody_writes(told: Told) -> None:
    many = "".join(f"  o{i}: {{name: n{i}}}\n" for i in range(201))
    line = BASE.count("\n") + 1
    assert told(f"{BASE}overrides:\n{many}") == (
        f"f:{line}: overrides: must have at most 200 entries (found a mapping of 201 fields)"
    )


def test_discriminated_unions(told: Told) -> None:
    assert told(BASE.replace("lognormal", "lognormall")) == (
        "f:5: types.claims.handle.family: must be one of: lognormal, fixed "
        "(found 'lognormall'; did you mean lognormal?)"
    )
    assert told(BASE.replace("family: lognormal, ", "")) == (
        "f:5: types.claims.handle.family: must be given, to say which kind this is"
    )
    assert told(BASE.replace("mean_s: 300", "mean_s: 0")) == (
        "f:5: types.claims.handle.mean_s: must be greater than 0 (found 0)"
    )
    assert told(BASE.replace("{family: lognormal, mean_s: 300}", "3")) == (
        "f:5: types.claims.handle: must be a mapping (name: value) (found 3)"
    )


def test_several_field_errors_of_one_validator(told: Told) -> None:
    assert told(BASE + "growth:\n  clams: 3\n  billing: 2\n  xyz: 1\n") == (
        "f:12: growth.clams: must be a type of this file (found 'clams'; did you mean claims?)\n"
        "f:14: growth.xyz: must be a type of this file (found 'xyz')"
    )


def test_field_errors_show_the_file_where_no_value_is_given(tmp_path: Path) -> None:
    class Picky(Strict):
        items: list[dict[int, str]]

        @model_validator(mode="after")
        def _no(self) -> "Picky":
            raise FieldErrors(
                [FieldError(("items", 1, 7), None, "must be\n  nicer"), FieldError(("gone",), None, "hm")]
            )

    file = tmp_path / "p.yaml"
    file.write_text("items:\n  - {}\n  -\n    7: so\n")
    with pytest.raises(ScenarioError) as caught:
        read(file, Picky)
    assert str(caught.value) == "p.yaml:1: gone: hm\np.yaml:4: items.1.7: must be nicer (found 'so')"


def test_everything_at_once_in_order_of_lines(told: Told) -> None:
    text = in_claims("talk_s: x\ntlak: 1").replace("at_least: 0.8", "at_least: 8").replace("insurer", "[]")
    lines = told(text + OVERRIDES.replace("60", "-60"), sets=["types.claims.agents=0"]).splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "name",
        "types.claims.talk_s",
        "types.claims.tlak",
        "targets.0.at_least",
        "types.claims.offered",
        "types.claims.agents",
    ]
    assert lines[-1].startswith("--set: ")


def test_a_validator_that_falls_over_is_one_line(tmp_path: Path) -> None:
    class Broken(Strict):
        a: int

        @model_validator(mode="after")
        def _oops(self) -> "Broken":
            raise KeyError("oops")

    file = tmp_path / "b.yaml"
    file.write_text("a: 1\n")
    with pytest.raises(
        ScenarioError, match=r"^b.yaml: could not be checked to the end \(KeyError: 'oops'\)$"
    ):
        read(file, Broken)


# --------------------------------------------------------------------------------------- what YAML refuses


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f: is empty"),
        ("# only a comment\n", "f: is empty"),
        ("---\n", "f: is empty"),
        ("- 1\n", "f:1: must be a mapping of fields (name: value) (found a list of 1 entry)"),
        ("hello", "f:1: must be a mapping of fields (name: value) (found 'hello')"),
        ("<!DOCTYPE html><html>", "f:1: is a web page or XML, not YAML"),
        (b"PK\x03\x04abc", "f: is a workbook or zip archive, not a YAML text file"),
        (b"\xff\xfea\x00", "f: is not UTF-8 text: save it as UTF-8"),
        (b"a: 1\nb: \xe9\n", "f:2: is not UTF-8 text: save it as UTF-8"),
        (b"a: 1\n\x00", "f: is not a text file"),
        (b"%PDF-1.7", "f: is not a text file"),
        ("a: 1\nb: \x07\n", "f:2: contains a character that may not stand in a text file"),
        ("a:\n\t- 1\n", "f:2: indent with spaces, not tabs"),
        ("a:\n  b: 1\n\tc: 2\n", "f:3: indent with spaces, not tabs"),
        ("a: 1\nb: [1, 2\n", "f:3: the [ and ] opened in line 2 are not closed, or a comma is missing"),
        ("a: {b: 1", "f:1: the { and } opened in line 1 are not closed, or a comma is missing"),
        ("a: 'x", "f:1: the quoted text opened in line 1 is never closed"),
        ("a: 1\n---\nb: 2\n", "f:2: a second document begins here: keep one scenario per file, without ---"),
        ("%YAML 1.1\n---\na: NO\n", "f:2: scenario files are YAML 1.2: take out the %YAML line"),
        ("a: *x\n", "f:1: a: *x refers to an anchor that is not defined above"),
        (
            "a: &talk 1\nb: *tlak\n",
            "f:2: b: *tlak refers to an anchor that is not defined above (did you mean *talk?)",
        ),
        ("a: &b [*b]\n", "f:1: a.0: *b refers to itself"),
        ("? [1, 2]\n: 3\n", "f:1: a field name must be plain text (found a mapping or list as a name)"),
        ("a: &b c\n*b : 3\n", "f:2: a field name must be plain text (found *b)"),
        (
            "a: 1\n b: 2\n",
            "f:2: a colon where none may stand: check the indentation, or put the text in quotes",
        ),
        ("a: @x\n", "f:1: a value cannot begin with this character: put it in quotes (found '@')"),
        ("a: %x\n", "f:1: a value cannot begin with this character: put it in quotes (found '%')"),
        ("a: 1\nb\nc: 2\n", "f:3: a field name without its colon"),
        (
            "- a\nb: c\n",
            "f:2: does not fit the block begun in line 1: check the indentation and the brackets",
        ),
        ('a: "\\ud800"\n', "f:1: a: contains a character that is not text (found '\\ud800')"),
        ('a: "\\U00110000"\n', "f: a: is not valid YAML"),
    ],
)
def test_text_that_is_no_scenario(told: Told, text: str | bytes, message: str) -> None:
    assert told(text) == message


def test_repeated_keys_name_both_lines(told: Told) -> None:
    assert told(in_claims("talk_s: 1").replace("    hours", "    talk_s: 2\n    hours")) == (
        "f:7: types.claims.talk_s: is written twice in line 5 and again here: keep one"
    )


def test_tags_are_refused(told: Told) -> None:
    assert told(in_claims("talk_s: !!python/object:os.system x")) == (
        "f:5: types.claims.talk_s: tags are not allowed: write plain values "
        "(found '!!python/object:os.system')"
    )
    assert "found '!mine'" in told(BASE.replace("targets:", "targets: !mine"))
    assert "found '!!int'" in told(in_claims("agents: !!int 3"))


def test_merge_keys_merge_mappings_only(told: Told) -> None:
    assert told(in_claims("<<: 3")) == "f:5: types.claims.<<: << merges mappings only (found 3)"


def test_problems_of_the_text_inside_overrides_carry_the_field(told: Told) -> None:
    assert told(BASE + OVERRIDES.replace("0.9", ".nan")) == (
        "f:19: targets.0.at_least: must be a finite number (found .nan)"
    )


def test_deep_nesting_is_refused(told: Told) -> None:
    for text in ("[" * 100_000, "a: " + "{a: " * 20_000, "- " * 5000, "? " * 5000):
        assert re.search("nested more than 40 levels deep|a field name must be plain text", told(text))
    lines = ["a0: &a0 {x: 1}"] + [f"a{i}: &a{i} {{x: *a{i - 1}}}" for i in range(1, 60)]
    assert "nested more than 40 levels deep" in told("\n".join(lines))


def test_alias_bombs_are_refused(told: Told) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1]"] + [
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 20)
    ]
    assert told("\n".join(lines)).endswith("holds more than 30,000 values, repeated anchors (&, *) counted")


def test_endless_problems_end(told: Told) -> None:
    assert "too many problems: reading stops here" in told("a: 1\n" * 5000)


def test_numbers_of_five_thousand_digits_are_refused(told: Told) -> None:
    assert "must be a finite number" in told(in_claims("agents: " + "9" * 5000))


# ----------------------------------------------------------------------------------------- the file itself


def file_error(path: Path | str) -> str:
    with pytest.raises(ScenarioError) as caught:
        read(path, Scenario)
    return str(caught.value)


def test_a_missing_file_offers_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "insurer.yaml").write_text(BASE)
    assert (
        file_error(tmp_path / "insurrer.yaml") == "insurrer.yaml: no such file (did you mean insurer.yaml?)"
    )
    assert file_error(str(tmp_path / "nowhere" / "x.yaml")) == "x.yaml: no such file"


def test_a_folder_says_what_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    assert file_error(folder) == "mine: is a folder: give a scenario file"
    (folder / "insurer.yaml").write_text(BASE)
    assert file_error(folder) == "mine: is a folder: give a scenario file; it holds insurer.yaml"


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    with file.open("wb") as stream:
        stream.truncate(200_000_000)
    assert file_error(file) == "big.yaml: is too large for a scenario: 200.0 MB, at most 5 MB"


def test_odd_paths(tmp_path: Path) -> None:
    assert file_error("a\0b.yaml") == r"a\x00b.yaml: cannot be read: not a file name"
    assert "cannot be read: file name too long" in file_error(tmp_path / ("a" * 5000))
    os.mkfifo(tmp_path / "pipe.yaml")
    assert file_error(tmp_path / "pipe.yaml") == "pipe.yaml: is not an ordinary file"


@pytest.mark.skipif(os.geteuid() == 0, reason="everything may be read by root")
def test_an_unreadable_file(tmp_path: Path) -> None:
    file = tmp_path / "shut.yaml"
    file.write_text(BASE)
    file.chmod(0)
    assert file_error(file) == "shut.yaml: cannot be read: permission denied"


# --------------------------------------------------------------------------------- overrides and scenarios


def test_a_scenario_applies_its_overrides(load: Load) -> None:
    loaded = load(BASE + OVERRIDES, scenario="automated")
    kind = loaded.value.types["claims"]
    assert kind.offered == 60
    assert isinstance(kind.handle, Lognormal)
    assert kind.handle.mean_s == 400
    assert loaded.value.targets[0] == Target(measure="service_level", at_least=0.9)
    assert [tuple(one) for one in loaded.applied] == [
        ("types.claims.offered", 60, "override bot_40 (insurer.yaml:13)"),
        ("types.claims.handle.mean_s", 400, "override bot_40 (insurer.yaml:14)"),
        ("targets.0.at_least", 0.9, "override strict (insurer.yaml:19)"),
    ]


def test_the_base_stands_alone_without_a_scenario(load: Load) -> None:
    assert load(BASE + OVERRIDES).value == load().value


def test_an_override_can_be_named_alone(load: Load) -> None:
    assert load(BASE + OVERRIDES, scenario="strict").value.targets[0].at_least == 0.9


def test_another_kind_replaces_instead_of_merging(load: Load) -> None:
    assert load(BASE + OVERRIDES, scenario="calm").value.types["claims"].handle == Fixed(
        family="fixed", value_s=3
    )


def test_an_override_may_add_an_entry_replace_a_list_and_empty_a_field(load: Load) -> None:
    text = BASE + (
        "overrides:\n"
        "  more: {types: {new: {handle: {family: fixed, value_s: 9}}}, types.claims.rest.minutes: 4}\n"
        "  none: {targets: [], types.claims.hours: 09:00-10:00, types.claims.rest: null}\n"
    )
    more = load(text, scenario="more").value
    assert list(more.types) == ["claims", "billing", "new"]
    assert more.types["claims"].rest == Pause(minutes=4)
    none = load(text, scenario="none").value
    assert none.targets == ()
    assert none.types["claims"].hours == (540, 600)


def test_names_that_hold_a_dot_can_be_addressed(load: Load) -> None:
    text = BASE.replace("billing:", "v1.2:") + "overrides: {a: {types.v1.2.offered: 7}}\n"
    assert load(text, scenario="a").value.types["v1.2"].offered == 7


def test_empty_sections_are_allowed(load: Load) -> None:
    assert load(BASE + "overrides:\nscenarios:\n").value == load().value


def test_an_unknown_scenario(told: Told) -> None:
    assert told(BASE + OVERRIDES, scenario="bot40") == (
        "f: no such scenario; the file has: automated, calm (found 'bot40'; did you mean bot_40?)"
    )
    assert told(BASE, scenario="x") == "f: no such scenario; the file has: none (found 'x')"


def test_a_field_set_by_two_overrides_of_a_scenario(told: Told, load: Load) -> None:
    twice = OVERRIDES.replace("strict: {", "strict: {types.claims.offered: 5, ")
    assert told(BASE + twice) == (
        "f:19: types.claims.offered: is set by override bot_40 (line 13) and by override strict (line 19), "
        "both in scenario automated: keep one"
    )
    inside = OVERRIDES.replace("{targets.0.at_least: 0.9}", "{types.claims.offered: {}}")
    assert "is set by override bot_40 (line 13) and by override strict (line 19)" in told(BASE + inside)
    around = OVERRIDES.replace("{targets.0.at_least: 0.9}", "{types.claims: {}}")
    assert "types.claims: is set by override bot_40 (line 13)" in told(BASE + around)
    assert load(BASE + twice.replace("bot_40, strict", "bot_40"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "{types.claims.ofered: 3}",
            "f:12: types.claims.ofered: unknown field (did you mean offered? allowed: offered, channel,",
        ),
        (
            "{types.clams.offered: 3}",
            "f:12: types.clams.offered: unknown field, as there is no clams "
            "(did you mean claims? allowed: claims, billing)",
        ),
        (
            "{types: {clams: {offered: 3}}}",
            "f:12: types.clams: is not in the base, and as a new entry it lacks handle "
            "(did you mean claims?)",
        ),
        (
            "{types.claims.rest.uptake: 0.5}",
            "f:12: types.claims.rest: is not in the base, and as a new entry it lacks minutes",
        ),
        ("{typse.claims.offered: 3}", "f:12: typse: unknown field (did you mean types?"),
        ("{types.claims.offered: -3}", "f:12: types.claims.offered: must be greater than 0 (found -3)"),
        (
            "{types.claims.offered.x: 3}",
            "f:12: types.claims.offered: must be a number (found a mapping of 1 field)",
        ),
        (
            "{targets.3.at_least: 1}",
            "f:12: targets.3.at_least: targets is a list: address an entry by its number (0 to 0) (found 3)",
        ),
        (
            "{targets: {first: {at_least: 1}}}",
            "f:12: targets.first.at_least: targets is a list: address an entry",
        ),
        ("{types..claims: 3}", "f:12: types.''.claims: must be a path of names joined by single dots"),
        (
            "{" + ".".join("a" * 50) + ": 3}",
            "f:12: " + ".".join("a" * 50) + ": is nested more than 40 levels",
        ),
        (
            "{types.claims.max_wait: -1}",
            "f:3: types.claims.min_wait: must be at most max_wait (-1), with override a",
        ),
        (
            "{types.claims.min_wait: 101}",
            "f:12: types.claims.min_wait: must be at most max_wait (100) (found 101)",
        ),
        ("{types.claims.handle.family: fixed}", "f:12: types.claims.handle.value_s: must be given"),
        ("3", "f:12: overrides.a: must be a mapping of fields to their new values (found 3)"),
        (
            "{types.claims.offered: 3, types: {claims: {offered: 4}}}",
            "f:12: types.claims.offered: is set twice by override a, in line 12 and here: keep one",
        ),
    ],
)
def test_every_override_is_checked_though_unused(told: Told, override: str, message: str) -> None:
    lines = told(BASE + f"overrides:\n  a: {override}\n").splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(message)


def test_scenarios_are_checked_though_unused(told: Told) -> None:
    head = BASE + "overrides:\n  a: {types.claims.min_wait: 60}\n  b: {types.claims.max_wait: 50}\n"
    assert told(head + "scenarios: {both: [a, b]}\n") == (
        "f:12: types.claims.min_wait: must be at most max_wait (50) (found 60)"
    )
    assert told(head + "scenarios: {x: [a, bb, a, [b]], y: a, b: [a]}\n") == (
        "f:14: scenarios.x: must name overrides of this file: a, b (found 'bb'; did you mean b?)\n"
        "f:14: scenarios.x: names override a twice: keep one\n"
        "f:14: scenarios.x: must name overrides of this file: a, b (found a list of 1 entry)\n"
        "f:14: scenarios.y: must be a list of overrides, such as [first, second] (found 'a')\n"
        "f:14: scenarios.b: an override in line 13 has the same name: rename one"
    )
    assert told(BASE + "overrides: [a]\nscenarios: 3\n") == (
        "f:11: overrides: must be a mapping of names (found a list of 1 entry)\n"
        "f:12: scenarios: must be a mapping of names (found 3)"
    )


def test_a_problem_of_an_override_is_told_once(told: Told) -> None:
    text = BASE + OVERRIDES.replace("400", "-400")
    assert told(text, scenario="automated").count("\n") == 0
    assert (
        told(BASE.replace("100", "-1") + OVERRIDES, scenario="calm", sets=["types.claims.agents=4"]).count(
            "\n"
        )
        == 0
    )


# --------------------------------------------------------------------------------------------------- --set


def test_set_lays_values_over_the_scenario(load: Load) -> None:
    sets = [
        "types.claims.offered=77",
        "targets=[]",
        "types.claims.rest={minutes: 3}",
        "name = 'a b=c'",
        "growth.claims=2",
    ]
    loaded = load(BASE + OVERRIDES, scenario="automated", sets=[sets[0], *sets[2:]])
    assert loaded.value.types["claims"].offered == 77
    assert loaded.value.types["claims"].rest == Pause(minutes=3)
    assert loaded.value.name == "a b=c"
    assert loaded.value.growth == {"claims": 2}
    assert loaded.applied[-4:][0] == ("types.claims.offered", 77, "--set")
    assert load(sets=sets).value.targets == ()


@pytest.mark.parametrize(
    ("change", "value"),
    [("+10%", 110), ("-25 %", 75), ("*1.1", 110), ("* .5", 50), ("*2e1", 2000), ("+5", 5)],
)
def test_set_scales_numbers(load: Load, change: str, value: float) -> None:
    loaded = load(sets=[f"types.claims.offered={change}"])
    assert loaded.value.types["claims"].offered == value
    assert loaded.applied == (("types.claims.offered", value, "--set"),)


def test_set_scales_what_stands_after_the_scenario_and_defaults(load: Load) -> None:
    sets = ["types.claims.offered=+10%", "types.claims.talk_s=*2", "first_seed=*3", "pair.1=*4"]
    value = load(BASE + OVERRIDES, scenario="bot_40", sets=[*sets[:3]]).value
    assert (value.types["claims"].offered, value.types["claims"].talk_s, value.seed) == (66, 600, 3)


def test_set_changes_the_kind_in_two_steps(load: Load) -> None:
    sets = ["types.claims.handle.family=fixed", "types.claims.handle.value_s=3"]
    assert load(sets=sets).value.types["claims"].handle == Fixed(family="fixed", value_s=3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("foo", "must be written path=value, such as types.claims.offered_per_week=120 (found 'foo')"),
        ("=3", "must be written path=value, such as types.claims.offered_per_week=120 (found '=3')"),
        ("name=", "name: has no value after the = (write null to empty a field)"),
        ("name=#c", "name: must be a single value, a [list] or a {mapping} (found '#c')"),
        ("name=a: b", "name: must be a single value, a [list] or a {mapping} (found 'a: b')"),
        ("name=\ud800", "name: contains a character that is not text"),
        ("name=+10%", "name: only a number can be scaled by +10% (found 'insurer')"),
        ("growth.claims=+10%", "growth.claims: has no value that could be scaled (found +10%)"),
        ("types.claims.agents=+10%", "types.claims.agents: must be a whole number (found 3.3)"),
        ("types.claims.offered=*1e400", "types.claims.offered: must be a finite number (found *1e400)"),
        ("types.claims.offered=.inf", "types.claims.offered: must be a finite number (found .inf)"),
        (
            "types.claims.offered=!!int 3",
            "types.claims.offered: tags are not allowed: write plain values (found '!!int')",
        ),
        (
            "types.claims.offered=[1",
            "types.claims.offered: the [ and ] opened are not closed, or a comma is missing",
        ),
        (
            "types.claims.rest={minutes: 1, minutes: 2}",
            "types.claims.rest.minutes: is written twice: keep one",
        ),
        ("types.claims.offered=*x", "types.claims.offered: *x refers to an anchor that is not defined above"),
        ("types.claims.offered=x", "types.claims.offered: must be a number (found 'x')"),
        ("types.claims.min_wait=101", "types.claims.min_wait: must be at most max_wait (100) (found 101)"),
        ("overrides.x=1", "overrides: unknown field (allowed: name, types,"),
        ("types.claims.ofered=1", "types.claims.ofered: unknown field (did you mean offered?"),
        ("types.claims.ofered=+1%", "types.claims.ofered: unknown field (did you mean offered?"),
        (
            "types.clams.offered=1",
            "types.clams.offered: unknown field, as there is no clams (did you mean claims?",
        ),
        (
            "types.clams.offered=*2",
            "types.clams.offered: unknown field, as there is no clams (did you mean claims?",
        ),
        ("targets.1.at_least=1", "targets.1.at_least: targets is a list: address an entry by its number"),
        ("growth.clams=2", "growth.clams: must be a type of this file (found 'clams'; did you mean claims?)"),
        ("a" * 200 + "=1", "a" * 59 + "…: unknown field"),
    ],
)
def test_a_wrong_set(told: Told, change: str, message: str) -> None:
    lines = told(BASE, sets=[change]).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"--set: {message}")


def test_sets_are_checked_though_the_base_is_wrong(told: Told) -> None:
    sets = ["foo", "types.claims.talk_s=+1%", "types.claims.agents=0"]
    assert told(BASE.replace("100", "-1"), sets=sets).splitlines()[1:] == [
        "--set: must be written path=value, such as types.claims.offered_per_week=120 (found 'foo')",
        "--set: types.claims.agents: must be at least 1 (found 0)",
    ]


def test_sets_of_one_field_clash(told: Told) -> None:
    assert (
        told(BASE, sets=["name=ab", "name=cd"]) == "--set: name: is set twice on the command line: keep one"
    )
    assert told(BASE, sets=["types.claims={offered: 3}", "types.claims.offered=4"]) == (
        "--set: types.claims.offered: is set twice on the command line: keep one"
    )
    assert told(BASE, sets=["types={}", "types.claims.offered=4"]).startswith(
        "--set: types.claims.offered: is set twice on the command line (by types): keep one"
    )


def test_a_set_that_breaks_a_field_of_the_file_is_named(told: Told) -> None:
    assert told(BASE, sets=["types.claims.max_wait=-1"]) == (
        "f:3: types.claims.min_wait: must be at most max_wait (-1), with --set (found 0)"
    )


# --------------------------------------------------------------------------------------- the pieces around


def test_a_problem_is_one_line() -> None:
    assert (
        str(Problem("f", 3, "a.b", "-5", "must be greater than 0"))
        == "f:3: a.b: must be greater than 0 (found -5)"
    )
    assert str(Problem("f", None, "", None, "is empty")) == "f: is empty"
    assert str(Problem("f", 1, "x", "unknown field", "a, b", "a")) == (
        "f:1: x: unknown field (did you mean a? allowed: a, b)"
    )


def test_a_scenario_error_has_problems_and_travels() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ScenarioError([])
    error = ScenarioError([Problem("f", 3, "b", None, "x"), Problem("f", 1, "a", None, "y")])
    assert pickle.loads(pickle.dumps(error)).problems == error.problems
    assert str(error) == "f:1: a: y\nf:3: b: x"


def test_keys_cannot_break_the_line(told: Told) -> None:
    assert told(BASE + '"a\\nb\\e[31m": 3\n').startswith(r"f:11: a\nb\x1b[31m: unknown field")


def test_nearest() -> None:
    assert nearest("Talk-S", ["talk_s", "acw_s"]) == "talk_s"
    assert nearest("typse", ["steps", "types"]) == "types"
    assert nearest("zzz", ["talk_s"]) is None
    assert nearest("a" * 10_000, ["talk_s"]) is None


def test_the_json_schema_knows_overrides_and_scenarios() -> None:
    schema = json_schema(Scenario)
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema)
    good = {"name": "ab", "types": {"a": {"handle": {"family": "fixed", "value_s": 3}}}}
    assert check.is_valid({**good, "overrides": {"x": {"name": "cd"}}, "scenarios": {"y": ["x"]}})
    assert not check.is_valid({**good, "scenarios": {"y": "x"}})
    assert not check.is_valid({**good, "more": 1})


def test_the_json_schema_of_a_recursive_model() -> None:
    class Tree(Strict):
        kids: list["Tree"] = []

    Tree.model_rebuild(_types_namespace={"Tree": Tree})
    check = Draft202012Validator(json_schema(Tree))
    assert check.is_valid({"kids": [], "overrides": {}, "scenarios": {}})


# ------------------------------------------------------------------------------------------------- fuzzing

WORDS = st.sampled_from(
    [*"[]{}\t\r\x85\\é@`='\".", "a", "types", "claims", "offered", "overrides", "scenarios", "handle"]
)
INDICATORS = (
    ": ",
    ":\n  ",
    "\n",
    "\n  ",
    "- ",
    ", ",
    "&x ",
    "*x",
    "!!int ",
    ">-\n",
    "|\n",
    "? ",
    "# ",
    "---\n",
)
VALUES = ("...\n", "%YAML 1.2\n", "1", "-5", ".nan", "1e999", "~", "<<: ", "0.1")
MARKS = st.sampled_from([*INDICATORS, *VALUES])
SNIPPETS = st.one_of(WORDS, MARKS)
TEXTS = st.one_of(
    st.text(),
    st.text(alphabet=string.printable),
    st.lists(SNIPPETS, max_size=40).map("".join),
    st.tuples(st.integers(0, len(BASE + OVERRIDES)), st.lists(SNIPPETS, max_size=4).map("".join)).map(
        lambda cut: (BASE + OVERRIDES)[: cut[0]] + cut[1] + (BASE + OVERRIDES)[cut[0] :]
    ),
    st.tuples(st.integers(0, len(BASE + OVERRIDES)), st.integers(0, 30)).map(
        lambda cut: (BASE + OVERRIDES)[: cut[0]] + (BASE + OVERRIDES)[cut[0] + cut[1] :]
    ),
)


def harmless(data: bytes, **options: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fuzz.yaml"
        file.write_bytes(data)
        with suppress(ScenarioError):
            read(file, Scenario, **options)
            return
        with pytest.raises(ScenarioError) as caught:
            read(file, Scenario, **options)
    assert "could not be checked to the end" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == len(caught.value.problems)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS)
def test_any_text_is_read_or_refused(text: str) -> None:
    harmless(text.encode(errors="surrogatepass"), scenario="automated")


@settings(max_examples=100, deadline=None)
@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    harmless(data)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(),
            st.lists(SNIPPETS, max_size=12).map("".join),
            st.tuples(
                st.lists(
                    st.sampled_from(
                        ["types", "claims", "handle", "family", "targets", "0", "offered", "x", ""]
                    )
                ),
                st.sampled_from(
                    ["1", "{}", "[]", "null", "+10%", "*2", "{a: 1}", "fixed", "{0: {at_least: 2}}", "[[1]]"]
                ),
            ).map(lambda pair: ".".join(pair[0]) + "=" + pair[1]),
        ),
        max_size=3,
    )
)
def test_any_set_is_taken_or_refused(sets: list[str]) -> None:
    harmless(BASE.encode(), sets=sets)


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 500),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["fixed", "lognormal", "voice", "auto", "mon", "08:00-20:00", "x", "inf"]),
)
KEYS = st.sampled_from(
    [*Scenario.model_fields, *Kind.model_fields, *Lognormal.model_fields, "claims", "minutes"]
)
TREES = st.recursive(
    LEAVES, lambda kids: st.lists(kids, max_size=3) | st.dictionaries(KEYS, kids, max_size=4)
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=4), st.dictionaries(KEYS, TREES, max_size=3))
def test_any_shape_is_read_or_refused(kind: dict[str, Any], over: dict[str, Any]) -> None:
    tree = {"name": "fuzz", "types": {"claims": kind}, "overrides": {"a": over}, "scenarios": {"b": ["a"]}}
    harmless(json.dumps(tree).encode(), scenario="b")
