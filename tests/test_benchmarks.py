"""The benchmarks compare like with like: on a plain queue the idiom finds what the engines find."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as bench
from benchmarks import idiom, measure
from sim import draws, model
from sim import records as r
from sim.plain import plain_world


def test_the_idiom_meets_the_same_customers_and_treats_them_alike():
    world = plain_world(arrivals_per_hour=200, agents=6, patience_s=90, open_hours=(0, 24))
    drawn = draws.draw(world, 3, 0)
    records = model.simulate(world, drawn)
    centre = idiom.simulate(idiom.contacts_of(world, drawn, records), [6])
    c = records.contacts
    done = np.isin(c.outcome, (r.ANSWERED, r.ABANDONED))
    assert len(centre.outcome) == len(drawn.needs.birth_ms)
    share = np.mean(np.array(centre.outcome) == idiom.ABANDONED)
    assert share == pytest.approx((c.outcome == r.ABANDONED)[done].mean(), abs=0.003)
    assert np.mean(centre.wait) == pytest.approx(((c.end_ms - c.reach_ms)[done] / 1000).mean(), rel=0.02)


def test_time_is_the_best_of_several_and_the_result_the_last():
    seconds, result = measure.cpu(iter([1, 2, 3]).__next__, 3)
    assert seconds >= 0
    assert result == 3


def test_kept_results_name_no_machine():
    kept = json.loads(bench.RESULTS.read_text(encoding="utf-8"))
    assert set(kept) >= {"circumstances", "engine", "mmsm", "schedule"}
    assert not {"host", "hostname", "node", "user"} & set(kept["circumstances"])
    assert kept["engine"]["same_records"]
    assert "/" not in json.dumps(kept["circumstances"])
    assert Path(bench.RESULTS).name == "results.json"
