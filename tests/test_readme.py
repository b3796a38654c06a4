"""What README and guide tell people to type can be typed: commands parse, cheap ones run, targets and files exist."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from planner.cli import app
from planner.scenario.load import read
from planner.scenario.schema import Scenario
from scripts import readme_numbers

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
CHEAP = {"check", "mix", "evidence", "runs"}


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.S | re.M)


def lines_of(page):
    """Commands of a page: lines of its sh blocks, and what stands in its tables between backticks."""
    text = page.read_text(encoding="utf-8")
    found = [line.strip() for block in blocks(text, "sh") for line in block.splitlines()]
    found += [
        m for row in text.splitlines() if row.startswith("|") for m in re.findall(r"`(unhurried [^`]*)`", row)
    ]
    return [line for line in found if line and not line.startswith("#")]


COMMANDS = sorted({line for page in PAGES for line in lines_of(page)})
OURS = [line for line in COMMANDS if line.startswith("unhurried ")]


def test_there_are_commands():
    first_screen = lines_of(ROOT / "README.md")
    assert {"make demo", "make test", "make app"} <= set(first_screen)
    assert {shlex.split(line)[1] for line in OURS} >= set(get_command(app).commands)


def test_every_line_is_of_a_known_kind():
    known = ("unhurried ", "make ", "python -m ")
    assert not [line for line in COMMANDS if not line.startswith(known)]


@pytest.mark.parametrize("line", OURS)
def test_it_parses(line):
    _, name, *arguments = shlex.split(line)
    group = get_command(app)
    with group.make_context("unhurried", [name, *arguments]) as parent:
        command = group.commands[name]
        with command.make_context(name, arguments, parent=parent):
            pass


@pytest.mark.parametrize("name", sorted({shlex.split(line)[1] for line in OURS}))
def test_it_has_help(name):
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert "Example: unhurried" in result.output


@pytest.mark.parametrize("line", [line for line in OURS if shlex.split(line)[1] in CHEAP])
def test_it_runs(line, monkeypatch):
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(app, shlex.split(line)[1:])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("line", [line for line in OURS if shlex.split(line)[1] not in CHEAP | {"app"}])
def test_its_scenario_and_settings_are_fine(line, monkeypatch):
    """The dear ones are not run, but what they ask for can be read."""
    monkeypatch.chdir(ROOT)
    _, _, file, *rest = shlex.split(line)
    kept = []
    for option, value in pairwise(rest):
        if option in ("--scenario", "--set"):
            kept += [option, value]
    result = CliRunner().invoke(app, ["check", file, *kept])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("make ")])
def test_the_target_exists(line):
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert line.split()[1] in targets


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("python -m ")])
def test_the_module_exists(line):
    assert (ROOT / (line.split()[2].replace(".", "/") + ".py")).is_file()


def test_the_short_scenario_is_one(tmp_path):
    (text,) = blocks((ROOT / "README.md").read_text(encoding="utf-8"), "yaml")
    assert len(text.splitlines()) <= 16
    file = tmp_path / "small.yaml"
    file.write_text(text, encoding="utf-8")
    assert read(file, Scenario).value.name == "small"


def test_the_figures_are_filled_in():
    page = readme_numbers.README.read_text(encoding="utf-8")
    told = {
        "demo": "Erlang C per queue",
        "retail": "Erlang C per queue",
        "roster": "hours on the queue that the targets ask for",
    }
    for name in readme_numbers.SECTIONS:
        body = page.split(f"<!-- {name}:begin -->")[1].split(f"<!-- {name}:end -->")[0]
        assert told[name] in body
