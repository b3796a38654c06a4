"""Public instances, read by an adapter into our own model: the best known values, and a checker that finds what is wrong."""

import json
import sys

import pytest

from benchmarks import rostering
from planner.rostering.model import solve
from planner.rostering.validate import audit

TEXT = """# a comment
SECTION_HORIZON
7
SECTION_SHIFTS
E,480,
L,480,E|X
X,60,
SECTION_STAFF
A,E=7|L=1|X=0,1440,960,3,2,2,0
B,E=7|L=7|X=7,9000,0,7,1,1,1
SECTION_DAYS_OFF
A,0
SECTION_SHIFT_ON_REQUESTS
A,1,E,2
B,0,L,3
SECTION_SHIFT_OFF_REQUESTS
B,3,E,5
SECTION_COVER
0,E,1,100,1
1,E,1,100,1
3,E,0,100,1
"""


@pytest.fixture
def instance(tmp_path):
    file = tmp_path / "small.txt"
    file.write_text(TEXT, encoding="utf-8")
    return rostering.read(file)


@pytest.mark.parametrize(
    ("a", "b", "cost", "broken"),
    [
        ("-EE----", "E------", 0 + 3, ""),
        ("-EE----", "L------", 100, ""),
        ("-------", "E------", 100 + 2 + 3, "A: 0 minutes"),
        ("EEE----", "E------", 1 + 3, "A: works on a day off"),
        ("-EEEE--", "E------", 1 + 3, "A: 1920 minutes|A: 4 days in a row from day 1"),
        (
            "-E-E---",
            "E------",
            1 + 3,
            "A: 1 days on from day 1|A: 1 days off from day 2|A: 1 days on from day 3",
        ),
        ("-LL----", "EE-----", 2 + 3, "A: 2 L"),
        ("-LE----", "EE-----", 2 + 3, "A: E after L on day 2"),
        ("----EE-", "EE-E---", 2 + 3 + 5 + 1, "A: 1 weekends"),
        ("-EE----", "E--X---", 3, ""),
    ],
)
def test_the_checker_by_hand_and_the_validator_agrees(instance, a, b, cost, broken):
    lines = {name: [shift.strip("-") for shift in line] for name, line in (("A", a), ("B", b))}
    expected = [one for one in broken.split("|") if one]
    assert rostering.score(instance, lines) == (cost, expected)
    problem = rostering.problem_of(instance)
    found = audit(problem, rostering.roster_of(problem, lines))
    assert found.objective == cost
    assert bool(found.hard) == bool(expected)
    assert rostering.lines_of(problem, rostering.roster_of(problem, lines)) == lines


def test_the_best_known_value_of_the_smallest_is_proven(shared):
    instance = rostering.read(shared("validation/rostering/Instance1.txt"))
    problem = rostering.problem_of(instance)
    outcome = solve(problem, seconds=60)
    assert (outcome.status, outcome.objective) == ("optimal", 607)
    assert rostering.score(instance, rostering.lines_of(problem, outcome.roster)) == (607, [])


def test_the_command_prints_a_certificate_and_the_solution(tmp_path, monkeypatch, capsys):
    file = tmp_path / "small.txt"
    file.write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["rostering", str(file), "--seconds", "20", "--json"])
    rostering.main()
    out, err = capsys.readouterr()
    assert ": 3, bound " in err.splitlines()[-1]
    told = json.loads(out)
    assert (told["status"], told["objective"], told["rescored"], told["broken"]) == ("optimal", 3, 3, [])
    assert told["bound"] == 3
    assert told["validator_agrees"]
    assert set(told["solution"]) == {"A", "B"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((TEXT[TEXT.index("SECTION_COVER") :], ""), "there is no SECTION_COVER"),
        (("0,E,1,100,1", "0,E,one,100,1"), "small.txt:19: 0,E,one,100,1"),
        (("0,E,1,100,1", "0,E,1,100"), "small.txt:19: 0,E,1,100"),
        (("A,E=7|L=1|X=0", "A,E7"), "'E7' is not of the form D=14|L=7"),
        (("# a comment", "7"), "small.txt:1: 7"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_line(tmp_path, monkeypatch, capsys, change, told):
    file = tmp_path / "small.txt"
    file.write_text(TEXT.replace(*change), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["rostering", str(file)])
    with pytest.raises(SystemExit) as ended:
        rostering.main()
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
