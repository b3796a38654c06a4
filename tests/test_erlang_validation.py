"""The closed forms against published and exact reference numbers."""

import csv
import gzip
import json
import math
from collections import Counter

import numpy as np
import pytest
from reference_cases import (
    MILLER_CALLS,
    MILLER_RATE_PER_HOUR,
    MILLER_SERVERS,
    garnett,
    miller,
    miller_servers,
)
from scipy import stats

from sim.erlang import agents_for, erlang_b, erlang_c, lagged_load, queue_a, queue_c
from sim.erlang import wait_quantile_a as quantile_a
from sim.erlang import wait_quantile_c as quantile_c

pytestmark = pytest.mark.validation


@pytest.fixture(scope="module")
def reference(shared):
    return json.loads(shared("validation/erlang_reference.json").read_text(encoding="utf-8"))


def near(value):
    return pytest.approx(value, rel=1e-6)


def test_erlang_b(reference):
    assert reference["erlang_b"]
    for case in reference["erlang_b"]:
        assert erlang_b(case["n"], case["a"]) == near(case["B"])


def test_erlang_c(reference):
    assert reference["erlang_c"]
    for case in reference["erlang_c"]:
        n, arrivals, service = case["n"], case["lam"] / 60, case["aht"] * 60
        found = queue_c(n, arrivals, service, case["tau"] * 60)
        assert erlang_c(n, arrivals * service) == near(case["P_wait"])
        assert found.p_wait == near(case["P_wait"])
        assert found.mean_wait_s == found.speed_of_answer_s == near(case["ASA"] * 60)
        assert found.service_level == near((case["SL"],) * 4)
        assert found.occupancy == near(case["occupancy"])
        assert found.queue_length == near(case["Lq"])


def test_erlang_a(reference):
    assert reference["erlang_a"]
    for case in reference["erlang_a"]:
        service, patience, within = (60 * case[key] for key in ("aht", "patience", "tau"))
        found = queue_a(case["n"], case["lam"] / 60, service, patience, within)
        levels = found.service_level
        assert found.p_wait == near(case["P_wait"]) == near(case["check_P_V_gt_0"])
        assert found.p_abandon == near(case["P_abandon"])
        assert found.mean_wait_s == near(case["E_wait_all"] * 60)
        assert found.speed_of_answer_s == near(case["ASA_served"] * 60)
        assert found.queue_length == near(case["E_Lq"])
        assert found.occupancy == near(case["occupancy"])
        assert levels.g0 == near(case["SL_answered"])
        assert levels.g1 == near(case["SL_excl_short_abandons"])
        assert levels.g2 == near(case["SL_offered"] + case["P_abandon_within_tau"])
        assert levels.g2 - levels.g3 == near(case["P_abandon_within_tau"])
        assert levels.g3 == near(case["SL_offered"])


def test_the_famous_comparison():
    """Garnett, Mandelbaum & Reiman 2002: 50 agents, 48 calls a minute of 1 minute, patience 2 minutes."""
    c, a = queue_c(50, 0.8, 60.0, 20.0), queue_a(50, 0.8, 60.0, 120.0, 20.0)
    assert c.mean_wait_s == pytest.approx(20.8, abs=0.05)
    assert quantile_c(0.9, 50, 0.8, 60.0) == pytest.approx(58.1, abs=0.05)
    assert a.mean_wait_s == pytest.approx(3.7, abs=0.05)
    assert a.p_abandon == pytest.approx(0.031, abs=0.0005)
    # printed as 12.5; exactly it is 12.44 over all customers and 12.34 over the served
    assert quantile_a(0.9, 50, 0.8, 60.0, 120.0) == pytest.approx(12.5, abs=0.1)


def sinusoidal_load() -> tuple[np.ndarray, np.ndarray, float]:
    """Arrival rates 100 + 20 sin t, constant over short intervals centred on k h, and the load they make."""
    n = 16 * 512
    h = 2 * math.pi / n
    mean_sine = np.sin(h * np.arange(n)) * math.sin(h / 2) / (h / 2)
    rates = 100 + 20 * mean_sine
    return rates, lagged_load(rates, h, 1.0, cyclic=True), h


def test_time_varying_staffing(reference):
    """Feldman, Mandelbaum, Massey & Whitt 2008: patience like handling makes the number in system Poisson."""
    rates, loads, _ = sinusoidal_load()
    cases = reference["timevarying_MtMst_plus_M_theta_eq_mu_eq_1_lambda_100+20sin_t"]
    assert len(cases) == 17
    for k, case in enumerate(cases):
        load = loads[k * 512 % len(loads)]
        assert load == near(case["m"])
        assert rates[k * 512 % len(loads)] == near(case["lam"])
        for p in (0.1, 0.3, 0.5, 0.7, 0.9):
            needed = agents_for(load, 1.0, measure="p_wait", target=p, patience_s=1.0)
            assert needed == case[f"s_{p}"]
            assert stats.poisson.sf(needed - 1, case["m"]) == near(case[f"pd_{p}"])
            assert queue_a(needed, case["m"], 1.0, 1.0, 0.5).p_wait == near(case[f"pd_{p}"])


def test_the_requirement_lags_demand():
    rates, loads, h = sinusoidal_load()
    assert h * rates.argmax() == pytest.approx(math.pi / 2, abs=2 * h)
    assert h * loads.argmax() == pytest.approx(3 * math.pi / 4, abs=2 * h)
    eighth = len(loads) // 8
    at = [loads[k * eighth] for k in (0, 1, 2, 3, 4, 6)]
    needed = [agents_for(m, 1.0, measure="p_wait", target=0.3, patience_s=1.0) for m in at]
    # The prose beside the reference has 111, 111 and 86 for the third, fifth and sixth: at loads of 110, 110
    # and 90 those leave P(delay) at 0.47, 0.47 and 0.68. Its table, 0.27 to 0.296 and theory agree on these:
    assert needed == [96, 106, 116, 121, 116, 96]
    delays = [queue_a(n, m, 1.0, 1.0, 0.5).p_wait for n, m in zip(needed, at, strict=True)]
    assert all(0.27 <= p <= 0.2961 for p in delays)
    assert queue_a(111, 110.0, 1.0, 1.0, 0.5).p_wait > 0.47
    assert queue_a(86, 90.0, 1.0, 1.0, 0.5).p_wait > 0.67


def calls_that_need(servers: int) -> tuple[float, float]:
    """Between which hourly volumes exactly `servers` are needed: (more than, up to)."""

    def most(servers: int) -> float:
        low, high = 0.0, float(MILLER_RATE_PER_HOUR * servers)
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (
                (middle, high) if erlang_c(servers, middle / MILLER_RATE_PER_HOUR) <= 0.5 else (low, middle)
            )
        return low

    return (most(servers - 1) if servers else 0.0), most(servers)


def test_miller_each_published_number_is_needed_for_a_range_of_volumes():
    for servers in sorted(set(MILLER_SERVERS) - {0}):
        low, high = calls_that_need(servers)
        assert miller_servers(low + 1e-6) == miller_servers(high - 1e-6) == servers
        assert miller_servers(high + 1e-6) == servers + 1
    assert miller_servers(0.0) == 0


def test_miller_from_calls_to_people():
    """The published chain, hour by hour and exactly."""
    assert [miller_servers(calls) for calls in MILLER_CALLS] == list(MILLER_SERVERS)
    assert all(row.agrees for row in miller())


def test_miller_on_the_two_wednesdays_at_hand(shared):
    """Calls by the hour they reach the automated part, whatever the ending: two of the four days that Miller averages.

    In each hour the other two must have had a whole number of calls, none below zero, and no more or fewer than days of
    this bank differ by. Only all four can give the 14.86443 served an hour; from these two it comes to about that.
    """
    calls: Counter[tuple[str, int]] = Counter()
    handled = []
    with gzip.open(shared("data/bank_1999_contacts_weeks_1_2.csv.gz"), "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            day, clock = row["ivr_entry"].split(" ")
            calls[day, int(clock[:2])] += 1
            if day in ("1999-02-03", "1999-02-10") and row["outcome"] == "served":
                handled.append(float(row["handle_seconds"]))
    for hour, mean in enumerate(MILLER_CALLS):
        here = calls["1999-02-03", hour] + calls["1999-02-10", hour]
        others = 4 * mean - here
        assert others == int(others) >= 0
        if hour == 13:
            # one Wednesday had a surge (494 calls against 99): the other two look like the ordinary one
            assert abs(others / 2 - 99) <= 3 * math.sqrt(99 * 1.5 + (161 / 1433 * 99) ** 2)
            continue
        # days also differ as wholes: calls a day 1,433, sd 161, over the month
        sd = math.sqrt(4 * mean + 4 * (161 / 1433 * mean) ** 2)
        assert abs(others - here) <= 4 * sd, hour
    times = np.array(handled)
    se = times.std() / math.sqrt(len(times))
    assert abs(times.mean() + 60 - 3600 / 14.86443) <= 4 * se


def test_garnett_as_printed():
    assert all(row.agrees for row in garnett())
