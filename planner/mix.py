"""The right mix for the moment: what is left for people as automation contains more."""

from __future__ import annotations

from typing import Any

import numpy as np

from planner import evidence
from planner.natural import residual_handle_ratio
from planner.scenario import compile as c
from planner.scenario.schema import Scenario


def curve(scenario: Scenario, steps: int = 19) -> list[dict[str, Any]]:
    """Mean talk of what reaches people over the natural mean, by containment: the scenario's loadings (`default`), and their range.

    Weighted over the scenario's types by volume; the range moves both loadings from their low to their high.
    """
    kinds = list(scenario.types.values())
    weights = np.array([kind.offered_per_week for kind in kinds], float)
    weights = weights / weights.sum()
    low, high = (evidence.table()["talk_loading"].low, evidence.table()["talk_loading"].high)
    levels = {
        "default": (scenario.coefficient("containment_loading"), scenario.coefficient("talk_loading")),
        "low": (low, low),
        "high": (high, high),
    }
    rows = []
    for containment in np.linspace(0, 0.9, steps):
        row: dict[str, Any] = {"containment": round(float(containment), 4)}
        for name, (rho_c, rho_h) in levels.items():
            ratios = [
                residual_handle_ratio(
                    float(containment), c.FAMILY[kind.handle.family], c.talk_cv(scenario, kind.handle.cv, kind.handle.family),
                    rho_c, 0.0 if kind.handle.family == "fixed" else rho_h,
                )
                for kind in kinds
            ]  # fmt: skip
            row[name] = float((weights * np.array(ratios)).sum())
        rows.append(row)
    return rows
