"""Week: requirement against schedule by interval, people by group, targets that hold or do not."""

from __future__ import annotations

import re
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app_pages import show, state
from planner import report
from planner.words import FTE_WORDS, to_do

TODAY = "today's roster"
ALL_TYPES = "All types"
WHOLE = "Whole week"

shown = state.shown_or_stop()
document = shown.document
names = show.titles(document)
scenario = shown.record["scenario"]
plans = document["plans"]
options = [p for p in names if p in plans] + [TODAY]
chosen = st.segmented_control(
    "Plan", options, default=options[0], required=True, key="plan", bind="query-params",
    format_func=lambda p: "Today's own roster" if p == TODAY else f"{names[p]}, planned at target",
)  # fmt: skip
chosen = chosen if chosen in options else options[0]
plan: dict[str, Any] | None = plans.get(chosen)
week = plan["week"] if plan else document["as_is_week"]

# --- a sentence -----------------------------------------------------------------------------------------------------

if plan is None:
    st.markdown(
        f"**This is the roster that today's {sum(g['headcount'] for g in scenario['groups'].values())} people work:"
        " no requirement stands behind it, its hours follow the observed work.**"
    )
else:
    fte, targets = plan["fte"], plan["targets"]
    st.markdown(
        f"**{show.safe(names[chosen])} needs {fte['paid']:.1f} FTE on the payroll, against {fte['fte_today']:.1f} today; when the roster"
        f" itself is simulated, absence and all, {report.held_words(targets)}.** On the queue that is {fte['bare']:.1f} FTE, rostered"
        f" {fte['rostered']:.1f}. Erlang C per queue with flat shrinkage would have said {fte['erlang_c_flat_shrinkage']:.1f} FTE."
    )
    notes = []
    if plan["gap"] is not None:
        notes.append(
            f"The schedule costs at most {100 * plan['gap']:.1f} % more than the cheapest that can exist."
        )
    at_target = next((f["policies"] for f in document["frames"] if f["frame"] == "at_target"), {})
    worked = at_target.get(chosen, {}).get("people", {}).get("mean")
    if worked is not None and abs(worked - fte["paid"]) >= 0.05:
        notes.append(
            f"Compare counts {worked:.1f} FTE from the hours paid in the simulation: minutes that people come late are"
            f" rostered but not paid. {fte['paid']:.1f} is what has to be employed for the roster."
        )
    if notes:
        st.caption(" ".join(notes))

# --- the week -------------------------------------------------------------------------------------------------------

step = week["interval_min"]
per_day = 1440 // step
labels = week["labels"]
days = len(labels) // per_day
day_names = [labels[d * per_day].split(" ")[0] + (f" {d + 1}" if days > 7 else "") for d in range(days)]
group_titles = {g: scenario["groups"][g].get("title") or g for g in week["groups"]}
type_titles = {t: scenario["types"][t].get("title") or t for t in week.get("types", [])}

with st.container(horizontal=True, vertical_alignment="bottom"):
    group = st.segmented_control(
        "Group", week["groups"], default=week["groups"][0], required=True, key="group", persist_state="session",
        format_func=lambda g: group_titles.get(g, g),
    )  # fmt: skip
    day = WHOLE
    if days > 1:
        day = st.segmented_control(
            "Day", [WHOLE, *day_names], default=WHOLE, required=True, key="day", persist_state="session"
        )
    kind = ALL_TYPES
    if len(type_titles) > 1:
        kind = st.selectbox(
            "Contacts of", [ALL_TYPES, *type_titles], key="kind", persist_state="session", width=280,
            format_func=lambda t: type_titles.get(t, t),
        )  # fmt: skip


def open_on(d: int) -> bool:
    """Whether anything happens on a day."""
    rows = [*week["in_shift"], *(week["required"] or []), *week.get("queued", [])]
    return any(row[k] > 0.01 for row in rows for k in range(d * per_day, (d + 1) * per_day))


g = week["groups"].index(group) if group in week["groups"] else 0
chosen_days = [d for d in range(days) if open_on(d)] or list(range(days))
if day in day_names:
    chosen_days = [day_names.index(day)]
chosen_types = list(type_titles) if kind not in type_titles else [kind]


def busy(i: int) -> bool:
    """Whether anything happens in an interval of the day, on any of the chosen days."""
    at = [d * per_day + i for d in chosen_days]
    rows = [*week["in_shift"], *(week["required"] or []), *week.get("queued", [])]
    return any(row[k] > 0.01 for row in rows for k in at)


open_at = [i for i in range(per_day) if busy(i)] or list(range(per_day))
first, last = open_at[0] - open_at[0] % max(1, 60 // step), open_at[-1] + 1
width = last - first


def series(values: list[float], name: str) -> list[dict[str, Any]]:
    """One line over the chosen days, closed hours left out; the last interval is drawn to its end."""
    rows = []
    for place, d in enumerate(chosen_days):
        for i in range(first, last):
            k = d * per_day + i
            x = (i - first + place * width) * step / 60
            rows.append({"line": name, "x": x, "when": labels[k], "value": values[k]})
    return [*rows, {**rows[-1], "x": len(chosen_days) * width * step / 60}]


def axis() -> alt.Axis:
    """Days or hours."""
    hours = width * step / 60
    if len(chosen_days) > 1:
        marks = [round(p * hours, 4) for p in range(len(chosen_days))]
        words = [day_names[d] for d in chosen_days]
        return alt.Axis(
            values=marks,
            labelExpr=f"{words}[round(datum.value / {hours})]",
            labelAlign="left",
            labelOffset=4,
            title=None,
            grid=True,
            tickSize=12,
        )
    start = first * step / 60
    return alt.Axis(
        labelExpr=f"format(floor(datum.value + {start}), '02d') + ':' + format(round(60 * ((datum.value + {start}) % 1)), '02d')",
        title=None,
        tickMinStep=1,
    )


def shape(chart: alt.Chart, colour: str, stroke: float, dash: list[int]) -> Any:
    """A stepped line, or a filled area."""
    if not stroke:
        return chart.mark_area(interpolate="step-after", color=colour, opacity=0.75)
    return chart.mark_line(interpolate="step-after", strokeWidth=stroke, strokeDash=dash)


def steps(rows: list[dict[str, Any]], styles: dict[str, tuple[str, float, list[int]]], title: str) -> Any:
    """Lines by interval, each held until the next; one of width 0 is a filled area."""
    frame = pd.DataFrame(rows)
    present = [name for name in styles if name in set(frame["line"])]
    scale = alt.Scale(domain=present, range=[styles[n][0] for n in present])
    span = [0, len(chosen_days) * width * step / 60]
    layers = [
        shape(alt.Chart(frame[frame["line"] == name]), *styles[name]).encode(
            x=alt.X("x:Q", axis=axis(), scale=alt.Scale(domain=span, nice=False)),
            y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=True)),
            color=alt.Color("line:N", scale=scale, legend=show.legend()),
            tooltip=[alt.Tooltip("when:N", title="Interval"), alt.Tooltip("line:N", title=" "), alt.Tooltip("value:Q", format=".1f", title=title)],
        )
        for name in present
    ]  # fmt: skip
    return alt.layer(*layers).properties(height=330)


st.subheader(f"People: {show.safe(group_titles[week['groups'][g]])}")
people = {
    "In shift, breaks and offline inside": ("#a3adac", 1.5, [4, 3]),
    "Scheduled on the queue": ("#8fbcb4", 0, []),
    "Required on the queue": ("#b8683a", 1.8, [1, 0]),
}
rows = [] if week["required"] is None else series(week["required"][g], "Required on the queue")
rows += series(week["on_queue"][g], "Scheduled on the queue") + series(
    week["in_shift"][g], "In shift, breaks and offline inside"
)
peak = max(rows, key=lambda r: r["value"])
words = f"People by interval in {group_titles[week['groups'][g]]}, {day}: {', '.join(dict.fromkeys(r['line'] for r in rows))}; most is {peak['value']:.0f} at {peak['when']}"
show.draw(steps(rows, people, "People present"), words, key="people")
st.caption(
    "Numbers are of people present: what absence takes on the day is already off. Closed hours are left out of the picture."
)

if "queued" in week:
    at = [week["types"].index(t) for t in chosen_types]
    sums = {
        n: [sum(week[n][t][k] for t in at) for k in range(len(labels))]
        for n in ("queued", "in_time", "abandoned")
    }
    lines = {"queued": "Offered to people", "in_time": "Answered in time", "abandoned": "Gave up waiting"}
    styles = {
        "Answered in time": ("#8fbcb4", 0, []),
        "Offered to people": ("#4d5a60", 1.6, [1, 0]),
        "Gave up waiting": ("#b8683a", 1.6, [1, 0]),
    }
    st.subheader(
        f"Contacts: {show.safe(type_titles.get(kind, kind).lower() if kind == ALL_TYPES else type_titles[kind])}"
    )
    rows = [r for n, title in lines.items() for r in series(sums[n], title)]
    inside = [d * per_day + i for d in chosen_days for i in range(per_day)]
    offered, in_time, gave_up = (sum(sums[n][k] for k in inside) for n in ("queued", "in_time", "abandoned"))
    told = f"{offered:,.0f} contacts offered, {in_time:,.0f} answered in time, {gave_up:,.0f} gave up"
    show.draw(
        steps(rows, styles, f"Contacts in {step} minutes"),
        f"Contacts by interval, {day}: {told}",
        key="contacts",
    )
    st.caption(
        f"{WHOLE if len(chosen_days) > 1 else show.safe(day)}: {told}, mean over the replications."
        if days > 1
        else f"{told}, mean over the replications."
    )

if "deferred" in week:
    at = [week["types"].index(t) for t in chosen_types]
    sums = {
        n: [sum(week[n][t][k] for t in at) for k in range(len(labels))]
        for n in ("deferred", "deferred_in_time")
    }
    inside = [d * per_day + i for d in chosen_days for i in range(per_day)]
    came, in_time = (sum(sums[n][k] for k in inside) for n in sums)
    if came:
        st.subheader("Messages and e-mail")
        rows = series(sums["deferred"], "Arrived") + series(
            sums["deferred_in_time"], "Of these, answered in time"
        )
        told = f"{came:,.0f} arrived, {in_time:,.0f} of them answered in time"
        show.draw(
            steps(
                rows,
                {"Of these, answered in time": ("#8fbcb4", 0, []), "Arrived": ("#4d5a60", 1.6, [1, 0])},
                f"Contacts in {step} minutes",
            ),
            f"Deferred contacts by interval of arrival, {day}: {told}",
            key="deferred",
        )
        st.caption(
            f"{told[0].upper()}{told[1:]}, mean over the replications: counted when they came, whenever they were answered."
            " They wait over closed hours and are answered by age when nobody waits on the line."
        )


def who(text: str) -> str:
    """Names of types and groups in a text, as people call them."""
    parts = re.split(r"(, | \()", text)
    titles = {**group_titles, **type_titles, ", ": "; "}
    named = [titles.get(part, part) for part in parts]
    if type_titles and all(t in parts for t in type_titles) and "second tier" in text:
        return "Everything, second tier"
    return "".join(named)


# --- tables ---------------------------------------------------------------------------------------------------------

if plan is not None:
    st.subheader("People by group, FTE")
    rows = [
        {
            "Group": f["title"], "On the queue": f"{f['bare']:.1f}", "Rostered": f"{f['rostered']:.1f}", "Paid, with leave": f"{f['paid']:.1f}",
            "Employed today": f"{f['fte_today']:.1f}", "To do, full contracts": to_do(changes), "People in the roster": f"{f['people']}",
        }
        for f, changes in [
            *((f, [f["heads_change"]]) for f in fte["by_group"]),
            ({**fte, "title": "Together"}, [f["heads_change"] for f in fte["by_group"]]),
        ]
    ]  # fmt: skip
    spreadsheet = f"Erlang C per queue, flat shrinkage {show.share(fte['flat_shrinkage'], 0)}"
    rows.append(
        {**dict.fromkeys(rows[0], ""), "Group": spreadsheet, "On the queue": f"{fte['erlang_c_on_queue']:.1f}",
         "Paid, with leave": f"{fte['erlang_c_flat_shrinkage']:.1f}"}
    )  # fmt: skip
    show.table(rows, "Full-time equivalents by group, beside Erlang C with flat shrinkage")
    st.caption(FTE_WORDS)
    if targets:
        st.subheader("Targets, from the simulated roster")
        st.markdown(show.safe(plan["binding"]["sentence"]))
        show.targets(targets, plan["proof"]["replications"])
    short = sorted((u for u in plan["unmet"] if u["short"] >= 0.05), key=lambda u: -u["short"])
    st.subheader("What the schedule cannot meet")
    large = [u for u in short if u["short"] >= 0.5]
    if large:
        st.markdown(
            f"The schedule is short by half a person or more in {len(large)} interval{'s' if len(large) > 1 else ''},"
            f" at most by {short[0]['short']:.1f} people."
        )
        rows = [
            {
                "Day": u["day"],
                "Time": u["time"],
                "Contacts": who(u["skill"]),
                "Short by, people": f"{u['short']:.1f}",
            }
            for u in large
        ]
        show.table(
            rows,
            "Intervals in which the schedule is short, the largest first",
            height=320 if len(rows) > 7 else None,
        )
    elif short:
        st.markdown(
            f"Nothing that counts: in {len(short)} interval{'s' if len(short) > 1 else ''} it is short by a fraction of"
            f" a person, at most by {short[0]['short']:.1f}."
        )
    else:
        st.markdown("Nothing: every interval has the people that it requires.")
    for line in plan["requirement"]["unreached"]:
        st.markdown(f"- Not reached by the requirement: {show.safe(line)}")
    for line in plan["violations"]:
        st.markdown(f"- A rule is broken: {show.safe(line)}")
