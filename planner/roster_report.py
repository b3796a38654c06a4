"""A roster of named people as a document and in print: what it keeps, what it is short of, how fairly it is shared, its proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from statistics import median

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.channels import used_only
from planner.plan import outcomes, tightest
from planner.report import (
    Json,
    asked,
    held_words,
    outcome_row,
    plain,
    print_asked,
    print_targets,
    week_of,
)
from planner.rostering.exposure import Exposed
from planner.rostering.people import group_of_token, type_of_tier
from planner.rostering.problem import DAY_MIN, WEEK_DAYS, NamedRoster, Need, RosterProblem
from planner.rostering.reliefs import WEEKS_A_YEAR, Reliefs, Relieved, hour_short
from planner.rostering.rules import BY_NAME, EMOTIONAL, RULES, applies
from planner.rostering.rules.base import exposure, is_night, stretches, weekends
from planner.rostering.staff import Staffed
from planner.rostering.validate import Audit, short_hours
from planner.scenario.load import Applied
from planner.scenario.problems import counted
from planner.scenario.schema import Scenario
from planner.words import WEEKDAYS, binding_sentence, clock, percent, title_of
from sim.world import Floats

MOST_LINES = 12
TOLD = {"overtime", "changes"}
"""Priced, but no fault: what is worked or changed is told by itself."""


def document_of(
    result: Staffed, seconds: float, *, reliefs: Reliefs | None = None, applied: Sequence[Applied] = ()
) -> Json:
    """What `roster --json` prints."""
    scenario, problem, named = result.scenario, result.problem, result.outcome.roster
    found = outcomes(result)
    ranked = tightest(found)
    asked_h = sum(n.people * n.minutes for n in result.asked.needs) / 60
    return {
        **asked(scenario, result.policy, applied),
        "seed": result.seed,
        "seconds": round(seconds, 3),
        "people": len(problem.people),
        "shifts": len(named.work),
        "paid_hours": sum(problem.paid_min(named)) / 60,
        "certificate": {
            "status": result.outcome.status,
            "objective": plain(result.outcome.objective),
            "bound": plain(result.outcome.bound),
            "gap": plain(result.outcome.gap),
            "gap_in_hours_short": plain((result.outcome.objective - result.outcome.bound) / hour_short(problem)),
            "seconds": round(result.outcome.seconds, 3),
            "parts": parts_of(result.audit),
        },
        "rounds": [vars(one) for one in result.rounds],
        "asked_hours": asked_h,
        "short_hours": short_hours(result.asked, result.against),
        "shortfalls": shortfalls(scenario, result.asked, result.against),
        "reliefs": None if reliefs is None else relief_document(scenario, reliefs),
        "rules": rule_rows(result.audit, problem),
        "spread": spread_of(problem, result.audit, result),
        "exposure": exposure_document(scenario, problem, result.outcome.roster, result.exposed),
        "targets": [outcome_row(scenario, one) for one in found],
        "binding": {
            "sentence": binding_sentence(scenario, scenario.policies[result.policy].title or result.policy, ranked),
            "worst": [outcome_row(scenario, one) for one in ranked],
        },
        "proof": {"replications": result.proof.replications, "measures": plain(used_only(result.proof.measures, scenario))},
        "week": week_of(scenario, result.requirement, result.roster, result.proof.totals),
        "cover": cover_rows(scenario, result.asked, result.against),
        "horizon": {"start": scenario.horizon.start.isoformat(), "days": scenario.horizon.days},
        "time_zone": scenario.time_zone,
        "persons": person_rows(result),
        "work": work_rows(result),
    }  # fmt: skip


def parts_of(found: Audit) -> Json:
    """What the objective is made of, in points."""
    return {
        "short": found.under, "over": found.over, "requests": found.requests, "dislikes": found.disliked,
        "rules": found.broken,
    }  # fmt: skip


# --- what is short ---------------------------------------------------------------------------------------------------


def skill_words(scenario: Scenario, skills: frozenset[str]) -> str:
    """Whom a need asks for, in words: types, a group's people, or the second tier."""
    if not skills or skills >= set(scenario.types):
        return "anybody"
    types = [name for name in scenario.types if name in skills]
    groups = [group for name in sorted(skills) if (group := group_of_token(name)) is not None]
    if types or groups:
        return _all_of(scenario, [*types, *groups])
    tiers = [name for name in scenario.types if any(type_of_tier(skill) == name for skill in skills)]
    return (
        "second tier" if len(tiers) == len(scenario.types) else f"second tier of {_all_of(scenario, tiers)}"
    )


def _all_of(scenario: Scenario, names: Sequence[str]) -> str:
    return " or ".join(title_of(scenario, name) for name in names)


def shortfalls(scenario: Scenario, problem: RosterProblem, found: Audit) -> list[Json]:
    """Stretches of quarter-hours of a day in which one need is short, largest first; `people` is the most missing at once."""
    rows: list[Json] = []
    last: dict[frozenset[str], Json] = {}
    in_order = sorted(found.met, key=lambda m: (problem.needs[m.need].day, problem.needs[m.need].start_min))
    for met in in_order:
        need = problem.needs[met.need]
        if not met.short:
            continue
        row = last.get(need.skills)
        if row is None or row["day"] != need.day + 1 or row["until_min"] != need.start_min:
            row = {
                "day": need.day + 1, "from_min": need.start_min, "until_min": need.start_min, "people": 0, "hours": 0.0,
                "skills": sorted(need.skills), "skill": skill_words(scenario, need.skills),
            }  # fmt: skip
            last[need.skills] = row
            rows.append(row)
        row["until_min"] = need.start_min + need.minutes
        row["people"] = max(row["people"], met.short)
        row["hours"] += met.short * need.minutes / 60
    for row in rows:
        row["date"] = (scenario.horizon.start + timedelta(row["day"] - 1)).isoformat()
        row["weekday"] = WEEKDAYS[(scenario.horizon.start.weekday() + row["day"] - 1) % 7]
        row["time"] = f"{clock(row['from_min'])} to {clock(row['until_min'])}"
    return sorted(rows, key=lambda row: -row["hours"])


def cover_rows(scenario: Scenario, problem: RosterProblem, found: Audit) -> list[Json]:
    """By whom is asked for: people asked, short and over in every quarter of the horizon."""
    step = min((n.minutes for n in problem.needs if n.kind is None), default=15)
    size = problem.days * DAY_MIN // step
    rows: dict[frozenset[str], Json] = {}

    def at(need: Need) -> int:
        return (need.day * DAY_MIN + need.start_min) // step % size

    for met in found.met:
        need = problem.needs[met.need]
        if need.kind is not None:
            continue
        row = rows.setdefault(
            need.skills,
            {
                "skills": sorted(need.skills), "skill": skill_words(scenario, need.skills), "minutes": step,
                "asked": [0] * size, "short": [0] * size, "over": [0] * size,
            },
        )  # fmt: skip
        row["asked"][at(need)] += need.people
        row["short"][at(need)] += met.short
        row["over"][at(need)] += met.over
    return list(rows.values())


# --- what would relieve it --------------------------------------------------------------------------------------------


def relief_document(scenario: Scenario, found: Reliefs) -> Json:
    """What was tried, the cheapest for an hour saved first; what saves nothing clear last."""
    return {
        "short_hours_without": found.short_hours,
        "binding": [one.relief.what[0] for one in found.binding],
        "tried": [
            {
                "kind": one.relief.kind, "what": relief_words(scenario, one), "clear": one.clear, "eases": one.eases,
                "short_hours": one.short_hours, "saved_hours": one.saved_hours, "saved_points": one.saved_points,
                "cost_per_week": one.per_week, "cost_once": one.relief.one_off, "extra_paid_hours": one.extra_hours,
                "hard_rules_broken": one.hard,
            }
            for one in found.found
        ],
    }  # fmt: skip


def relief_words(scenario: Scenario, one: Relieved) -> str:
    """A relief in words."""
    kind, what, n = one.relief.kind, one.relief.what, one.relief.amount
    if kind == "overtime":
        return f"one shift more for up to {counted_people(n)} of {title_of(scenario, what[0])}"
    if kind == "start":
        used = sorted(one.used, key=lambda row: -row[2])[:3]
        starts = ", ".join(f"{clock(start)} ({times(n)})" for _, start, n in used)
        return f"{what[0]} shifts at starts that there are not yet" + (
            f", most used: {starts}" if used else ""
        )
    if kind == "training":
        return f"{counted_people(n)} of {title_of(scenario, what[0])} also trained for {title_of(scenario, what[1])}"
    if kind == "deferral":
        return f"{n:,.0f} hours of work put off, by call-backs and the like, to when people are free"
    if kind == "person":
        return f"one person more in {title_of(scenario, what[0])}"
    return f"{BY_NAME[what[0]].TITLE.lower()}: {what[1]}"


def counted_people(n: float) -> str:
    """So many people."""
    return "1 person" if n == 1 else f"{n:,.0f} people"


# --- rules and fairness ----------------------------------------------------------------------------------------------


def rule_rows(found: Audit, problem: RosterProblem) -> list[Json]:
    """Every rule: whether it limits anybody, hard or its price, how often and by how much it is broken; nobody is named with emotional work."""
    broken = Counter(b.rule for b in (*found.hard, *found.soft))
    by: Counter[str] = Counter()
    for b in (*found.hard, *found.soft):
        by[b.rule] += b.by
    return [
        {
            "rule": rule.NAME, "title": rule.TITLE, "applies": applies(rule, problem), "price": problem.prices.get(rule.NAME),
            "broken": broken[rule.NAME], "by": by[rule.NAME], "unit": rule.UNIT,
            "texts": [
                b.text for b in (*found.hard, *found.soft) if b.rule == rule.NAME and rule.NAME not in EMOTIONAL
            ][:MOST_LINES],
        }
        for rule in RULES
    ]  # fmt: skip


def price_words(row: Json) -> str:
    """That a rule must hold, or what each unit of breaking it costs."""
    return "must hold" if row["price"] is None else f"{row['price']:,} a {BY_NAME[row['rule']].UNIT}"


def by_words(row: Json) -> str:
    """By how much a rule is broken in all, with its unit."""
    return counted(row["by"], BY_NAME[row["rule"]].UNIT) if row["by"] else ""


def spread_of(problem: RosterProblem, found: Audit, result: Staffed) -> Json:
    """How nights, weekends, shifts and refused requests are shared among people: pooled numbers, no names."""
    ends = weekends(problem)
    days: list[set[int]] = [set() for _ in problem.people]
    nights = [0] * len(problem.people)
    for work in result.outcome.roster.work:
        duty = problem.duties[work.duty]
        days[work.person].add(work.day)
        nights[work.person] += is_night(duty)
    refused = Counter(person for person, _ in found.refused)
    wished = [k for k, person in enumerate(problem.people) if person.requests]
    return {
        "shifts": pooled([len(one) for one in days]),
        "paid_hours": pooled([minutes / 60 for minutes in problem.paid_min(result.outcome.roster)]),
        "nights": pooled(nights),
        "weekends": pooled([sum(bool(one & set(end)) for end in ends) for one in days]),
        "requests_refused": pooled([refused[k] for k in wished]),
        "requests": sum(len(person.requests) for person in problem.people),
    }


def pooled(values: Sequence[float]) -> Json:
    """Least, median and most, and how many people have each value."""
    if not values:
        return {"people": 0}
    counts = Counter(round(value, 2) for value in values)
    return {
        "people": len(values), "least": min(values), "median": median(values), "most": max(values),
        "counts": [[value, counts[value]] for value in sorted(counts)],
    }  # fmt: skip


def exposure_document(scenario: Scenario, problem: RosterProblem, named: NamedRoster, lived: Exposed) -> Json:
    """Emotional minutes a day, a week and in the longest stretch: as simulated, pooled over people, and as planned."""
    limits = scenario.labour_rules.exposure
    planned_day, planned_week, planned_longest = planned_exposure(problem, named)
    rows = (
        ("day", lived.by_day_min, planned_day, limits.day_min),
        ("week", lived.by_week_min, planned_week, limits.week_min),
        ("longest_stretch", lived.longest_min, planned_longest, limits.stretch_min),
    )
    return {
        name: {
            "limit_min": limit,
            "simulated": _quantiles(minutes),
            "planned": _quantiles(np.array(sorted(planned))),
            "share_above_limit": None
            if limit is None or not len(minutes)
            else float((minutes > limit).mean()),
        }
        for name, minutes, planned, limit in rows
    }


def planned_exposure(
    problem: RosterProblem, named: NamedRoster
) -> tuple[list[float], list[float], list[float]]:
    """Emotional minutes that are expected: of each person-day, of each person-week, and of each person-day's longest stretch."""
    by_day, longest = [], []
    by_week: Counter[tuple[int, int]] = Counter()
    for work in named.work:
        found = [exposure(problem, post, start, end) for start, end, post in stretches(problem, work)]
        by_day.append(sum(found) / 1000)
        longest.append(max(found, default=0) / 1000)
        by_week[work.person, work.day // WEEK_DAYS] += sum(found)
    return by_day, [thousandths / 1000 for thousandths in by_week.values()], longest


QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def _quantiles(minutes: Floats) -> Json:
    """Mean, quantiles and most of a sample, and how many lie in each of up to twenty parts of the way to the most."""
    if not len(minutes):
        return {"n": 0}
    counts, edges = np.histogram(
        minutes, bins=min(20, max(1, len(minutes))), range=(0.0, max(float(minutes.max()), 1e-9))
    )
    return {
        "n": len(minutes), "mean": float(minutes.mean()), "most": float(minutes.max()),
        "quantiles": {f"{q:g}": float(np.quantile(minutes, q)) for q in QUANTILES},
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
    }  # fmt: skip


def work_rows(result: Staffed) -> list[Json]:
    """Every shift given, with its pauses, and its queues where they rotate; minutes after the midnight of its day."""
    start, posts = result.scenario.horizon.start, result.problem.posts
    rows = []
    for work in result.outcome.roster.work:
        duty, midnight = result.problem.duties[work.duty], work.day * DAY_MIN
        rows.append({
            "person": result.problem.people[work.person].id, "group": result.people[work.person].group,
            "day": work.day + 1, "date": (start + timedelta(work.day)).isoformat(), "shift": duty.kind,
            "start_min": duty.start_min, "end_min": duty.end_min, "paid_min": duty.paid_min,
            "pauses": [
                {"name": p.name, "kind": p.kind, "paid": p.paid, "start_min": at, "end_min": at + p.minutes}
                for p, at in zip(duty.pauses, work.pauses, strict=True)
            ],
            "posts": [posts[post].name for post in work.posts],
            "queues": [
                {"name": posts[post].name, "start_min": first - midnight, "end_min": last - midnight}
                for first, last, post in (stretches(result.problem, work) if work.posts else ())
                if post is not None and first < last
            ],
        })  # fmt: skip
    return rows


def person_rows(result: Staffed) -> list[Json]:
    """Everybody in force: what calendars and files need to know."""
    return [
        {
            "id": one.id, "group": one.group, "site": one.site, "time_zone": one.time_zone,
            "leave_days": [day + 1 for day in one.leave],
        }
        for one in result.people
    ]  # fmt: skip


# --- in print --------------------------------------------------------------------------------------------------------


def sentences(document: Json) -> list[str]:
    """What a planner has to know first."""
    return [_kept(document), _held(document), _short(document), _certificate(document)]


def _kept(document: Json) -> str:
    hard = [row for row in document["rules"] if row["price"] is None and row["broken"]]
    soft = [
        row
        for row in document["rules"]
        if row["price"] is not None
        and row["broken"]
        and row["rule"] not in TOLD
        and not row["rule"].startswith("fair_")
    ]
    who = f"{document['people']:,} people work {document['shifts']:,} shifts, {document['paid_hours']:,.0f} paid hours without leave"
    if hard:
        told = ", ".join(f"{row['title'].lower()} ({row['broken']})" for row in hard)
        return f"{who}. This roster cannot be worked as it is; rules broken: {told}."
    bent = "; ".join(f"{row['title'].lower()}, {times(row['broken'])}" for row in soft)
    return f"{who}; every rule that must hold is kept" + (
        f". Not kept, at its price: {bent}." if bent else "."
    )


def times(n: int) -> str:
    """So often."""
    return "once" if n == 1 else f"{n:,} times"


def _held(document: Json) -> str:
    targets = document["targets"]
    missed = [t for t in targets if not t["met"]]
    n = counted(document["proof"]["replications"], "replication")
    told = f"Simulated as it stands ({n}, absence and lateness drawn): {held_words(targets)}."
    if not missed:
        return told
    worst = max(missed, key=lambda t: t["used"])
    mean, low, high, aim = worst["said"]
    return (
        f"{told} The worst: {worst['what'].split(': ')[0]}, {worst['when']}: {mean} (95 % interval {low} to {high}), "
        f"{worst['side']} {aim} asked."
    )


def _short(document: Json) -> str:
    if not document["shortfalls"]:
        return "Nobody is missing in any quarter-hour of what the targets ask for."
    share = percent(round(document["short_hours"] / max(document["asked_hours"], 1e-9), 3))
    return (
        f"Of {document['asked_hours']:,.0f} hours on the queue that the targets ask for (with a margin for absence), "
        f"{document['short_hours']:,.0f} ({share}) are short, in {len(document['shortfalls']):,} {'stretch' if len(document['shortfalls']) == 1 else 'stretches'} of time."
    )


def _certificate(document: Json) -> str:
    c = document["certificate"]
    if c["status"] == "none":
        return f"Found in {c['seconds']:.0f} s, seed {document['seed']}."
    said = {"optimal": "proven to be the best", "feasible": "feasible"}[c["status"]]
    return (
        f"Status: {said}; cost {c['objective']:,.0f} points ({_parts(c['parts'])}). No roster of these people that keeps what must hold "
        f"costs less than {c['bound']:,.0f}: another could save at most what {c['gap_in_hours_short']:,.0f} hours short come to (gap "
        f"{percent(round(c['gap'], 3))}). Found in {c['seconds']:.0f} s, seed {document['seed']}."
    )


PARTS = {
    "short": "people short", "over": "people over", "requests": "requests refused", "dislikes": "starts outside hours preferred",
    "rules": "rules at their price",
}  # fmt: skip


def _parts(parts: Json) -> str:
    """What the cost is made of; they add up to it."""
    return ", ".join(f"{PARTS[name]} {points:,}" for name, points in parts.items() if points) or "nothing"


def print_roster(out: Console, document: Json) -> None:
    """Sentences, then the numbers."""
    print_asked(out, document)
    for sentence in sentences(document):
        out.print(escape(sentence), highlight=False)
    _print_short(out, document)
    _print_reliefs(out, document)
    print_targets(out, document["targets"])
    _print_rules(out, document)
    _print_spread(out, document)
    _print_exposure(out, document)


def _print_short(out: Console, document: Json) -> None:
    rows = document["shortfalls"]
    if not rows:
        return
    table = Table(title="Short, the largest first", title_justify="left")
    for name in ("Day", "Time", "Skill"):
        table.add_column(name, overflow="fold")
    for name in ("People missing, at most", "Hours"):
        table.add_column(name, justify="right")
    for row in rows[:MOST_LINES]:
        table.add_row(
            f"{row['weekday'][:3]} {row['date']}", row["time"], escape(row["skill"]), f"{row['people']}", f"{row['hours']:.1f}"
        )  # fmt: skip
    out.print(table)
    if len(rows) > MOST_LINES:
        rest = sum(row["hours"] for row in rows[MOST_LINES:])
        out.print(
            f"  and {len(rows) - MOST_LINES:,} smaller ones, {rest:,.1f} hours (--json has all)",
            highlight=False,
        )


def relief_sentence(document: Json) -> str:
    """What relieves most, and which rules bind."""
    found = document["reliefs"]
    if not found or not found["tried"]:
        return ""
    clear = [row for row in found["tried"] if row["clear"]]
    if not clear:
        return f"None of {len(found['tried'])} reliefs that were tried saves a clear hour."
    best = max(clear, key=lambda row: row["saved_hours"])
    rules = ", ".join(BY_NAME[name].TITLE.lower() for name in found["binding"])
    binding = (
        f" Rules that bind, for looser they would relieve it: {rules}." if rules else " No single rule binds."
    )
    return (
        f"Reliefs were tried one at a time, each against {found['short_hours_without']:,.0f} hours short, which is where searching on for "
        f"cover alone, without any relief, ends. What saves most: {best['what']} (saves {best['saved_hours']:,.0f} hours).{binding}"
    )


def eased_sentence(document: Json) -> str:
    """Reliefs that save no clear hour, but put people where more are missing at once."""
    eased = [row for row in document["reliefs"]["tried"] if row["eases"] and not row["clear"]]
    told = "; ".join(f"{row['what']} ({row['saved_points']:,} points)" for row in eased)
    return f"Saves no clear hour, but has fewer people missing at once: {told}." if eased else ""


def hour_price(row: Json) -> float:
    """What an hour saved costs, what is paid once spread over a year; 0 where it costs nothing or less."""
    return float(max(0.0, row["cost_per_week"] + row["cost_once"] / WEEKS_A_YEAR) / row["saved_hours"])


def _print_reliefs(out: Console, document: Json) -> None:
    sentence = relief_sentence(document)
    if not sentence:
        return
    out.print(escape(sentence), highlight=False)
    clear = [row for row in document["reliefs"]["tried"] if row["clear"]]
    eased = eased_sentence(document)
    if not clear:
        if eased:
            out.print(f"  {escape(eased)}", highlight=False)
        return
    money = document["currency"]
    table = Table(
        title="Reliefs, one at a time; what costs nothing first, then the cheapest for an hour",
        title_justify="left",
    )
    table.add_column("Relief", overflow="fold", min_width=34)
    once = any(row["cost_once"] for row in clear)
    names = ("Hours short saved", "Paid hours more", f"{money} a week", *([f"{money} once"] if once else []), f"{money} for an hour saved")  # fmt: skip
    for name in names:
        table.add_column(name, justify="right")
    for row in clear:
        table.add_row(
            escape(row["what"]), f"{row['saved_hours']:.1f}", f"{row['extra_paid_hours']:+z,.0f}", f"{row['cost_per_week']:+z,.0f}",
            *([f"{row['cost_once']:,.0f}" if row["cost_once"] else ""] if once else []), f"{hour_price(row):,.0f}",
        )  # fmt: skip
    out.print(table)
    if once:
        out.print("  For an hour saved, what is paid once is spread over a year.", highlight=False)
    if eased:
        out.print(f"  {escape(eased)}", highlight=False)
    others = [row["what"] for row in document["reliefs"]["tried"] if not row["clear"] and not row["eases"]]
    if others:
        out.print(f"  Tried without a clear effect: {escape('; '.join(others))}.", highlight=False)


def _print_rules(out: Console, document: Json) -> None:
    table = Table(title="Rules, as the validator finds them", title_justify="left")
    table.add_column("Rule")
    for name in ("Must hold, or its price in points", "Times broken", "By, in all"):
        table.add_column(name, justify="right")
    for row in document["rules"]:
        if row["applies"] or row["broken"]:
            table.add_row(row["title"], price_words(row), f"{row['broken']:,}", by_words(row))
    out.print(table)
    if sentence := unlimited_sentence(document):
        out.print(f"  {sentence}", highlight=False)
    for row in document["rules"]:
        if row["price"] is None:
            for text in row["texts"][:3]:
                out.print(f"  broken: {escape(text)}", highlight=False)


def unlimited_sentence(document: Json) -> str:
    """Which rules limit nobody here."""
    idle = [row["title"].lower() for row in document["rules"] if not row["applies"] and not row["broken"]]
    return f"No limit is set, or nobody is concerned: {', '.join(idle)}." if idle else ""


EXPOSED = {
    "day": "Minutes a day",
    "week": "Minutes a week",
    "longest_stretch": "Minutes in the day's longest stretch without a break",
}


def _print_exposure(out: Console, document: Json) -> None:
    rows = document["exposure"]
    if not rows["day"]["simulated"]["n"] or not rows["day"]["simulated"]["most"]:
        return
    table = Table(title="Emotional work, as simulated, over people", title_justify="left")
    table.add_column("Each has", min_width=30)
    for name in (
        "Median",
        "95 of 100 have less than",
        "Most",
        "Planned, most",
        "Limit for the plan",
        "Simulated above it",
    ):
        table.add_column(name, justify="right")
    for name, title in EXPOSED.items():
        row = rows[name]
        lived, planned = row["simulated"], row["planned"]
        if not lived["n"]:
            continue
        above = row["share_above_limit"]
        table.add_row(
            title, *(f"{lived['quantiles'][q]:,.0f}" for q in ("0.5", "0.95")), f"{lived['most']:,.0f}",
            f"{planned['most']:,.0f}" if planned["n"] else "", "" if row["limit_min"] is None else f"{row['limit_min']:,}",
            "" if above is None else percent(round(above, 3)),
        )  # fmt: skip
    out.print(table)
    out.print(
        "  Minutes spent with customers whose need counts as intense (intense_above in the evidence table). The plan limits what is "
        "expected; what a day brings is chance.",
        highlight=False,
    )


SPREAD = {
    "shifts": "Shifts",
    "paid_hours": "Paid hours",
    "nights": "Nights",
    "weekends": "Weekends with work",
    "requests_refused": "Requests refused, of those who made any",
}


def _print_spread(out: Console, document: Json) -> None:
    table = Table(title="How it is shared, over people", title_justify="left")
    table.add_column("Each has")
    for name in ("Least", "Median", "Most"):
        table.add_column(name, justify="right")
    for name, title in SPREAD.items():
        row = document["spread"].get(name)
        if row and row["people"] and (name != "requests_refused" or document["spread"]["requests"]):
            table.add_row(title, *(f"{row[key]:g}" for key in ("least", "median", "most")))
    out.print(table)
