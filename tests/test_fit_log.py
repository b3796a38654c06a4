"""The fit gives known truths back, reads a bad log out in one line, and makes the shipped bank scenario."""

import gzip
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner.scenario.load import read
from planner.scenario.schema import Scenario
from scripts import fit_log

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "scenarios" / "bank-1999.yaml"
FRAME = ROOT / "scripts" / "bank-1999.frame.yaml"
LOG = "data/bank_1999_contacts_weeks_1_2.csv.gz"

MU, SIGMA = 4.9, 0.8
PATIENCE_S = 240.0
REDIAL_SOON, REDIAL_HOUR = 0.25, 0.40  # of the callers who abandon, cumulative


def waits(patience: np.ndarray, offered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.minimum(patience, offered), patience < offered


def synthetic_log(days: int = 14, per_day: int = 900, seed: int = 5) -> pd.DataFrame:
    """A log with one caller after another: patience, talk, redials and days are known."""
    rng = np.random.default_rng(seed)
    rows = []
    number = 0
    for day in range(days):
        n = rng.poisson(per_day * rng.gamma(80, 1 / 80))
        for start in np.sort(rng.uniform(9, 17, n)) * 3600:
            number += 1
            patience, offered = rng.exponential(PATIENCE_S), rng.exponential(60) * (rng.random() < 0.6)
            left = patience < offered
            wait = math.ceil(min(patience, offered))
            talk = 0 if left else round(math.exp(rng.normal(MU, SIGMA)))
            kind = "B" if rng.random() < 0.3 else "A"
            base = (day * 86_400 + start, kind, f"C{number}")
            rows.append((*base, wait, "abandoned_queue" if left else "served", talk))
            u = rng.random()
            if left and u < REDIAL_HOUR:
                gap = rng.uniform(10, 590) if u < REDIAL_SOON else rng.uniform(610, 3590)
                rows.append(
                    (base[0] + wait + gap, kind, base[2], 0, "served", round(math.exp(rng.normal(MU, SIGMA))))
                )
    log = pd.DataFrame(
        rows, columns=["t", "contact_type", "customer", "wait_seconds", "outcome", "handle_seconds"]
    )
    log["arrival"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(log["t"].round(), "s")
    log["ivr_seconds"] = 11
    log["agent"] = np.where(
        log["outcome"] == "served", [f"A{k}" for k in rng.integers(0, 12, len(log))], None
    )
    return log.drop(columns="t").sort_values("arrival")


@pytest.fixture(scope="module")
def log_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("log") / "log.csv"
    synthetic_log().to_csv(path, index=False)
    return path


# --- known truths -------------------------------------------------------------------------------------------


def test_exponential_patience_is_recovered_through_censoring():
    rng = np.random.default_rng(1)
    wait, left = waits(rng.exponential(300, 6000), rng.exponential(90, 6000))
    fit = fit_log.fit_patience(wait, left, "exponential")
    assert fit.mean_s == pytest.approx(300, abs=4 * 300 / math.sqrt(left.sum()))
    assert wait[left].mean() < 100  # what the naive mean of those who left would say
    assert fit_log.fit_patience(wait, left, "weibull").shape == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize("shape", [0.6, 1.7])
def test_weibull_patience_is_recovered_through_censoring(shape):
    rng = np.random.default_rng(2)
    scale = 200.0
    wait, left = waits(scale * rng.weibull(shape, 8000), rng.exponential(150, 8000))
    fit = fit_log.fit_patience(wait, left, "weibull")
    assert fit.shape == pytest.approx(shape, rel=0.06)
    assert fit.mean_s == pytest.approx(scale * math.gamma(1 + 1 / shape), rel=0.1)
    assert fit.median_s == pytest.approx(scale * math.log(2) ** (1 / shape), rel=0.1)
    assert fit.aic["weibull"] < fit.aic["exponential"]


def test_a_hazard_in_pieces_is_recovered_and_chosen():
    rng = np.random.default_rng(3)
    early, late = 1.2, 0.1  # per minute, before and after 15 s
    cut = early * 15 / 60
    e = rng.exponential(1, 20_000)
    patience = np.where(e < cut, e / early * 60, 15 + (e - cut) / late * 60)
    wait, left = waits(patience, rng.exponential(120, 20_000))
    fit = fit_log.fit_patience(wait, left)
    assert fit.family == "hazard"
    assert fit.per_min[0] == pytest.approx(early, rel=0.1)
    assert fit.per_min[1] == pytest.approx(early, rel=0.1)
    assert fit.per_min[4] == pytest.approx(late, rel=0.15)


def test_calls_that_did_not_wait_say_nothing_about_patience():
    rng = np.random.default_rng(4)
    wait, left = waits(rng.exponential(300, 1000), rng.exponential(90, 1000))
    padded = fit_log.fit_patience(np.r_[wait, np.zeros(5000)], np.r_[left, np.zeros(5000, bool)])
    assert padded == fit_log.fit_patience(wait, left)


def test_a_median_beyond_the_data_is_not_invented():
    assert fit_log.fit_patience([10, 20, 60, 60, 60, 60], [1, 1, 0, 0, 0, 0]).median_s == math.inf


def test_the_last_piece_has_a_hazard():
    fit = fit_log.fit_patience([3, 4, 200, 300], [1, 1, 0, 0], "hazard")
    assert fit.per_min[-1] > 0


def test_lognormal_talk_is_recovered_and_short_calls_left_out():
    rng = np.random.default_rng(6)
    talk = np.exp(rng.normal(5.2, 0.7, 20_000))
    fit = fit_log.fit_talk(np.r_[talk, np.full(1000, 4.0)])
    assert fit.mu == pytest.approx(5.2, abs=0.02)
    assert fit.sigma == pytest.approx(0.7, abs=0.02)
    assert fit.cv == pytest.approx(math.sqrt(math.exp(0.49) - 1), rel=0.04)
    assert fit.mean_s == pytest.approx(math.exp(5.2 + 0.245), rel=0.03)
    assert fit.short_share == pytest.approx(1 / 21, rel=0.02)


@pytest.mark.parametrize("true", [0.0, 0.22])
def test_spread_between_agents_without_the_part_of_chance(true):
    rng = np.random.default_rng(7)
    means = 200 * np.exp(rng.normal(-(true**2) / 2, true, 60))
    agent = np.repeat(np.arange(60), 150)
    talk = means[agent] * np.exp(rng.normal(-0.5, 1.0, len(agent)))
    assert fit_log.fit_agent_spread(agent, talk) == pytest.approx(true, abs=0.06)


def test_day_factor_without_the_poisson_part():
    rng = np.random.default_rng(8)
    days = [rng.poisson(m * rng.gamma(80, 1 / 80, 400)) for m in (1400, 300)]
    assert fit_log.fit_day_shape(days) == pytest.approx(80, rel=0.2)
    assert fit_log.fit_day_shape([rng.poisson(40, 3)]) >= 0
    assert fit_log.fit_day_shape([[5], [7]]) == 0


def test_redials_beyond_ordinary_calling_back(log_file):
    log = fit_log.read_log(log_file)
    fit = fit_log.fit_redial(log)
    error = 4 * math.sqrt(0.25 / fit.n_abandoned)
    assert fit.abandoned_soon == pytest.approx(REDIAL_SOON, abs=error)
    assert fit.abandoned_hour == pytest.approx(REDIAL_HOUR, abs=error)
    assert fit.served_hour == 0
    assert fit.excess_hour == fit.abandoned_hour


def test_presence_is_found_within_its_bias():
    """One agent who always talks is present all the time; long gaps are not presence."""
    start = pd.Timestamp("2024-01-01 08:00")
    rows = []
    for day in range(7):
        for k in range(48):
            if 24 <= k < 30:  # an hour's lunch
                continue
            at = start + pd.Timedelta(days=day, minutes=10 * k)
            rows.append((at, "A", "", 0, "served", 600, "X", 5))
    names = [
        "arrival",
        "contact_type",
        "customer",
        "wait_seconds",
        "outcome",
        "handle_seconds",
        "agent",
        "ivr_seconds",
    ]
    log = pd.DataFrame(rows, columns=names)
    log["day"] = (log["arrival"].dt.normalize() - start.normalize()).dt.days
    log["start_s"] = (log["arrival"] - start.normalize()).dt.total_seconds()
    log.attrs["first"] = start.date()
    duty = fit_log.infer_on_duty(log, [fit_log.DayClass("every day", tuple(range(7)), 480, 960)], 60)
    assert duty.on_duty["every day"][8:16] == pytest.approx([1, 1, 1, 1, 0, 1, 1, 1])
    assert duty.hours_per_week == pytest.approx(49)
    assert duty.occupancy == pytest.approx(1)


# --- the scenario -------------------------------------------------------------------------------------------


def test_a_log_without_a_frame_becomes_a_scenario(log_file, tmp_path, capsys):
    out = tmp_path / "mine.yaml"
    assert (
        fit_log.main([str(log_file), "--out", str(out), "--interval", "60", "--patience", "exponential"]) == 0
    )
    scenario = read(out, Scenario).value
    assert set(scenario.types) == {"a", "b"}
    assert scenario.opening.by_weekday() == [(540, 1020)] * 7 or scenario.opening.by_weekday()[0] == (
        540,
        1020,
    )
    assert scenario.groups["agents"].on_duty
    a, b = scenario.types["a"], scenario.types["b"]
    assert b.offered_per_week / a.offered_per_week == pytest.approx(0.3 / 0.7, rel=0.08)
    assert a.handle.talk_s == pytest.approx(math.exp(MU + SIGMA**2 / 2), rel=0.05)
    assert a.handle.cv == pytest.approx(math.sqrt(math.exp(SIGMA**2) - 1), rel=0.06)
    assert a.patience.mean_s == pytest.approx(PATIENCE_S, rel=0.15)
    assert scenario.behaviour["redial"] == pytest.approx(REDIAL_HOUR, abs=0.06)
    assert "automated part 11.0 s" in capsys.readouterr().err


def test_the_same_log_gives_the_same_text(log_file, capsys):
    assert fit_log.main([str(log_file)]) == 0
    once = capsys.readouterr().out
    assert fit_log.main([str(log_file)]) == 0
    assert capsys.readouterr().out == once


HEAD = ",".join(fit_log.COLUMNS)
GOOD = "2024-01-01 10:00:00,9,A,C1,0,served,60,X"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no such file"),
        ("", "cannot be read as CSV"),
        (HEAD, "has no calls"),
        (HEAD.replace("outcome", "outcomes") + "\n" + GOOD, "did you mean outcomes?"),
        (f"{HEAD}\n{GOOD}\n{GOOD.replace('2024-01-01', 'Monday')}", "row 3: arrival must be a time"),
        (f"{HEAD}\n{GOOD.replace(',60,', ',-60,')}", "row 2: handle_seconds must be seconds"),
        (f"{HEAD}\n{GOOD.replace(',60,', ',nan,')}", "row 2: handle_seconds must be seconds"),
        (f"{HEAD}\n{GOOD.replace('served', 'lost')}", "row 2: outcome must be one of served"),
        (f"{HEAD}\n{GOOD[:-1]}", "row 2: agent must be given"),
        (f"{HEAD}\n{GOOD}", "at least a week"),
        (f"{HEAD}\n{GOOD}\n{GOOD.replace('01-01', '01-20')}", "has 2 served calls"),
    ],
)
def test_bad_logs_are_told_in_one_line(text, said, tmp_path, capsys):
    path = tmp_path / "log.csv"
    if text is not None:
        path.write_text(text)
    assert fit_log.main([str(path)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_bytes_and_folders_are_told_in_one_line(tmp_path, capsys):
    (tmp_path / "log.csv.gz").write_bytes(b"not gzip at all")
    (tmp_path / "log.csv").write_bytes(bytes(range(256)) * 9)
    for name in ("log.csv.gz", "log.csv", "."):
        assert fit_log.main([str(tmp_path / name)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ("a: [", "is not YAML"),
        ("just text", "must be a partial scenario"),
        ("types: {A: 3}", "types.A: must be a mapping"),
        ("alike: [someday]", "must be days like"),
        ("alike: [mon-fri, tue]", "names a day twice"),
        ("name: x\nsegmints: {}", "segmints"),
    ],
)
def test_bad_frames_are_told_in_one_line(frame, said, log_file, tmp_path, capsys):
    path, out = tmp_path / "frame.yaml", tmp_path / "out.yaml"
    path.write_text(frame)
    assert fit_log.main([str(log_file), "--frame", str(path), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("out*"))


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit) as stop:
        fit_log.main(["--help"])
    assert stop.value.code == 0
    assert "example:" in capsys.readouterr().out


# --- the bank -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bank(shared) -> pd.DataFrame:
    return fit_log.read_log(shared(LOG))


def test_the_shipped_bank_is_what_the_script_makes(shared, tmp_path):
    out = tmp_path / "bank.yaml"
    assert fit_log.main([str(shared(LOG)), "--frame", str(FRAME), "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == SHIPPED.read_text(encoding="utf-8")


def test_two_weeks_of_the_bank_agree_with_what_the_month_says(bank):
    """The month's figures are ranges for its first two weeks, not truths."""
    contacts = bank[bank["outcome"].isin(["served", "abandoned_queue"])]
    left = contacts["outcome"] == "abandoned_queue"
    served = contacts[~left]
    talk = fit_log.fit_talk(served["handle_seconds"])
    assert talk.mean_s == pytest.approx(179, abs=4)
    regular, prospects = contacts["contact_type"] == "PS", contacts["contact_type"] == "NW"
    fit = fit_log.fit_talk(contacts.loc[regular & ~left, "handle_seconds"])
    assert fit.mu == pytest.approx(4.876, abs=0.05)
    assert fit.sigma == pytest.approx(0.872, abs=0.03)
    assert fit.cv == pytest.approx(1.09, abs=0.05)
    patience = fit_log.fit_patience(contacts.loc[prospects, "wait_seconds"], left[prospects])
    assert patience.median_s == pytest.approx(165, abs=20)
    assert patience.per_min[0] > 2 * patience.per_min[-1]  # the hazard falls with time
    patience = fit_log.fit_patience(contacts.loc[regular, "wait_seconds"], left[regular], "weibull")
    assert patience.median_s > 300  # few regular callers waited so long in two weeks: the month says 439
    assert 300 < patience.mean_s < 700
    same = served[(served["contact_type"] == "PS") & (served["handle_seconds"] > fit_log.SHORT_S)]
    assert fit_log.fit_agent_spread(same["agent"], same["handle_seconds"]) == pytest.approx(0.22, abs=0.04)
    redial = fit_log.fit_redial(bank)
    assert redial.abandoned_soon == pytest.approx(0.26, abs=0.07)
    assert redial.abandoned_hour == pytest.approx(0.48, abs=0.05)
    assert redial.served_soon == pytest.approx(0.06, abs=0.02)
    assert redial.served_hour == pytest.approx(0.13, abs=0.02)
    assert fit_log.greeting_s(bank) == pytest.approx(11, abs=0.3)
    assert left.mean() == pytest.approx(0.1265, abs=0.015)


def test_the_bank_scenario_holds_these_figures():
    bank = read(SHIPPED, Scenario).value
    assert sum(kind.offered_per_week for kind in bank.types.values()) == pytest.approx(8000, rel=0.02)
    assert 60 < bank.day_factor.shape < 130
    week = bank.opening.by_weekday()
    assert [week[day] for day in (6, 0, 1, 2, 3)] == [(420, 1440)] * 5
    assert week[4][1] == 840
    assert week[5] == (1140, 1440)
    for kind in bank.types.values():
        assert kind.automation.offered == 1
        assert kind.automation.session_s == pytest.approx(11, abs=0.3)
        assert not kind.automation.contains
    assert any("Technion" in source and "Guedj" in source for source in bank.sources)


def test_no_row_of_the_log_is_shipped(shared):
    with gzip.open(shared(LOG), "rt") as stream:
        rows = {line.strip() for line in stream}
    for path in [*ROOT.glob("scenarios/*"), *ROOT.glob("scripts/*"), *ROOT.glob("tests/*.py")]:
        if path.is_file():
            lines = {line.strip() for line in path.read_text(encoding="utf-8").splitlines()}
            assert not lines & (rows - {""}), path.name
    text = SHIPPED.read_text(encoding="utf-8")
    assert not re.search(r"1999-\d\d-\d\d \d\d:\d\d", text)
    assert not re.search(r"\b(C\d{5}|A\d{2})\b", text)
