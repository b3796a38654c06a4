"""Published simulators and exact results for a changing day, reproduced within both sides' intervals."""

import json

import numpy as np
import pytest
import reference_cases as cases
from reference_cases import ENGINE, Z

from planner.anchor import first_guess

FAST = ENGINE == "kernel"


def check(rows):
    assert rows
    wrong = [str(row) for row in rows if not row.agrees]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["mmc", "mmcab", "simplemsk", "ssj_callcenter"])
def test_natural_values_are_taken_as_they_are(name):
    scenario, world = cases.load_case(name)
    natural = first_guess(scenario)
    for factor in (natural.needs_per_contact, natural.talk_factor, natural.acw_factor):
        assert np.all(factor == 1.0)
    assert np.all(natural.contained_shift == 0.0)
    assert world.clock.n_days == scenario.horizon.days
    assert world.behaviour.max_attempts == 1


@pytest.mark.parametrize("name", ["mmc", "mmcab", "simplemsk"])
def test_contact_centers(name):
    check(cases.contact_centers(name, 2000 if FAST else 100))


def test_steady_state_would_be_wrong_for_mmc():
    """Days start empty: the published occupancy lies below the steady state's 0.7."""
    published = cases.printed(cases.CONTACT_CENTERS["mmc"]["occupancy"])
    assert 0.7 - published.mean > Z * published.se


def test_ssj_call_center():
    check(cases.ssj(4000 if FAST else 300))


def test_the_reference_staffing_for_a_sine(shared):
    """The smallest s(t) with P(delay) <= 0.3, from the file: the text beside it has misprints."""
    file = shared("validation/erlang_reference.json")
    table = json.loads(file.read_text(encoding="utf-8"))[
        "timevarying_MtMst_plus_M_theta_eq_mu_eq_1_lambda_100+20sin_t"
    ]
    for entry in table:
        load = float(cases.mean_in_system(np.array(entry["t"])))
        assert load == pytest.approx(entry["m"], rel=1e-12)
        assert cases.agents_needed(round(load, 9)) == entry["s_0.3"]


def test_delay_is_stable_when_staffing_lags_demand():
    """Feldman, Mandelbaum, Massey & Whitt 2008: 0.27 to 0.296 in every phase."""
    rows = cases.sine(1600 if FAST else 60)
    check(rows)
    for row in rows:
        reach = Z * row.ours.se
        assert row.ours.mean - reach <= 0.296, row
        assert row.ours.mean + reach >= 0.27, row
    # all phases together, where the interval is narrow
    together = np.mean([row.ours.mean for row in rows])
    assert 0.27 < together < 0.296


def test_staffing_to_demand_itself_peaks_too_early():
    """Interval by interval on lambda(t): too many people before the peak of the load, too few after it."""
    wrong = cases.sine_staffing(follow_demand=True)
    right = cases.sine_staffing()
    steps_early = int(np.argmax(right)) - int(np.argmax(wrong))
    assert steps_early * 2 * np.pi / cases.STEPS == pytest.approx(np.pi / 4, abs=0.15)
    delays = [cases.simulated(*counts) for counts in cases.sine_delay(120 if FAST else 20, wrong)]
    assert min(d.mean + Z * d.se for d in delays) < 0.15
    assert max(d.mean - Z * d.se for d in delays) > 0.55
