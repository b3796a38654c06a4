"""Levers: every lever by itself, ranked by what it is worth, with its price, its evidence and what it moves."""

from __future__ import annotations

from typing import Any

import altair as alt
import streamlit as st

from app_pages import show, state
from planner import lever_report, report

scenario = st.session_state.get("asked")
if scenario is None:
    st.info("Choose a scenario on the left.", icon=":material/tune:")
    st.stop()
rankings = state.rankings(scenario)
if not rankings:
    st.info(
        f"No ranking of the levers of {show.safe(scenario.title or scenario.name)} is kept for these settings. "
        f"Make one with `unhurried levers {scenario.name}`, and open this page again.",
        icon=":material/leaderboard:",
    )
    st.stop()


def named(document: dict[str, Any]) -> str:
    """A ranking among others: on which policy, and how people are staffed."""
    frame = document["frame"].replace("_", " ")
    only = "" if len(document["levers"]) + len(document["left_out"]) > 3 else ", some levers"
    return f"On {document['policy_title']}, {frame}, {document['replications']} replications{only}"


documents = {named(document): document for document in reversed(rankings)}
names = list(reversed(documents))
chosen = names[0]
if len(names) > 1:
    chosen = st.selectbox("Ranking", names, key="ranking", persist_state="session", width=560)
document = documents.get(chosen, documents[names[0]])
currency = document["currency"]
first, *others = document["sentences"]
st.markdown(f"**{show.safe(first)}**")
for text in others:
    st.caption(show.safe(text))

ways = {"alone": f"Alone on {document['titles']['as_is']}"}
if any(row["on_top"] for row in document["levers"]):
    ways = {"on_top": f"On top of {document['policy_title']}", **ways}
COLOURS = alt.Scale(domain=["Cash", "Cash and margin lost"], range=["#a98a2d", "#24302f"])
for way, words in ways.items():
    ranked = sorted(
        (row for row in document["levers"] if row[way]),
        key=lambda row: row[way]["differences"]["cash_and_margin"]["mean"],
    )
    rows = [
        {
            "measure": row["title"],
            "policy": label,
            **{k: (row[way]["differences"][measure][k] or 0.0) / 1000 for k in ("mean", "low", "high")},
        }
        for row in ranked
        for measure, label in (("cash", "Cash"), ("cash_and_margin", "Cash and margin lost"))
    ]
    if not rows:
        continue
    st.subheader(show.safe(words))
    heading = f"Thousand {currency} a year"
    alt_text = "; ".join(
        f"{r['measure']}, {r['policy'].lower()}: {r['mean']:+,.0f} ({r['low']:,.0f} to {r['high']:,.0f})"
        for r in rows
    )
    show.draw(
        show.intervals(rows, f"{heading}: change, below zero saves", COLOURS, ends=",.1f"),
        f"{words}, {heading.lower()}. {alt_text}",
        key=f"levers-{way}",
    )
    table = []
    for row in ranked:
        part = row[way]
        table.append(
            {
                "Lever": row["title"] + (" (in force)" if part["in_force"] else ""),
                "Cash and margin lost": report.thousands(part["differences"]["cash_and_margin"], "+"),
                "Cash": report.thousands(part["differences"]["cash"], "+"),
                "Own price": " + ".join(lever_report.price_words(row, part).split("\n")),
                "Hours a year": f"{part['hours']['mean']:+,.0f}",
                "Moves most": ", ".join(
                    f"{show.label(name)} {lever_report.short_change(part['differences'][name])}" for name in part["moves"]
                ) or "-",
                "Verdict": part["verdict"],
            }
        )  # fmt: skip
    st.caption(
        f"Thousand {show.safe(currency)} a year with 95 % intervals; hours: paid hours a year that the work needs more. In force: what goes without it."
    )
    show.table(
        table, f"{words}: what each lever costs and changes, thousand {currency} a year with 95 % intervals"
    )

st.subheader("What stands behind them")
st.caption(f"{lever_report.GRADES}. The evidence page has every row with its source.")
show.table(
    [
        {
            "Lever": row["title"],
            "What it is": row["sentence"],
            "Set to": row["set_to"],
            "Effect": "; ".join(lever_report.behind(e).replace("_", " ") for e in row["effects"]) or "in the file",
            "Price": "; ".join(lever_report.behind(e).replace("_", " ") for e in row["prices"]) or ("in the file" if row["priced"] else "-"),
        }
        for row in document["levers"]
    ],
    "Levers with their sentence, setting, evidence of the effect and price",
)  # fmt: skip
for row in document["left_out"]:
    st.caption(f"Not ranked: {show.safe(row['title'].lower())}: {show.safe(row['why'])}.")
