"""What is told: one document per run for machines and pages, and plain words and tables for people.

A document is made of plain values alone (no NaN, no infinity), so that it is one JSON text; tables and sentences are
made from documents, never from the objects behind them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from planner import runs
from planner.anchor import Anchored
from planner.channels import OF_CHATS, OF_DEFERRED, unused, used_only
from planner.compare import (
    FRAME_MEANING,
    Cell,
    Comparison,
    breakdown,
    breakdown_differences,
    differences_of,
    formulas,
    held_frame,
    measures_of,
)
from planner.money import CASH_LINES, LINE_MEANING, MONEY, estimates, money
from planner.natural import NaturalValues
from planner.plan import Outcome, PlanResult, outcomes, tightest
from planner.requirement import Requirement, describe
from planner.roster import Roster
from planner.scenario import compile as c
from planner.scenario.load import Applied
from planner.scenario.problems import counted
from planner.scenario.schema import DAYS, Scenario
from planner.shrinkage import rostered_per_present
from planner.words import (
    FTE_WORDS,
    LINE_WORDS,
    TERMS,
    amount_words,
    binding_sentence,
    erlang_sentence,
    is_share,
    lever_words,
    money_of,
    observed_words,
    staff_words,
    target_words,
    title_of,
    to_do,
    window_words,
)
from sim.measures import CUSTOMER, PEOPLE, Estimate, Totals, difference, estimate, summary

Json = dict[str, Any]

LABELS: dict[str, str] = {
    "containment": "Containment, of bot sessions",
    "service_level_g0": "g0: in time, of answered",
    "service_level_g1": "g1: in time, of answered and late abandoned",
    "service_level_g2": "g2: in time or gone in time, of all offered",
    "cash": "Cash",
    "margin_lost": "Margin of customers lost",
    "cash_and_margin": "Cash and margin lost",
    "once": "One-off cash",
    "cost_per_contact": "Cash per contact",
    "cost_per_resolved_need": "Cash per resolved need",
    "cost_per_kept_customer": "Cash per kept customer",
    "customers_lost": "Customers lost",
    "leavers": "Leavers",
    "attrition": "Attrition",
    "people": "People paid for",
    "idle_hours": "Hours between contacts",
    "idle_pay": "Pay of hours between contacts, inside cash",
    "load_p95": "Load met, 95th percentile",
    "load_end_p95": "Load at shift end, 95th percentile",
    "exhaustion_p95": "Exhaustion, 95th percentile",
    "vulnerable_unmet": "Vulnerable needs left unmet",
    "vulnerable_refused": "Vulnerable and refused a person by the bot",
    "load_over_share": "Time with load above the threshold",
    "exhaustion_over_share": "Shifts begun more exhausted than today, by over a point",
    "log_resolution": "Resolved, as a log would say",
    "speed_of_answer_s": "Average speed of answer",
    "handle_time_s": "Average handle time",
    "handle_time_per_resolved_s": "Handle time per resolved need",
    "contacts_per_resolved": "Contacts per resolved need",
    "resolution": "Resolved in the end",
    "seen_and_sorted": "Ended resolved and heard",
    "sorted_not_heard": "Ended resolved, not heard",
    "warm_unresolved": "Ended heard, not resolved",
    "cold_unresolved": "Ended neither heard nor resolved",
    "unmet_share": "Part of the need left unmet",
    "call_backs": "Called back",
    "churned": "Customers lost, expected",
    "churn_per_1000_needs": "Customers lost, expected, of their needs",
    "wrong_flag_min": "Handling spent on wrong flags",
    "flag_precision": "Flags that were right",
    "flag_recall": "True ones that were flagged",
    "leaving_factor": "Hazard of leaving, against today",
    "ended_unserved": "Gave up unserved",
    "refused_person": "Refused a person by the bot",
    "first_contact_resolution": "Resolved at first contact",
    "false_containment": "Falsely contained",
    "returns": "Returned",
    "same_agent": "Put to the same agent",
    "silent": "Chats with nobody there",
    "chats_at_once": "Chats at once",
    "slot_occupancy": "Slot occupancy",
    "unreached": "Call-backs not picked up",
    "call_backs_taken": "Called back instead of waiting",
    "call_back_wait_min": "Wait for a call-back",
    "messages": "Messages left out of hours",
    "message_wait_h": "Wait of messages",
    "deferred": "Deferred contacts",
    "deferred_in_time": "Deferred work in time",
    "deferred_wait_h": "Wait of deferred work",
    "backlog_end": "Backlog at the end",
}
CHANNELS = {"voice": "Voice", "chat": "Chat", "messaging": "Messaging", "email": "E-mail"}
NEAR = 0.05
"""A reported number that the simulation gives back so nearly is given back."""
HIGHER_IS_BETTER = {
    "service_level", "first_contact_resolution", "resolution", "heard", "seen_and_sorted", "log_resolution",
    "recovery_taken", "containment", "deferred_in_time",
}  # fmt: skip
HEADLINE = (
    "service_level", "abandonment", "speed_of_answer_s", "deferred_in_time", "deferred_wait_h", "backlog_end",
    "call_back_wait_min", "occupancy", "chats_at_once", "slot_occupancy", "silent", "handle_time_s", "handle_time_per_resolved_s",
    "first_contact_resolution", "log_resolution", "resolution", "contacts_per_resolved", "heard", "seen_and_sorted",
    "sorted_not_heard", "warm_unresolved", "cold_unresolved", "ended_unserved", "undisclosed", "returns",
    "escalations", "vulnerable_unmet", "vulnerable_refused", "refused_person", "load", "load_p95", "load_over_share", "exhaustion", "exhaustion_p95",
    "exhaustion_over_share",
    "recovery_taken", "recovery_owed", "attrition", "customers_lost", "paid_hours", "people",
    "idle_hours", "idle_pay", "cost_per_resolved_need",
    "cash", "margin_lost", "cash_and_margin", "once",
)  # fmt: skip
"""Measures of the printed comparison, in this order."""
PARTS = {
    "type": "By type", "segment": "By segment", "channel": "By channel", "vulnerable": "Vulnerable or not",
    "group": "By group of people",
}  # fmt: skip
"""What a comparison can be broken down by."""
BY_PART = {
    False: ("service_level", "abandonment", "deferred_in_time", "deferred_wait_h", "handle_time_s", "first_contact_resolution", "heard", "returns", "churn_per_1000_needs"),
    True: ("occupancy", "chats_at_once", "load", "recovery_owed", "absence", "paid_hours"),
}  # fmt: skip
"""Measures of a printed part, of customers and of people."""
ONLY_SOME = (*OF_CHATS, *OF_DEFERRED)
"""Measures that parts without chats or deferred work do not have."""


def label_of(name: str) -> str:
    """A measure's name for people."""
    if name.startswith("money_"):
        return name[6:].replace("_", " ").capitalize()
    return LABELS.get(name, name.removesuffix("_s").replace("_", " ").capitalize())


def meaning_of(name: str) -> str:
    """A sentence on a measure."""
    if name.startswith("money_"):
        return LINE_MEANING.get(name[6:], "")
    m = CUSTOMER.get(name) or PEOPLE.get(name)
    return m.meaning if m else LINE_MEANING.get(name, "")


# --- documents ------------------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Plain values only: numpy scalars and arrays become numbers and lists, estimates mappings, NaN nothing."""
    if isinstance(value, Estimate):
        return {
            "mean": plain(value.mean),
            "low": plain(value.low),
            "high": plain(value.high),
            "unit": value.unit,
        }
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def misfit_rows(scenario: Scenario, anchored: Anchored) -> list[Json]:
    """Observed against simulated as_is."""
    return [
        {"type": m.type, "title": title_of(scenario, m.type), "field": m.field, "observed": plain(m.observed), "simulated": plain(m.simulated), "off": plain(m.off)}
        for m in anchored.misfit
    ]  # fmt: skip


def asked(scenario: Scenario, policy: str, applied: Sequence[Applied]) -> Json:
    """What was asked, with titles for people, and what overrides and `--set` changed."""
    return {
        "scenario": scenario.name,
        "title": scenario.title or scenario.name,
        "policy": policy,
        "policy_title": scenario.policies[policy].title or policy,
        "currency": scenario.costs.currency,
        "applied": runs.applied_rows(applied),
    }


def money_document(
    scenario: Scenario, natural: NaturalValues, policy: str, totals: Totals
) -> dict[str, Estimate]:
    """A policy's yearly money, every line with its interval; needs must have been followed to their end."""
    return estimates(money(scenario, natural, policy, totals), totals, scenario)


def simulation_document(
    scenario: Scenario, policy: str, engine: str, seed: int, replications: int, seconds: float, totals: Totals, *,
    natural: NaturalValues, applied: Sequence[Applied] = (),
) -> Json:  # fmt: skip
    """What `simulate --json` prints."""
    return {
        **asked(scenario, policy, applied),
        "engine": engine,
        "seed": seed,
        "replications": replications,
        "seconds": round(seconds, 3),
        "measures": plain(used_only(summary(totals), scenario)),
        "money": plain(money_document(scenario, natural, policy, totals)),
        **plain(breakdown(totals, scenario)),
    }


def week_of(
    scenario: Scenario, requirement: Requirement | None, roster: Roster, totals: Totals | None
) -> Json:
    """The horizon interval by interval: required, on the queue, in shift, offered, answered in time."""
    n, days = len(scenario.groups), scenario.horizon.days
    minutes = scenario.horizon.interval_min
    per_present = np.repeat(rostered_per_present(scenario), c.n_intervals(scenario))
    present = np.ones_like(per_present) if roster.on_duty else per_present
    queue = roster.cover(n, days, minutes).reshape(n, -1) / present
    shift = roster.cover(n, days, minutes, gross=True).reshape(n, -1) / present
    labels = [
        f"{DAYS[c.weekday_of(scenario, d)].capitalize()} {i * minutes // 60:02d}:{i * minutes % 60:02d}"
        for d in range(days)
        for i in range(1440 // minutes)
    ]
    week: Json = {
        "interval_min": minutes,
        "labels": labels,
        "groups": list(scenario.groups),
        "required": None if requirement is None else requirement.duty,
        "on_queue": np.round(queue, 3),
        "in_shift": np.round(shift, 3),
    }
    if totals is not None:
        waiting = ("deferred", "deferred_in_time") if scenario.has_deferred() else ()
        for name in ("queued", "in_time", "abandoned", *waiting):
            week[name] = np.round(totals.service[name].mean(axis=0).reshape(len(scenario.types), -1), 3)
        week["types"] = list(scenario.types)
    result: Json = plain(week)
    return result


def plan_document(
    result: PlanResult, seconds: float, *, money: Mapping[str, Estimate] | None = None, applied: Sequence[Applied] = ()
) -> Json:  # fmt: skip
    """What `plan --json` prints; with the money of the roster where it was simulated to the end of every need."""
    schedule, scenario = result.schedule, result.scenario
    found = outcomes(result)
    ranked = tightest(found)
    return {
        **asked(scenario, result.policy, applied),
        "seed": result.seed,
        "status": schedule.status if schedule else "plain numbers",
        "cost": plain(schedule.objective if schedule else None),
        "bound": plain(schedule.bound if schedule else None),
        "gap": plain(schedule.gap if schedule else None),
        "schedule_seconds": plain(round(schedule.seconds, 3) if schedule else None),
        "seconds": round(seconds, 3),
        "violations": list(result.violations),
        "fte": fte_document(result),
        "requirement": {
            "agent_hours": plain(result.requirement.agent_hours),
            "rounds": result.requirement.rounds,
            "simulations": result.requirement.simulations,
            "unreached": list(result.requirement.unreached),
        },
        "unmet": [{"day": u.day, "time": u.time, "skill": u.skill, "short": plain(u.short)} for u in result.unmet],
        "targets": [outcome_row(scenario, one) for one in found],
        "binding": {
            "sentence": binding_sentence(scenario, scenario.policies[result.policy].title or result.policy, ranked),
            "worst": [outcome_row(scenario, one) for one in ranked],
        },
        "repairs": result.repairs,
        "proof": {"replications": result.proof.replications, "measures": plain(used_only(result.proof.measures, scenario))},
        "money": plain({name: money[name] for name in MONEY if name in money}) if money else {},
        "week": week_of(scenario, result.requirement, result.roster, result.proof.totals),
    }  # fmt: skip


def fte_document(result: PlanResult) -> Json:
    """People today, needed, and the difference, by group and in all; and what Erlang C would say."""
    rows = [
        {
            "group": f.group, "title": title_of(result.scenario, f.group), "bare": plain(f.bare),
            "rostered": plain(f.rostered), "paid": plain(f.paid), "people": f.people, "headcount": f.headcount,
            "fte_today": plain(f.today), "fte_needed": plain(f.paid), "fte_change": plain(f.paid - f.today),
            "heads_today": round(f.today), "heads_needed": f.needed, "heads_change": f.change,
        }
        for f in result.fte
    ]  # fmt: skip
    summed = (
        "bare", "rostered", "paid", "people", "headcount", "fte_today", "fte_needed", "fte_change", "heads_today",
        "heads_needed", "heads_change",
    )  # fmt: skip
    return {
        **{name: sum(row[name] for row in rows) for name in summed},
        "erlang_c_flat_shrinkage": plain(result.erlang_c.fte),
        "erlang_c_on_queue": plain(result.erlang_c.on_queue),
        "flat_shrinkage": plain(result.erlang_c.shrinkage),
        "flat_shrinkage_source": result.erlang_c.source,
        **({"erlang_c_chats": True} if result.erlang_c.chats else {}),
        **({"erlang_c_deferred": True} if result.erlang_c.deferred else {}),
        "by_group": rows,
    }


def outcome_row(scenario: Scenario, one: Outcome) -> Json:
    """A target in one window of the proof."""
    v = one.verdict
    return {
        "target": describe(one.target), "window": v.label, "mean": plain(v.mean), "aim": plain(v.aim),
        "met": bool(v.held), "held": bool(v.met), "low": plain(v.low), "high": plain(v.high), "limit": plain(v.limit),
        "what": target_words(scenario, one.target, floor=one.floor), "when": window_words(scenario, one),
        "unit": "share" if is_share(one.target) else "s" if one.target.measure == "mean_wait" else "points",
        "side": "at least" if one.at_least else "at most", "margin": plain(one.margin), "used": plain(one.used),
        "said": [amount_words(one.target, x, 1) for x in (v.mean, v.low, v.high)] + [amount_words(one.target, v.aim)],
    }  # fmt: skip


def comparison_document(comparison: Comparison, *, replications: int, seed: int, seconds: float) -> Json:
    """What `compare --json` prints."""
    scenario = comparison.scenario
    frames = []
    for frame, cells in comparison.frames.items():
        base = cells["as_is"]
        differences = {
            p: plain(differences_of(cell, base, scenario)) for p, cell in cells.items() if p != "as_is"
        }
        frames.append(
            {
                "frame": frame,
                "meaning": FRAME_MEANING[frame],
                "policies": {p: plain(measures_of(cell, scenario)) for p, cell in cells.items()},
                "differences": differences,
                "residue": {p: plain(cell.residue) for p, cell in cells.items()},
                "breakdown": {p: plain(breakdown(cell.totals, scenario)) for p, cell in cells.items()},
                "breakdown_differences": {
                    p: plain(breakdown_differences(cell.totals, base.totals, scenario))
                    for p, cell in cells.items()
                    if p != "as_is"
                },
                "ladder": ladder_rows(comparison) if frame == held_frame(comparison.frames) else {},
                "verdict": verdict(comparison, frame),
            }
        )
    return {
        "scenario": scenario.name,
        "title": scenario.title,
        "story": scenario.story,
        "applied": [],
        "currency": scenario.costs.currency,
        "replications": replications,
        "seed": seed,
        "seconds": round(seconds, 3),
        "policies": {p: {"title": scenario.policies[p].title or p, "story": scenario.policies[p].story} for p in cells},
        "titles": {
            "types": {name: title_of(scenario, name) for name in scenario.types},
            "groups": {name: title_of(scenario, name) for name in scenario.groups},
        },
        "anchoring": misfit_rows(scenario, comparison.anchored),
        "frames": frames,
        "doubt": {
            p: {"draws": d.draws, "flips": plain(d.flips), "values": plain(d.values), "sceptic": plain(d.sceptic)}
            for p, d in comparison.doubt.items()
        },
        "plans": {
            p: plan_document(result, 0.0, money=measures_of(comparison.frames["at_target"][p], scenario) if "at_target" in comparison.frames else None)
            for p, result in comparison.plans.items()
        },
        "today": {"measures": plain(measures_of(comparison.today, scenario)), "planned_anew": plain(planned_anew(comparison))},
        "as_is_week": week_of(scenario, None, comparison.today.roster, comparison.today.totals),
    }  # fmt: skip


def planned_anew(comparison: Comparison) -> dict[str, Estimate]:
    """What planning as_is anew with the same hours changes by itself; empty without that frame."""
    frame = comparison.frames.get("equal_hours")
    return differences_of(frame["as_is"], comparison.today, comparison.scenario) if frame else {}


def ladder_rows(comparison: Comparison) -> dict[str, list[Json]]:
    """The ladders: each lever alone, last and on average."""
    left_out = {"once", *unused(comparison.scenario)}
    keep = ("cash", "margin_lost", "cash_and_margin", *(n for n in HEADLINE if n not in left_out))
    return {
        policy: [
            {
                "lever": part.lever,
                "what": lever_words(comparison.scenario, policy, part.lever),
                "alone": {k: plain(part.alone[k]) for k in dict.fromkeys(keep)},
                "last": {k: plain(part.last[k]) for k in dict.fromkeys(keep)},
                "average": {k: plain(part.average[k].mean) for k in dict.fromkeys(keep)},
                "average_interval": {k: plain(part.average[k]) for k in dict.fromkeys(keep)},
            }
            for part in parts
        ]
        for policy, parts in comparison.ladders.items()
    }


# --- the verdict ----------------------------------------------------------------------------------------------------


def verdict(comparison: Comparison, frame: str) -> Json:
    """Who wins on what, in words: cash first, then with kept margin; and where it turns."""
    cells, scenario = comparison.frames[frame], comparison.scenario
    currency = scenario.costs.currency
    names = {p: (scenario.policies[p].title or p) for p in cells}
    sums = {p: formulas(cell, scenario) for p, cell in cells.items()}
    sentences: list[str] = []
    off = {p: cell.residue for p, cell in cells.items() if abs(cell.residue) > 0.005}
    if off:
        sentences.append(
            "This frame is not quite equal ("
            + ", ".join(f"{names[p]} {100 * r:+.1f} %" for p, r in off.items())
            + "): read it with that in mind."
        )
    for measure, words in (("cash", "On cash"), ("cash_and_margin", "With the margin of customers lost")):
        if measure == "cash" and frame == "equal_budget":
            continue  # equal by construction
        ranked = sorted(cells, key=lambda p: float(np.mean(sums[p][measure][0])))
        best, second = ranked[0], ranked[1] if len(ranked) > 1 else ranked[0]
        if best == second:
            continue
        gap = difference(sums[best][measure][:2], sums[second][measure][:2], "")
        sure = gap.high < 0
        if gap.mean == gap.low == gap.high == 0:
            sentences.append(f"{words}, there is no difference between {names[best]} and {names[second]}.")
            continue
        say = money_of(currency, gap[:3])
        less = f"{say(-gap.mean)} a year less than {names[second]}"
        interval = f"95 % interval {say(-gap.high, bare=True)} to {say(-gap.low)}"
        sentences.append(
            f"{words}, {names[best]} costs least: {less} ({interval})."
            if sure
            else f"{words}, the simulation cannot tell {names[best]} and {names[second]} apart: {names[best]} comes to {less} ({interval})."
        )
    sentences += _short_of_targets(comparison, frame, names)
    anew = planned_anew(comparison) if frame == "equal_hours" else {}
    if anew:
        sentences.append(
            f"Every policy is planned anew here, {names['as_is']} too; against the roster of today that alone changes "
            f"{_changes(currency, **{'cash by': anew['cash'], 'margin lost by': anew['margin_lost']})} a year."
        )
    turns: dict[str, float | None] = {}
    base = cells["as_is"]
    for policy, cell in cells.items():
        if policy == "as_is":
            continue
        d = differences_of(cell, base, scenario)
        cash, margin = d["cash"].mean, d["margin_lost"].mean
        once = cell.money.once - base.money.once
        parts = {"cash": d["cash"], "margin lost": d["margin_lost"], "together": d["cash_and_margin"]}
        text = f"{names[policy]} against {names['as_is']}, a year: {_changes(currency, **parts)}"
        if once:
            say = money_of(currency, [x for e in parts.values() for x in e[:3]])
            text += f"; once {say(once)}"
            saved = -d["cash_and_margin"].mean
            if once > 0 and d["cash_and_margin"].high < 0:
                text += f", paid back in {once / saved * 12:.1f} months of cash and kept margin"
        sentences.append(text + ".")
        sentences += _largest_lines(names[policy], cell, base, currency)
        if frame == "equal_hours":
            sentences += _not_cashed(names[policy], names["as_is"], d, currency)
        turns[policy] = None
        if margin * cash < 0 and frame != "equal_budget":
            turns[policy] = -cash / margin
            sentences.append(
                f"It turns where a lost customer is worth {-cash / margin:.2f} times what the scenario says"
                f" ({names[policy]} is the dearer one {'below' if margin < 0 else 'above'} that)."
                + (
                    ""
                    if sure_of(d["cash"]) and sure_of(d["margin_lost"])
                    else " One of the two differences cannot be told from zero, so this is no more than a hint."
                )
            )
    winners = {}
    for measure in (
        "service_level",
        "first_contact_resolution",
        "heard",
        "load",
        "attrition",
        "returns",
        "customers_lost",
        "vulnerable_unmet",
    ):
        sign = -1 if measure in HIGHER_IS_BETTER else 1

        def value(p: str, measure: str = measure) -> float:
            a, b, _ = sums[p][measure]
            below = 1.0 if b is None else float(b.mean())
            return float(a.mean()) / below if below else 0.0

        best = min(cells, key=lambda p: sign * value(p))
        others = [p for p in cells if p != best]
        gaps = [difference(sums[best][measure][:2], sums[p][measure][:2], "") for p in others]
        sure = all(gap.high < 0 if sign > 0 else gap.low > 0 for gap in gaps)
        winners[measure] = {"policy": best, "value": value(best), "sure": bool(sure)}
    if len(cells) > 1:
        sentences.append(_best_at(winners, {m: sums[best][m][2] for m in winners}, names))
    if frame == "at_target":
        sentences += [
            binding_sentence(scenario, names[p], tightest(outcomes(comparison.plans[p])))
            for p in cells
            if p in comparison.plans
        ]
    return {"sentences": sentences, "turns_at_value_factor": plain(turns), "best": plain(winners)}


def _best_at(winners: Mapping[str, Json], units: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Who does best on what beside money, and on what the simulation cannot tell."""

    def told(measure: str) -> str:
        text = label_of(measure)
        return text[:1].lower() + text[1:]

    parts = []
    for policy, name in names.items():
        sure = [m for m, row in winners.items() if row["sure"] and row["policy"] == policy]
        if sure:
            listed = ", ".join(f"{told(m)} ({_amount(winners[m]['value'], units[m])})" for m in sure)
            parts.append(f"{name} on {listed}")
    open_ = ", ".join(told(m) for m, row in winners.items() if not row["sure"])
    best = (
        f"Apart from money, best (at 95 % each) is {'; '.join(parts)}."
        if parts
        else "Apart from money, no policy is surely best on anything."
    )
    return best + (f" The simulation cannot tell who is best on {open_}." if open_ and parts else "")


def _amount(value: float, unit: str) -> str:
    """A number with its unit, for a sentence."""
    return number(value, unit) + (
        "" if unit == "share" else " a year" if unit == "share a year" else f" {unit}"
    )


def _short_of_targets(comparison: Comparison, frame: str, names: Mapping[str, str]) -> list[str]:
    """Where a frame leaves a policy far from the service that its targets ask for."""
    at_target = comparison.frames.get("at_target", {})
    found = []
    for policy, cell in comparison.frames[frame].items():
        if frame == "at_target" or policy not in at_target:
            continue
        here, there = (measures_of(c, comparison.scenario) for c in (cell, at_target[policy]))
        for measure, words in (
            ("service_level", "answered in time"),
            ("deferred_in_time", "of deferred work in time, which no customer of this model takes amiss"),
        ):
            if measure in here and here[measure].mean < there[measure].mean - 0.05:
                found.append(
                    f"{names[policy]} misses its service targets here: {100 * here[measure].mean:.0f} % {words}, "
                    f"{100 * there[measure].mean:.0f} % where they hold."
                )
    return found


def _not_cashed(name: str, base: str, d: Mapping[str, Estimate], currency: str) -> list[str]:
    """Work saved, or asked for, at equal pay: no line of cash has it."""
    hours, pay = d["idle_hours"], d["idle_pay"]
    if not sure_of(hours):
        return []
    more, saved = hours.mean > 0, ""
    if more:
        # Where they come in cheaper groups and go in dearer ones, their pay need not be more.
        worth = (
            f", worth {money_of(currency, [pay.mean])(pay.mean)} of pay,"
            if sure_of(pay) and pay.mean > 0
            else ""
        )
        saved = f": work saved{worth} that nobody can cash"
    return [
        f"Apart from that, the same paid hours leave {name} {number(abs(hours.mean), 'hours')} "
        f"{'more' if more else 'fewer'} hours a year between contacts than {base}{saved}."
    ]


LARGE = 0.2
"""A line of cash that makes up more than this share of all lines' changes is named in the verdict."""


def _largest_lines(name: str, cell: Cell, base: Cell, currency: str) -> list[str]:
    """The lines of cash that make up a large part of what changes; whether or not the simulation is sure of them."""
    changes = {line: cell.money.lines[line] - base.money.lines[line] for line in CASH_LINES}
    changes["concessions"] = changes["concessions"] + changes.pop("concession_leakage")
    found = {line: estimate(values, None, currency) for line, values in changes.items()}
    gross = sum(abs(e.mean) for e in found.values())
    large = {
        line: e
        for line, e in sorted(found.items(), key=lambda row: -abs(row[1].mean))
        if gross > 0 and abs(e.mean) > LARGE * gross
    }
    if not large:
        return []
    shares = " and ".join(f"{100 * abs(e.mean) / gross:.0f} %" for e in large.values())
    parts = {LINE_WORDS[line]: e for line, e in large.items()}
    return [
        f"What moves the cash of {name} most, a year: {_changes(currency, **parts)}: {shares} of the changes of all lines, "
        "ups and downs added up."
    ]


def sure_of(e: Estimate) -> bool:
    """Whether an interval leaves zero out."""
    return not e.low <= 0 <= e.high


def _changes(currency: str, **parts: Estimate) -> str:
    """Changes with their intervals, said in one unit; where an interval contains zero, that it cannot tell."""
    say = money_of(currency, [x for e in parts.values() for x in e[:3]])
    return ", ".join(
        f"{what} {say(e.mean, sign=True)} ({say(e.low, sign=True, bare=True)} to {say(e.high, sign=True, bare=True)}"
        f"{': cannot tell' if e.low <= 0 <= e.high and e.low < e.high else ''})"
        for what, e in parts.items()
    )


# --- tables ---------------------------------------------------------------------------------------------------------


def number(value: float | None, unit: str) -> str:
    """A number as its unit wants it."""
    if value is None:
        return "-"
    if unit == "share" or unit.startswith("share a"):
        return f"{100 * value:.1f} %"
    if "a year" in unit and abs(value) >= 10_000:
        return f"{value:,.0f}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.1f}"


def relative(value: float) -> str:
    """A relative change; next to nothing is no less than nothing."""
    return f"{round(100 * value, 1) + 0.0:+.1f} %"


def change(value: Json) -> str:
    """A difference with its interval."""
    unit = str(value["unit"])
    scale, tail = (100.0, " pts") if unit.startswith("share") else (1.0, "")
    if value["mean"] is None:
        return "-"
    if value["low"] is None or value["high"] is None:
        return f"{value['mean'] * scale:+,.2f}{tail}"
    mean, low, high = (float(value[k]) * scale for k in ("mean", "low", "high"))
    if low == high:
        return f"{mean:+,.{0 if abs(mean) >= 1000 else 2}f}{tail}"
    digits = 0 if max(abs(low), abs(high)) >= 1000 else 2
    return f"{mean:+,.{digits}f}{tail} [{low:,.{digits}f}, {high:,.{digits}f}]"


def thousands(estimate: Mapping[str, Any], sign: str = "") -> str:
    """An amount of money with its interval, in thousands."""
    mean, low, high = (None if estimate[k] is None else estimate[k] / 1000 for k in ("mean", "low", "high"))
    if mean is None or low is None or high is None:
        return "-"
    digits = 0 if max(abs(low), abs(high)) >= 100 else 1
    mean, low, high = (
        round(x, digits) + 0.0 for x in (mean, low, high)
    )  # next to nothing is no less than nothing
    return f"{mean:{sign},.{digits}f} [{low:,.{digits}f}, {high:,.{digits}f}]"


def print_estimates(console: Console, title: str, measures: Mapping[str, Json], names: Sequence[str]) -> None:
    """One policy's measures."""
    table = Table(title=title, title_justify="left")
    table.add_column("Measure")
    table.add_column("Value", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("Unit")
    for name in names:
        m = measures.get(name)
        if m:
            interval = (
                "-"
                if m["low"] is None
                else f"{number(m['low'], m['unit'])} to {number(m['high'], m['unit'])}"
            )
            table.add_row(label_of(name), number(m["mean"], m["unit"]), interval, m["unit"])
    console.print(table)


def print_asked(console: Console, document: Json) -> None:
    """Of which scenario and policy, and what was changed in the file."""
    policy = f", {document['policy_title']}" if "policy_title" in document else ""
    keys = f" ({document['scenario']}{', ' + document['policy'] if 'policy' in document else ''})"
    console.print(f"[bold]{document['title']}{policy}[/bold]{keys}", highlight=False)
    print_applied(console, document)


def print_applied(console: Console, document: Json) -> None:
    """What overrides and `--set` put in place of the file's values."""
    for path, value, source in document["applied"]:
        console.print(f"  Changed: {path} = {value}, by {source}", highlight=False, markup=False)


def print_terms(console: Console, shown: Sequence[str]) -> None:
    """Our own words, of those that were shown."""
    told = [text for name, text in TERMS.items() if name in shown]
    if told:
        console.print("  " + ". ".join(told) + ".", highlight=False)


def print_money(console: Console, document: Json) -> None:
    """The year's cash, in a sentence and by line."""
    rows = document["money"]
    if not rows:
        return
    currency = document["currency"]
    say = money_of(currency, [rows["cash"]["mean"], rows["margin_lost"]["mean"]])

    def told(name: str) -> str:
        e = rows[name]
        open_ = e["low"] is None or e["low"] == e["high"]
        return say(e["mean"]) + (
            "" if open_ else f" ({say(e['low'], bare=True)} to {say(e['high'], bare=True)})"
        )

    console.print(
        f"A year like this costs {told('cash')} in cash; the customers that it loses would have brought {told('margin_lost')} of margin.",
        highlight=False,
    )
    lines = sorted((f"money_{line}" for line in CASH_LINES), key=lambda name: -abs(rows[name]["mean"]))
    lines = [name for name in lines if rows[name]["mean"]]
    names = [*lines, "cash", "margin_lost", "cash_and_margin", "once"]
    print_estimates(
        console,
        f"Money ({currency} a year; a year repeats the simulated days)",
        rows,
        [name for name in names if rows[name]["mean"] or name == "cash"],
    )


def print_simulation(console: Console, document: Json) -> None:
    """`simulate` in words."""
    print_asked(console, document)
    console.print(
        f"On today's roster; {counted(document['replications'], 'replication')}, seed {document['seed']}, {document['engine']} engine.",
        highlight=False,
    )
    print_money(console, document)
    names = [m for m in (*CUSTOMER, *PEOPLE, "load_p95", "exhaustion_p95") if m in document["measures"]]
    print_estimates(console, "Service and people", document["measures"], names)
    _print_channels(console, document["by_channel"])
    print_terms(console, names)


BY_CHANNEL = (
    "contacts", "containment", "queued", "service_level", "abandonment", "speed_of_answer_s", "deferred", "deferred_in_time",
    "deferred_wait_h", "messages", "message_wait_h", "silent", "handle_time_s", "first_contact_resolution", "heard",
)  # fmt: skip
"""Measures of the printed table of channels, a row each."""


def _print_channels(console: Console, by_channel: Mapping[str, Mapping[str, Json]]) -> None:
    """Channels side by side, where there are several; what a channel cannot have is left open."""
    if len(by_channel) < 2:
        return
    table = Table(title="By channel", title_justify="left")
    table.add_column("Measure")
    for name in by_channel:
        table.add_column(CHANNELS[name], justify="right")
    for measure in BY_CHANNEL:
        cells = [some[measure] for some in by_channel.values() if measure in some]
        if any(e["mean"] for e in cells):
            unit = cells[0]["unit"]
            suffix = "" if unit in ("share", "contacts") else f" ({unit})"
            told = (number(e["mean"], unit) if e["mean"] or unit == "share" else "-" for e in cells)
            table.add_row(label_of(measure) + suffix, *told)
    console.print(table)


def print_misfit(console: Console, rows: Sequence[Json], above: float = 0.0) -> None:
    """Reported numbers beside simulated ones, those that are further off than `above` (relative)."""
    if not rows:
        console.print("Nothing is reported in this scenario: all values are taken as they are.")
        return
    worst = max(rows, key=lambda row: abs(row["off"] or 0))
    near = sum(abs(row["off"] or 0) <= NEAR for row in rows)
    back = "the reported numbers back"
    if near < len(rows):
        back = f"{near} of {len(rows)} reported numbers back within {100 * NEAR:.0f} %"
    console.print(
        f"Simulating today gives {back}; the largest misfit is {100 * abs(worst['off'] or 0):.1f} % "
        f"({observed_words(worst['field']).lower()}, {worst['title']}).",
        highlight=False,
    )
    rows = [row for row in rows if abs(row["off"] or 0) >= above]
    if not rows:
        return
    table = Table(title="Reported against simulated", title_justify="left")
    for name in ("Type", "What"):
        table.add_column(name)
    for name in ("Reported", "Simulated", "95 % interval", "Off"):
        table.add_column(name, justify="right")
    table.add_column("Unit")
    for row in rows:
        s = row["simulated"]
        table.add_row(
            row["title"], observed_words(row["field"]), number(row["observed"], s["unit"]), number(s["mean"], s["unit"]),
            f"{number(s['low'], s['unit'])} to {number(s['high'], s['unit'])}", relative(row["off"] or 0),
            "" if s["unit"].startswith("share") else s["unit"],
        )  # fmt: skip
    console.print(table)


HELD_WORDS = "Held: the one-sided 95 % limit of the mean (a little inside the interval shown, which is two-sided) is on the right side of the aim."


def held_words(targets: Sequence[Json]) -> str:
    """How many target windows hold by the limit, how many in the mean only, and how many are missed."""
    held = sum(t["held"] for t in targets)
    nearly = sum(t["met"] and not t["held"] for t in targets)
    missed = len(targets) - held - nearly
    text = (
        f"all {held} target windows hold"
        if held == len(targets)
        else f"{held} of {len(targets)} target windows hold"
    )
    text += " by the one-sided 95 % limit"
    if nearly:
        text += f", {nearly} in the mean only"
    if missed:
        text += f", {missed} {'is' if missed == 1 else 'are'} missed"
    return text


def result_words(target: Json) -> str:
    """How one target window came out."""
    return "held" if target["held"] else "held in the mean only" if target["met"] else "missed"


def proof_sentence(document: Json) -> str:
    """How many target windows hold."""
    return (
        f"Simulating the roster itself, absence and all ({counted(document['proof']['replications'], 'replication')}, "
        f"seed {document['seed'] + 1}, the one after the search's): {held_words(document['targets'])}."
    )


def print_plan(console: Console, document: Json) -> None:
    """`plan` in words: sentences, then the numbers."""
    fte = document["fte"]
    print_asked(console, document)
    for sentence in (
        staff_words(fte),
        proof_sentence(document),
        document["binding"]["sentence"],
        erlang_sentence(fte),
    ):
        console.print(sentence, highlight=False)
    if document["gap"] is not None:
        console.print(
            f"The schedule lies within {100 * document['gap']:.1f} % of the best possible (a proven bound, the price of what is "
            f"left short included); found in {document['schedule_seconds']:.1f} s.",
            highlight=False,
        )
    _print_staff(console, fte)
    print_targets(console, document["targets"])
    print_money(console, document)
    short = [u for u in document["unmet"] if u["short"] >= 0.5]
    if short:
        console.print(
            f"The schedule is short by half a person or more in {counted(len(short), 'interval')}; the largest:",
            highlight=False,
        )
        for u in sorted(short, key=lambda u: -u["short"])[:8]:
            console.print(
                f"  {u['day']} {u['time']} {u['skill'].replace('_', ' ')}: short by {u['short']:.1f}",
                highlight=False,
            )
    for line in document["requirement"]["unreached"]:
        console.print(f"  not reached by the requirement: {line}")


def _print_staff(console: Console, fte: Json) -> None:
    table = Table(title="People by group: today, needed, and the difference", title_justify="left")
    table.add_column("Group")
    for name in (
        "Heads today", "FTE today", "FTE on the queue", "FTE rostered", "FTE paid (needed)", "Heads needed", "FTE difference",
        "To do", "In the roster",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    rows = fte["by_group"] if len(fte["by_group"]) == 1 else [*fte["by_group"], {**fte, "title": "All"}]
    for f in rows:
        table.add_row(
            f["title"], f"{f['heads_today']}", f"{f['fte_today']:.1f}", f"{f['bare']:.1f}", f"{f['rostered']:.1f}",
            f"{f['fte_needed']:.1f}", f"{f['heads_needed']}", f"{f['fte_change']:+.1f}",
            to_do([f["heads_change"]] if "group" in f else [g["heads_change"] for g in fte["by_group"]]), str(f["people"]),
        )  # fmt: skip
    console.print(table)
    console.print(
        f"  {FTE_WORDS} Heads: whole full contracts. In the roster: people that the shifts are dealt to, some of them part-time.",
        highlight=False,
    )


def print_targets(console: Console, targets: Sequence[Json]) -> None:
    """Every window of every target as a table."""
    table = Table(title="Targets, from the simulated roster", title_justify="left")
    table.add_column("Target")
    table.add_column("Window")
    for name in ("Simulated", "95 % interval", "Aim", "Result"):
        table.add_column(name, justify="right")
    last = None
    for t in targets:
        mean, low, high, aim = t["said"]
        table.add_row(
            t["what"] if t["what"] != last else "", t["when"], mean, f"{low} to {high}", f"{t['side']} {aim}",
            result_words(t),
        )  # fmt: skip
        last = t["what"]
    console.print(table)
    console.print(f"  {HELD_WORDS}", highlight=False)


def part_title(document: Json, by: str, name: str) -> str:
    """What a part of the breakdown is called."""
    titles: dict[str, str] = CHANNELS if by == "channel" else document["titles"].get(f"{by}s", {})
    return titles.get(name) or name.replace("_", " ").capitalize()


def _print_part(console: Console, document: Json, frame: Json, by: str) -> None:
    titles = {p: row["title"] for p, row in document["policies"].items()}
    base, *others = frame["policies"]
    table = Table(title=PARTS[by], title_justify="left")
    table.add_column("Part")
    table.add_column("Measure")
    for p in frame["policies"]:
        table.add_column(titles[p], justify="right")
    for p in others:
        table.add_column(f"{titles[p]} minus {titles[base].lower()} [95 %]", justify="right")
    values = {p: some[f"by_{by}"] for p, some in frame["breakdown"].items()}
    less = {p: some[f"by_{by}"] for p, some in frame["breakdown_differences"].items()}
    for name in values[base]:
        told = [m for m in BY_PART[by == "group"] if m in values[base][name]]
        mixed = "deferred_in_time" in told  # what a part cannot have is not told of it
        told = [
            m for m in told
            if not (mixed or m in ONLY_SOME) or any(values[p][name][m]["mean"] is not None for p in values)
        ]  # fmt: skip
        for place, measure in enumerate(told):
            unit = values[base][name][measure]["unit"]
            table.add_row(
                "" if place else part_title(document, by, name),
                label_of(measure) + ("" if unit.startswith("share") else f" ({unit})"),
                *(number(values[p][name][measure]["mean"], unit) for p in frame["policies"]),
                *(change(less[p][name][measure]) for p in others),
            )
        table.add_section()
    console.print(table)


def print_comparison(
    console: Console, document: Json, *, every: bool = False, by: Sequence[str] = ()
) -> None:
    """`compare` in words: the staffing, the verdict of each frame, then the tables, then the ladder."""
    titles = {p: row["title"] for p, row in document["policies"].items()}
    for policy, plan in document["plans"].items():
        console.print(
            f"{titles[policy]}, to hold the service targets: {staff_words(plan['fte'])}", highlight=False
        )
    if document["plans"]:
        plans = {titles[p]: plan["fte"] for p, plan in document["plans"].items()}
        console.print(erlang_sentence(next(iter(plans.values())), others=plans), highlight=False)
        console.print(f"  {FTE_WORDS}", highlight=False)
    for number_, frame in enumerate(document["frames"]):
        console.print(f"\n[bold]{frame['frame'].replace('_', ' ').capitalize()}[/bold]: {frame['meaning']}")
        for sentence in frame["verdict"]["sentences"]:
            console.print(f"  {sentence}", highlight=False)
        policies = list(frame["policies"])
        table = Table(title_justify="left")
        table.add_column("Measure")
        for p in policies:
            table.add_column(titles[p], justify="right")
        for p in policies[1:]:
            table.add_column(f"{titles[p]} minus {titles[policies[0]].lower()} [95 %]", justify="right")
        names = list(frame["policies"][policies[0]]) if every else [*HEADLINE]
        first = frame["policies"][policies[0]]
        lines = [
            m for m in (f"money_{line}" for line in CASH_LINES)
            if m not in names and any(frame["policies"][p][m]["mean"] for p in policies)
        ]  # fmt: skip
        shown = [m for m in [*names, *lines] if m in first]
        for name in shown:
            unit = first[name]["unit"]
            suffix = "" if unit.startswith("share") else f" ({unit})"
            table.add_row(
                label_of(name) + suffix,
                *(number(frame["policies"][p][name]["mean"], unit) for p in policies),
                *(change(frame["differences"][p][name]) for p in policies[1:]),
            )
        console.print(table)
        if number_ == 0:
            print_terms(console, shown)
        off = ", ".join(f"{titles[p]} {100 * r:+.2f} %" for p, r in frame["residue"].items() if r)
        if off:
            console.print(f"  Not exactly equal: {off}.", highlight=False)
        for part in by:
            _print_part(console, document, frame, part)
        for policy, parts in frame["ladder"].items():
            _print_ladder(console, document, policy, parts)
            own = own_costs(document, frame, policy)
            if own:
                console.print(f"  {own}", highlight=False)
    held = held_frame({frame["frame"]: frame for frame in document["frames"]})
    for policy, d in document["doubt"].items():
        say = money_of(document["currency"], [d["sceptic"]["cash"], d["sceptic"]["cash_and_margin"]])
        console.print(
            f"How sure the conclusion is: over {d['draws']} draws of the uncertain coefficients, with the staffing of the frame "
            f"{held.replace('_', ' ')}, the sign of {titles[policy]} against today flips in {100 * d['flips']['cash']:.0f} % on cash and in "
            f"{100 * d['flips']['cash_and_margin']:.0f} % with kept margin. In the sceptic's setting (no uncertain effect exists): cash "
            f"{say(d['sceptic']['cash'], sign=True)}, with margin {say(d['sceptic']['cash_and_margin'], sign=True)} a year.",
            highlight=False,
        )


def _print_ladder(console: Console, document: Json, policy: str, parts: Sequence[Json]) -> None:
    titles = {p: row["title"] for p, row in document["policies"].items()}
    table = Table(
        title=f"What each change from {titles['as_is']} to {titles[policy]} does, staffing held (thousand {document['currency']} a year, "
        "95 % intervals)",
        title_justify="left",
    )
    table.add_column("Change", overflow="fold")
    both = "Cash and\nmargin,\n"
    for name in (
        "Cash,\naverage", f"{both}alone", f"{both}last", f"{both}average", "Resolved at\nfirst contact,\naverage", "Verdict",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    for part in parts:
        average = part["average_interval"]
        money = (
            average["cash"], part["alone"]["cash_and_margin"], part["last"]["cash_and_margin"], average["cash_and_margin"],
        )  # fmt: skip
        cells = [*(thousands(e, "+") for e in money), change(average["first_contact_resolution"])]
        table.add_row(
            part["what"], *(x.replace(" [", "\n[") for x in cells), tells(average["cash_and_margin"])
        )
    console.print(table)
    console.print(
        f"  Alone: the change laid on {titles['as_is']}. Last: what goes when it alone is taken out of {titles[policy]}. Average: of the two, "
        "with its own paired interval. Below zero saves. Cannot tell: the average's interval contains zero.",
        highlight=False,
    )


def own_costs(document: Json, frame: Json, policy: str) -> str:
    """What a policy costs a year whatever its levers do, which no rung of the ladder has; empty where that is nothing."""
    yearly = frame["differences"][policy]["money_policy"]["mean"]
    say = money_of(document["currency"], [yearly])
    return f"The policy's own costs belong to no change: {say(yearly, sign=True)} a year." if yearly else ""


def tells(e: Json) -> str:
    """What an interval of money says: saves, costs, or cannot tell."""
    if e["low"] is None or e["high"] is None or e["low"] <= 0 <= e["high"]:
        return "nothing" if e["low"] == e["high"] == 0 else "cannot tell"
    return "saves" if e["high"] < 0 else "costs"
