"""Generated documentation is up to date, links lead somewhere, and every field and coefficient is documented."""

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from planner import evidence
from planner.scenario.schema import Scenario
from scripts import write_docs

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def anchors(page):
    found = set()
    fenced = False
    for line in page.read_text(encoding="utf-8").splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("#") and not fenced:
            found.add(write_docs.anchor_of(line.lstrip("#").strip()))
    return found


def test_whatever_is_installed_is_pinned():
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed, todo = set(), [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    while todo:
        one = Requirement(todo.pop())
        name = canonicalize_name(one.name)
        if name not in needed and (one.marker is None or one.marker.evaluate({"extra": ""})):
            needed.add(name)
            todo += requires(name) or []
    assert needed <= {canonicalize_name(pin.partition("==")[0]) for pin in pins}


def test_generated_parts_are_up_to_date(capsys):
    assert write_docs.main(["--check"]) == 0, capsys.readouterr().err


def test_an_old_page_is_noticed_and_written_anew(tmp_path, monkeypatch):
    for file in write_docs.GENERATED:
        text = (write_docs.DOCS / file).read_text(encoding="utf-8")
        (tmp_path / file).write_text(text.replace("| `", "| `old_", 1), encoding="utf-8")
    monkeypatch.setattr(write_docs, "DOCS", tmp_path)
    assert write_docs.main(["--check"]) == 1
    assert write_docs.main([]) == 0
    assert write_docs.main(["--check"]) == 0


def test_missing_markers_are_told():
    with pytest.raises(ValueError, match="markers of fields"):
        write_docs.filled("nothing here", "fields", "body")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


def test_every_field_says_what_it_is():
    bare = [
        f"{part.__name__}.{name}"
        for part in write_docs.parts_in_order(Scenario)
        for name, field in part.model_fields.items()
        if not field.description
    ]
    assert not bare


def test_types_are_told_in_words():
    assert not re.search(r"typing|Annotated|<class|Union\[", write_docs.scenario_fields())


def test_every_coefficient_is_in_the_table():
    page = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    assert not [key for key in evidence.table() if f"`{key}`" not in page]
