"""Roster: people by name, their cover and gaps, emotional work, what would relieve it, and the rest planned anew around what is locked."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import streamlit as st

from app_pages import roster_charts as charts
from app_pages import show, state
from planner import roster_files, roster_in_use, roster_report
from planner.rostering.wishes import CHANGE_PRICE, Wishes

Json = dict[str, Any]
PEOPLE_AT_A_TIME = 60
ALL_GROUPS = "All groups"
MOST_ROWS = 12

loaded = st.session_state.get("asked_loaded")
if loaded is None:
    st.info("Choose a scenario on the left.", icon=":material/tune:")
    st.stop()
scenario = loaded.value
title = show.safe(scenario.title or scenario.name)
waits = state.waiting("rosters")


# --- asking ---------------------------------------------------------------------------------------------------------


def how(key: str) -> tuple[bool, bool]:
    """How long to search, and whether to try reliefs."""
    left, right = st.columns(2)
    search = left.selectbox(
        "Search", ["Quick", "Full"], key=f"{key}-search", persist_state="session",
        help="Quick: sooner, with a little more short. Full: as long as `unhurried roster` searches, some minutes for a large centre.",
    )  # fmt: skip
    tried = right.selectbox(
        "Reliefs", ["Not tried", "Tried and priced"], key=f"{key}-reliefs", persist_state="session",
        help="Where people are short: overtime, other starts, training, looser rules and more, each tried by making the roster anew. Takes about as"
        " long again.",
    )  # fmt: skip
    return search == "Quick", tried != "Not tried"


def ask(*, border: bool) -> None:
    """Whom to roster for, and the button that makes the roster."""
    if st.session_state.get("roster-policy", "as_is") not in scenario.policies:
        st.session_state.pop("roster-policy")  # another scenario's
    with st.form("roster-new", border=border):
        policy = st.selectbox(
            "Policy", list(scenario.policies), key="roster-policy", persist_state="session",
            format_func=lambda name: scenario.policies[name].title or name,
            help="Whose targets and shifts the roster is for.",
        )  # fmt: skip
        quick, tried = how("new")
        pressed = st.form_submit_button(
            "Make the roster", type="primary", icon=":material/groups:", disabled=waits
        )
    if pressed:
        state.roster(loaded, policy, Wishes(quick=quick, reliefs=tried))
        st.rerun()


def ask_again(document: Json, path: Path, policy: str) -> None:
    """What stays of the roster shown, what a change costs, and the button that plans the rest anew."""
    ids = list(dict.fromkeys(one["id"] for one in document["persons"]))
    dates = roster_files.dates_of(document)
    with st.form("roster-again", border=False):
        left, right = st.columns(2)
        people = left.multiselect(
            "Lock people", ids, key="lock-people", persist_state="session", help="All their days stay as they are, days off too.",
        )  # fmt: skip
        days = right.multiselect(
            "Lock days", dates, key="lock-days", persist_state="session", format_func=charts.day_words,
            help="Everybody's shifts of these days stay as they are.",
        )  # fmt: skip
        price = left.number_input(
            "Price of a change, points", 0, 100_000, CHANGE_PRICE, 20, key="change-price", persist_state="session",
            help="For each shift of somebody that is given, taken or moved. Somebody short on the queue for a quarter of an hour costs 20 points.",
        )  # fmt: skip
        overtime = right.number_input(
            "Overtime, hours a week for each at most", 0.0, 40.0, 0.0, 1.0, key="overtime", persist_state="session",
            help="Paid hours beyond the contract that each person may be given, at the scenario's premium.",
        )  # fmt: skip
        quick, tried = how("again")
        pressed = st.form_submit_button(
            "Re-plan the rest", type="primary", icon=":material/lock_reset:", disabled=waits
        )
    if pressed:
        state.roster(
            loaded, policy, Wishes(
                quick=quick, reliefs=tried, published=state.published(path, document), change_price=int(price),
                locks=(*people, *days), overtime_hours=float(overtime),
            ),
        )  # fmt: skip
        st.rerun()


def named(path: Path) -> str:
    """A roster among others: for whose targets, how it was searched, and when."""
    head = kept[path]["options"]
    policy = scenario.policies.get(head["policy"])
    again = ", re-planned" if head["published"] else ""
    made = str(kept[path]["made"])[:19].replace("T", " ")
    return f"{(policy and policy.title) or head['policy']}, {'quick' if head['quick'] else 'full'} search{again}, made {made} UTC"


kept = state.rosters(scenario)
chosen: Path | None = None
if kept:
    chosen = next(iter(kept))
    if len(kept) > 1:
        chosen = st.selectbox("Roster", list(kept), key="roster", format_func=named, width=640)
else:
    chosen = state.last_roster(scenario)
record = None if chosen is None else state.record_at(chosen)
if chosen is None or record is None:
    st.markdown(
        f"**The people of {title} are being rostered: the roster opens here when it is ready.**" if waits else
        f"**The people of {title} have not been rostered with these settings yet.** It takes some minutes the first time, then it is kept;"
        " `unhurried roster` makes the same ones."
    )  # fmt: skip
    ask(border=True)
    st.stop()
st.session_state.last_roster = chosen
document: Json = record["document"]
policy = record["options"]["policy"]
if not kept:
    st.warning(
        "What you see is the roster last looked at: it belongs to other settings than those on the left. Re-plan the rest, and it is changed as"
        " little as possible for these; or make one anew.",
        title="Not this question's roster", icon=":material/update:",
    )  # fmt: skip

changed = "; ".join(f"{row[0]} = {row[1]}" for row in document["applied"])
made = str(record["made"])[:16].replace("T", " ")
st.caption(
    show.safe(f"{document['title'] or document['scenario']}, {document['policy_title']}, {f'with {changed}' if changed else 'as the file has it'}")
    + f", {'quick' if record['options']['quick'] else 'full'} search, {document['proof']['replications']} replications, seed {document['seed']}, made {made} UTC."
)  # fmt: skip

# --- in sentences ---------------------------------------------------------------------------------------------------

first, *others = [
    text for text in [*roster_report.sentences(document), roster_report.relief_sentence(document)] if text
]
st.markdown(f"**{show.safe(first)}**")
for text in others:
    st.markdown(show.safe(text))
in_use = document["published"]
if in_use is not None or document["overtime"] is not None:
    st.subheader("What changed")
    for text in roster_in_use.sentences(document):
        st.markdown(show.safe(text))
if in_use is not None and not in_use["kept"]:
    show.table(
        [
            {"": name, "Before": before, "Now": after}
            for name, before, after in roster_in_use.side_by_side(document)
        ],
        "The roster before and now, both simulated",
    )  # fmt: skip
    if in_use["changes"]:
        show.table(
            [
                {
                    "Person": row["id"],
                    "Day": charts.day_words(row["date"]),
                    "Before": row["before"],
                    "Now": row["after"],
                }
                for row in in_use["changes"]
            ],
            "Shifts that changed",
            height=320 if len(in_use["changes"]) > MOST_ROWS else None,
        )
with st.expander("Lock parts and re-plan the rest", icon=":material/lock_reset:", expanded=not kept):
    st.caption(
        "Starts from the roster shown. What is locked stays; all else may change, each change at its price. Move what has happened on the left"
        " (volume, people) first, if anything has."
    )
    ask_again(document, chosen, policy)
with st.expander("Make another roster", icon=":material/groups:"):
    ask(border=False)


def calendars() -> bytes:
    """Everybody's calendar in one archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in roster_files.calendars(document).items():
            archive.writestr(name, data)
    return out.getvalue()


with st.container(horizontal=True):
    stem = f"roster-{document['scenario']}"
    for label, name, data, mime in (
        ("CSV, a row a shift", f"{stem}.csv", lambda: roster_files.long_csv(document), "text/csv"),
        ("CSV, a row a person", f"{stem}-wide.csv", lambda: roster_files.wide_csv(document), "text/csv"),
        ("Workbook (XLSX)", f"{stem}.xlsx", lambda: roster_files.workbook(document), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("Calendars (ICS)", f"{stem}-calendars.zip", calendars, "application/zip"),
    ):  # fmt: skip
        st.download_button(
            label, data, name, mime, on_click="ignore", icon=":material/download:", key=f"download-{name}"
        )

if document["targets"]:
    st.subheader("Targets, from the simulated roster")
    st.markdown(show.safe(document["binding"]["sentence"]))
    show.targets(document["targets"], document["proof"]["replications"])

# --- cover ----------------------------------------------------------------------------------------------------------

dates = roster_files.dates_of(document)
st.subheader("Cover and gaps")
cover = document["cover"]
asked_of = [row["skill"] for row in cover]
rows, who = cover, charts.TOGETHER
if len(cover) > 1:
    number = st.selectbox(
        "Asked for", [None, *range(len(cover))], key=f"asked-of-{len(cover)}", width=560,
        format_func=lambda k: charts.TOGETHER if k is None else asked_of[k][:1].upper() + asked_of[k][1:],
        help="Who counts for what is asked of these skills; who could count for several counts for one.",
    )  # fmt: skip
    if number is not None:
        rows, who = [cover[number]], asked_of[number]
if any(any(row["asked"]) or any(row["over"]) for row in rows):
    chart, text = charts.cover_map(rows, dates, who)
    show.draw(chart, text, key="cover")
    told = text.split(": ", 1)[1]
    st.caption(
        f"{show.safe(told[:1].upper() + told[1:])}. People as planned, before absence; what the targets ask for has absence in it."
    )

# --- people ---------------------------------------------------------------------------------------------------------

st.subheader("Who does what when")
groups = list(dict.fromkeys(one["group"] for one in document["persons"]))
titles = {g: (scenario.groups[g].title or g) if g in scenario.groups else g for g in groups}
with st.container(horizontal=True, vertical_alignment="bottom"):
    day = st.selectbox(
        "Day", range(1, len(dates) + 1), key=f"roster-day-{len(dates)}", format_func=lambda d: charts.day_words(dates[d - 1]), width=180,
    )  # fmt: skip
    group = ALL_GROUPS
    if len(groups) > 1:
        options = [ALL_GROUPS, *groups]
        group = st.selectbox(
            "Group", options, key="roster-group", format_func=lambda g: titles.get(g, g), width=280
        )
    bars = charts.on_day(document["work"], day, None if group == ALL_GROUPS else group)
    begin = 0
    if len(bars) > PEOPLE_AT_A_TIME:
        begin = st.selectbox(
            "People", range(0, len(bars), PEOPLE_AT_A_TIME), key=f"roster-page-{len(bars)}", width=180,
            format_func=lambda k: f"{k + 1} to {min(k + PEOPLE_AT_A_TIME, len(bars))} of {len(bars)}",
        )  # fmt: skip
shown = dict(list(bars.items())[begin : begin + PEOPLE_AT_A_TIME])
members = [one for one in document["persons"] if group in (ALL_GROUPS, one["group"])]
away = sum(day in one["leave_days"] for one in members)
if shown:
    chart, text = charts.gantt(shown, charts.day_words(dates[day - 1]))
    show.draw(chart, text, key="gantt")
st.caption(
    f"{len(bars)} of {len(members)} people work on {charts.day_words(dates[day - 1])}, {away} are on leave. Those who start first are on top."
    " Times of breaks, decompression and queues are those of the plan."
)

# --- emotional work and fairness ------------------------------------------------------------------------------------

lived = {
    name: row
    for name, row in document["exposure"].items()
    if row["simulated"]["n"] and row["simulated"]["most"]
}
if lived:
    st.subheader("Emotional work, over people")
    for column, (name, row) in zip(st.columns(len(lived)), lived.items(), strict=True):
        with column:
            chart, text = charts.exposure(name, row)
            show.draw(chart, text, key=f"exposure-{name}")
    show.table(
        [
            {
                "Each has": roster_report.EXPOSED[name],
                "Median": f"{row['simulated']['quantiles']['0.5']:,.0f}",
                "95 of 100 have less than": f"{row['simulated']['quantiles']['0.95']:,.0f}",
                "Most": f"{row['simulated']['most']:,.0f}",
                "Planned, most": f"{row['planned']['most']:,.0f}" if row["planned"]["n"] else "-",
                "Limit for the plan": "-" if row["limit_min"] is None else f"{row['limit_min']:,}",
                "Simulated above it": "-"
                if row["share_above_limit"] is None
                else show.share(row["share_above_limit"]),
            }
            for name, row in lived.items()
        ],
        "Emotional work as simulated, pooled over people",
    )
    st.caption(
        "Minutes spent with customers whose need counts as intense, as simulated, pooled over all people: nobody is named. The plan limits what"
        " is expected; what a day brings is chance."
    )
st.subheader("How it is shared")
spread = {
    name: document["spread"][name]
    for name in roster_report.SPREAD
    if document["spread"].get(name, {}).get("people")
    and (name != "requests_refused" or document["spread"]["requests"])
}
varied = {name: row for name, row in spread.items() if row["most"]}
for column, (name, row) in zip(st.columns(max(1, len(varied))), varied.items(), strict=False):
    with column:
        chart, text = charts.spread(row, roster_report.SPREAD[name])
        show.draw(chart, text, key=f"spread-{name}")
show.table(
    [
        {
            "Each has": roster_report.SPREAD[name],
            **{key.capitalize(): f"{row[key]:g}" for key in ("least", "median", "most")},
        }
        for name, row in spread.items()
    ],
    "How shifts, hours, nights, weekends and refused requests are shared",
)

# --- shortfalls and reliefs -----------------------------------------------------------------------------------------

st.subheader("What is unmet")
short = document["shortfalls"]
if not short:
    st.markdown("Nothing: nobody is missing in any quarter-hour of what the targets ask for.")
else:
    chart, text = charts.unmet(short)
    show.draw(chart, text, key="unmet")
    show.table(
        [
            {
                "Day": charts.day_words(row["date"]), "Time": row["time"], "Who is missing": row["skill"][:1].upper() + row["skill"][1:],
                "People, at most": f"{row['people']}", "Hours": f"{row['hours']:.1f}",
            }
            for row in short
        ],
        "Stretches of time in which people are missing, the largest first", height=340 if len(short) > MOST_ROWS else None,
    )  # fmt: skip
tried = (document["reliefs"] or {}).get("tried", [])
saving = sorted(
    (row for row in tried if row["saved_hours"] > 0), key=lambda r: (not r["clear"], -r["saved_hours"])
)
if short:
    st.subheader("What would relieve it")
if short and not tried:
    st.markdown(
        "No relief has been tried for this roster: choose *Tried and priced* above, and make it anew."
    )
if saving:
    money = document["currency"]
    chart, text = charts.reliefs(saving, show.safe(money))
    show.draw(chart, text, key="reliefs")
    show.table(
        [
            {
                "Relief": row["what"][:1].upper() + row["what"][1:], "Hours short saved": f"{row['saved_hours']:.1f}", "Effect": "clear" if row["clear"] else "not clear",
                "Rules broken": f"{row['hard_rules_broken']}", "Paid hours more": f"{row['extra_paid_hours']:+z,.0f}",
                f"{money} a week": f"{row['cost_per_week']:+z,.0f}", f"{money} once": f"{row['cost_once']:,.0f}" if row["cost_once"] else "-",
                f"{money} for an hour saved": f"{roster_report.hour_price(row):,.0f}" if row["clear"] else "-",
            }
            for row in saving
        ],
        "Reliefs, each tried by making the roster anew, and what an hour saved costs",
    )  # fmt: skip
nothing = [row["what"] for row in tried if row["saved_hours"] <= 0]
if nothing:
    st.caption(f"Tried, and nothing saved: {show.safe('; '.join(nothing))}.")

# --- rules ----------------------------------------------------------------------------------------------------------

st.subheader("Rules, as the validator finds them")
binding = set((document["reliefs"] or {}).get("binding", []))
show.table(
    [
        {
            "Rule": row["title"], "Must hold, or its price in points": roster_report.price_words(row),
            "Times broken": f"{row['broken']:,}", "By, in all": roster_report.by_words(row) or "-", "Binds": "yes" if row["rule"] in binding else "-",
        }
        for row in sorted(document["rules"], key=lambda row: (not row["broken"], row["rule"] not in binding))
        if row["applies"] or row["broken"]
    ],
    "Rules: how often each is broken, and which bind", height=420,
)  # fmt: skip
st.caption(
    "A rule binds where loosening it by a notch saves hours short; told where reliefs were tried."
    if tried
    else "Which rules bind is told where reliefs were tried."
)
if idle := roster_report.unlimited_sentence(document):
    st.caption(show.safe(idle))
for row in document["rules"]:
    if row["price"] is None and row["broken"]:
        for text in row["texts"][:3]:
            st.markdown(f"- Broken: {show.safe(text)}")
