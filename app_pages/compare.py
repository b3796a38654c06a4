"""Compare: the verdict of a frame, policies side by side, what they cost, and where it comes from."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import streamlit as st

from app_pages import show, state
from planner import report
from planner.money import CASH_LINES, LINE_MEANING

shown = state.shown_or_stop()
document = shown.document
names = show.titles(document)
currency = document["currency"]

frames = {frame["frame"]: frame for frame in document["frames"]}
chosen = st.segmented_control(
    "Frame", list(frames), default=next(iter(frames)), required=True, key="frame", bind="query-params",
    format_func=lambda name: show.FRAME_LABEL.get(name, name), label_visibility="collapsed",
)  # fmt: skip
frame = frames.get(chosen or "", document["frames"][0])
verdict = frame["verdict"]["sentences"]
totals = [sentence for sentence in verdict if sentence.startswith(("On cash", "With the margin"))]
why = [
    sentence
    for sentence in verdict
    if sentence.startswith(("What moves", "It turns"))
    or ": the staffing " in sentence
    or ": no target " in sentence
]
rest = [sentence for sentence in verdict if sentence not in (*totals, *why)]
st.markdown(
    f"**{show.safe(' '.join(totals))}**"
    if totals
    else "**There is only today's policy: nothing to compare.**"
)
st.caption(
    f"{show.FRAME_LABEL.get(frame['frame'], frame['frame'])}: {show.safe(frame['meaning'].replace('as_is', names['as_is']))}."
)
if rest:
    st.markdown("\n".join(f"- {show.safe(sentence)}" for sentence in rest))
if why:
    with st.expander("What moves it, where it turns, what decides the staffing", icon=":material/help:"):
        st.markdown("\n".join(f"- {show.safe(sentence)}" for sentence in why))

# --- the locked result ----------------------------------------------------------------------------------------------

locked = st.session_state.get("locked")
with st.container(horizontal=True, vertical_alignment="center"):
    if st.button(
        "Lock this result as baseline",
        icon=":material/lock:",
        help="Later results then show their difference from this one.",
    ):
        st.session_state.locked = locked = shown
    if locked is not None and st.button("Unlock", icon=":material/lock_open:"):
        st.session_state.locked = locked = None
    st.download_button(
        "run.json", data=shown.path.read_bytes, file_name=f"{document['scenario']}-run.json", mime="application/json",
        on_click="ignore", icon=":material/download:",
    )  # fmt: skip
    st.download_button(
        "Measures (CSV)", data=lambda: show.measures_csv(document).encode("utf-8-sig"),
        file_name=f"{document['scenario']}-measures.csv", mime="text/csv", on_click="ignore", icon=":material/download:",
    )  # fmt: skip
before = None
if locked is not None:
    same = locked.path == shown.path
    st.caption(f"Locked baseline: {state.belongs(locked)}." + (" It is the result shown." if same else ""))
    if not same:
        before = next((f for f in locked.document["frames"] if f["frame"] == frame["frame"]), None)

# --- how big the differences are ------------------------------------------------------------------------------------

others = {policy: title for policy, title in names.items() if policy in frame["differences"]}
scale = show.colours(list(names.values()))
apart = show.colours(list(names.values()), list(others.values()))
if others:
    st.subheader(f"Differences from {show.safe(names['as_is'])}, with 95 % intervals")
    columns = st.columns([1, 1.15])
    for place, (title, (factor, measures)) in enumerate(show.DIFFERENCES.items()):
        rows: list[dict[str, Any]] = [
            {"measure": show.label(m), "policy": names[p], **{k: (frame["differences"][p][m][k] or 0.0) * factor for k in ("mean", "low", "high")}}
            for m in measures
            for p in others
            if m in frame["differences"][p]
        ]  # fmt: skip
        words = "; ".join(
            f"{r['measure']}, {r['policy']}: {r['mean']:+.2f} ({r['low']:.2f} to {r['high']:.2f})"
            for r in rows
        )
        heading = title.format(currency=currency)
        with columns[1 if place == 1 else 0]:
            show.draw(
                show.intervals(rows, heading, apart),
                f"Differences from {names['as_is']}. {heading}. {words}",
                key=f"differences-{place}",
            )
    st.caption(
        "A line that crosses zero: the simulation cannot tell the two apart. Intervals are about the simulation; how far the"
        " coefficients can be trusted is on the Evidence page."
    )

st.subheader("How needs ended")
chart, words = show.endings(document, frame)
show.draw(chart, words, key="endings")

# --- side by side ---------------------------------------------------------------------------------------------------


def versus(policy: str, name: str) -> str:
    """A policy's measure less that of the locked result, with an interval as if the two were independent."""
    now = frame["policies"][policy][name]
    then = (before or {}).get("policies", {}).get(policy, {}).get(name)
    if not then or now["mean"] is None or then["mean"] is None:
        return "-"
    half = math.hypot(*(((e["high"] or 0) - (e["low"] or 0)) / 2 for e in (now, then)))
    mean = now["mean"] - then["mean"]
    e = {"mean": mean, "low": mean - half, "high": mean + half, "unit": now["unit"]}
    return report.thousands(e, "+") if e["unit"] == f"{currency} a year" else report.change(e)


def named(name: str) -> str:
    """A measure with its unit; yearly money is in thousands, which the heading says."""
    unit = frame["policies"]["as_is"][name]["unit"]
    told = "" if yearly(name) else show.unit_of(unit)
    return show.label(name) + (f" ({told})" if told else "")


def yearly(name: str) -> bool:
    """Whether a measure is money of a year."""
    return bool(frame["policies"]["as_is"][name]["unit"] == f"{currency} a year")


def cell(kind: str, policy: str, name: str) -> str:
    """A measure of a policy: its value, or its difference from today or from the locked result."""
    if kind == "locked":
        return versus(policy, name)
    if kind == "today":
        e = frame["differences"][policy][name]
        return report.thousands(e, "+") if yearly(name) else report.change(e)
    e = frame["policies"][policy][name]
    return report.thousands(e) if yearly(name) else show.value(e)


def side_by_side(wanted: list[str], words: str, key: str, height: int | None = None) -> None:
    """Policies beside each other, and their differences from today and from the locked result."""
    known = [name for name in wanted if name in frame["policies"]["as_is"]]
    totals = {name: f"= {named(name)}" for name in ("cash", "cash_and_margin")}
    kinds = {"values": "Values"}
    if others:
        kinds["today"] = f"Difference from {names['as_is']}"
    if before is not None:
        kinds["locked"] = "Difference from the locked result"
    tabs = st.tabs([show.safe(title) for title in kinds.values()], key=key, on_change="rerun")
    for tab, (kind, title) in zip(tabs, kinds.items(), strict=True):
        if not tab.open:
            continue
        rows = []
        for name in known:
            row = {"Measure": totals.get(name) or named(name)}
            row |= {
                names[policy]: cell(kind, policy, name) for policy in (others if kind == "today" else names)
            }
            rows.append(row)
        with tab:
            show.table(rows, f"{words}: {title.lower()}, with 95 % intervals", height=height)


st.subheader("Side by side")
every = st.toggle("Every measure", key="every", persist_state="session")
wanted = list(frame["policies"]["as_is"]) if every else list(report.HEADLINE)
aside = {"cash", "margin_lost", "cash_and_margin", "once", "cost_per_resolved_need", "idle_hours", "idle_pay"}
side_by_side(
    [m for m in wanted if not m.startswith("money_") and m not in aside], "Measures of each policy", "sides",
    560 if every else None,
)  # fmt: skip
note = (
    "95 % intervals in brackets; differences are paired on the same customers. People to employ are counted from the hours"
    " paid in the simulation, without minutes that people come late; the roster's own figure is on the Week page."
)
if before is not None:
    note += " Differences from the locked result are not paired: their intervals are wider than need be."
st.caption(note)

st.subheader(f"Money, thousand {show.safe(currency)} a year")
lines = [
    f"money_{line}"
    for line in CASH_LINES
    if any(frame["policies"][p][f"money_{line}"]["mean"] for p in names)
]
side_by_side(
    [*lines, "cash", "margin_lost", "cash_and_margin"], "Yearly money by line, with both totals", "money"
)
apiece = ["once", "cost_per_contact", "cost_per_resolved_need", "cost_per_kept_customer", "customers_lost"]
apart = ["idle_hours", "idle_pay"]
side_by_side(
    [*apiece, *apart],
    "What is paid once; money per contact, resolved need and kept customer; apart, hours between contacts",
    "apiece",
)
with st.expander("What the lines are"):
    st.markdown(
        "\n".join(
            f"- **{show.safe(show.label('money_' + line))}**: {show.safe(LINE_MEANING[line])}"
            for line in (*CASH_LINES, "margin_lost")
        )
        + "".join(f"\n- **{show.safe(show.label(name))}**: {show.safe(LINE_MEANING[name])}" for name in apart)
    )
off = {names[p]: r for p, r in frame["residue"].items() if r}
if off:
    st.caption(
        "Left of equality: " + ", ".join(f"{show.safe(p)} {100 * r:+.2f} %" for p, r in off.items()) + "."
    )

# --- who it falls on ------------------------------------------------------------------------------------------------

st.subheader("Who it falls on")
PARTS = {f"by_{name}": title for name, title in report.PARTS.items()}
OFFERED = {
    False: [
        "service_level",
        "abandonment",
        "speed_of_answer_s",
        "deferred_in_time",
        "deferred_wait_h",
        "handle_time_s",
        "first_contact_resolution",
        "heard",
        "seen_and_sorted",
        "sorted_not_heard",
        "cold_unresolved",
        "returns",
        "escalations",
        "undisclosed",
        "churn_per_1000_needs",
    ],
    True: [
        "occupancy",
        "chats_at_once",
        "slot_occupancy",
        "load",
        "load_over_share",
        "exhaustion",
        "exhaustion_over_share",
        "recovery_taken",
        "recovery_owed",
        "absence",
        "paid_hours",
        "overtime_hours",
    ],
}
tabs = st.tabs(list(PARTS.values()), key="parts", on_change="rerun")
for tab, (part, title) in zip(tabs, PARTS.items(), strict=True):
    if not tab.open:
        continue
    with tab:
        cells = {p: frame["breakdown"][p][part] for p in names}
        part_title = partial(report.part_title, document, part.removeprefix("by_"))
        choices = [
            m for m in OFFERED[part == "by_group"] if all(m in e for c in cells.values() for e in c.values())
        ]
        measure = st.selectbox(
            "Measure",
            choices,
            format_func=show.label,
            key=f"measure-{part}",
            persist_state="session",
            width=360,
        )
        found_rows: list[dict[str, Any]] = [
            {"measure": part_title(name), "policy": names[p], **e[measure]}
            for p, found in cells.items() for name, e in found.items()
        ]  # fmt: skip
        unit = found_rows[0]["unit"]
        # A part without such contacts (e-mail has no service level in seconds) is not drawn as nothing.
        found_rows = [r for r in found_rows if r["mean"] is not None] or found_rows
        factor = 100.0 if unit.startswith("share") else 1.0
        drawn = [{**r, **{k: (r[k] or 0.0) * factor for k in ("mean", "low", "high")}} for r in found_rows]
        axis = f"{show.label(measure)}, {'%' if factor == 100 else unit}"
        words = "; ".join(f"{r['measure']}, {r['policy']}: {show.value(r)}" for r in found_rows)
        show.draw(
            show.intervals(drawn, axis, scale, zero=False),
            f"{axis}, {title.lower()}. {words}",
            key=f"chart-{part}",
        )
        less = {p: frame["breakdown_differences"][p][part] for p in others}
        rows_of = [
            {
                title: part_title(name),
                **{names[p]: show.value(found[name][measure]) for p, found in cells.items()},
                **{
                    f"{names[p]} less {names['as_is']}": report.change(less[p][name][measure]) for p in others
                },
            }
            for name in cells["as_is"]
        ]
        show.table(rows_of, f"{axis}, {title.lower()}, with paired differences and 95 % intervals")
        st.caption(show.safe(report.meaning_of(measure)))

if document["doubt"]:
    st.subheader("How sure the conclusion is")
    for policy, d in document["doubt"].items():
        st.markdown(
            f"- Over {d['draws']} draws of the uncertain coefficients, the sign of {show.safe(names[policy])} against"
            f" {show.safe(names['as_is'])} flips in {show.share(d['flips']['cash'], 0)} on cash and in"
            f" {show.share(d['flips']['cash_and_margin'], 0)} with kept margin. In the sceptic's setting: cash"
            f" {d['sceptic']['cash']:+,.0f}, with margin {d['sceptic']['cash_and_margin']:+,.0f} {show.safe(currency)} a year."
        )
