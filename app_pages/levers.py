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
FRAMES = {
    "equal_occupancy": "As busy as before",
    "equal_hours": "The roster stays",
    "at_target": "Planned anew (slow)",
}
rankings = state.rankings(scenario)
COLOURS = alt.Scale(domain=["Cash", "Cash and margin lost"], range=["#a98a2d", "#24302f"])


def named(document: dict[str, Any]) -> str:
    """A ranking among others: on which policy, and how people are staffed."""
    frame = FRAMES[document["frame"]].removesuffix(" (slow)").lower()
    only = "" if len(document["levers"]) + len(document["left_out"]) > 3 else ", some levers"
    draws = f", {document['draws']} draws" if document["draws"] else ""
    return f"On {document['policy_title']}, {frame}, {document['replications']} replications{draws}{only}"


def ask() -> None:
    """What ranking to make, and the button that makes it."""
    if st.session_state.get("rank-policy", "as_is") not in scenario.policies:
        st.session_state.pop("rank-policy")  # another scenario's
    with st.form("rank", border=not rankings):
        left, middle, right, last = st.columns([1.2, 1.3, 1.1, 1])
        policy = left.selectbox(
            "On top of", list(scenario.policies), key="rank-policy", persist_state="session",
            format_func=lambda name: scenario.policies[name].title or name,
            help="The policy in force. Every lever is laid on today's policy alone, and on top of this one.",
        )  # fmt: skip
        frame = middle.selectbox(
            "Staffing", list(FRAMES), key="rank-frame", persist_state="session", format_func=lambda name: FRAMES[name],
            help="As busy as before: people are taken out of the roster or put in until they are as busy as without the lever."
            " The roster stays: hours that the work needs more or less are shown, not priced. Planned anew: every lever to the"
            " same service targets, which may take hours for a large centre.",
        )  # fmt: skip
        how = right.selectbox(
            "Replications", ["Quick", "Full"], key="rank-how", persist_state="session",
            help="Quick: 3 replications, wider intervals. Full: 6, and about twice the time.",
        )  # fmt: skip
        doubt = last.number_input(
            "Draws", 0, 200, 0, 5, key="rank-doubt", persist_state="session",
            help="Draws of the uncertain coefficients in which every lever is valued anew: how sure the conclusion is. Each takes about as"
            " long as the ranking itself.",
        )  # fmt: skip
        pressed = st.form_submit_button(
            "Rank the levers", type="primary", icon=":material/leaderboard:", disabled=state.waiting("ranks")
        )
    if pressed:
        state.rank(
            scenario, st.session_state.get("asked_applied", ()), policy, frame, how == "Quick", int(doubt)
        )
        st.rerun()


title = show.safe(scenario.title or scenario.name)
if not rankings:
    st.markdown(
        f"**The levers of {title} are being ranked: the ranking opens here when it is ready.**"
        if state.waiting("ranks")
        else f"**The levers of {title} have not been ranked with these settings yet.** A ranking takes some minutes the first time,"
        f" then it is kept; `unhurried levers` makes the same ones."
    )
    ask()
    st.stop()
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
with st.expander("Rank with other settings", icon=":material/leaderboard:"):
    ask()


def chart_of(
    ranked: list[tuple[str, dict[str, dict[str, Any]]]], heading: str, key: str, told: tuple[str, str]
) -> None:
    """Levers with cash, and cash and margin, as dots with their intervals, and the same in words."""
    rows = [
        {
            "measure": lever,
            "policy": label,
            **{k: (found[measure][k] or 0.0) / 1000 for k in ("mean", "low", "high")},
        }
        for lever, found in ranked
        for measure, label in (("cash", "Cash"), ("cash_and_margin", "Cash and margin lost"))
    ]
    words = "; ".join(
        f"{r['measure']}, {r['policy'].lower()}: {r['mean']:+,.0f} ({r['low']:,.0f} to {r['high']:,.0f})"
        for r in rows
    )
    show.draw(show.intervals(rows, heading, COLOURS, ends=",.1f", told=told), f"{heading}. {words}", key=key)


def ranking_of(way: str, words: str) -> None:
    """The ranking on one base."""
    ranked = sorted(
        (row for row in document["levers"] if row[way]),
        key=lambda row: row[way]["differences"]["cash_and_margin"]["mean"],
    )
    if not ranked:
        return
    st.subheader(show.safe(words))
    chart_of(
        [(row["title"], row[way]["differences"]) for row in ranked],
        f"Thousand {currency} a year: change, below zero saves", f"levers-{way}", ("Mean", "95 % from"),
    )  # fmt: skip
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


def doubt_of(way: str, words: str) -> None:
    """The same over draws of the uncertain coefficients."""
    rows = lever_report.doubted_rows(document, way)
    if not rows:
        return
    n = document["draws"]
    st.subheader(show.safe(f"{words}, over {n} draws of the uncertain coefficients"))
    chart_of(
        [(row["title"], {m: {**d, "mean": d["median"]} for m, d in row[way]["doubt"].items()}) for row in rows],
        f"Thousand {currency} a year: median, and what nine draws in ten lie within", f"doubt-{way}", ("Median", "Nine in ten from"),
    )  # fmt: skip
    st.caption(
        "Each draw takes every uncertain coefficient from its range of evidence, anchors today anew, and values every lever on the same"
        f" customers, {document['drawn_replications']} replications. Sceptic: where no effect of grade C or D exists."
    )
    table = []
    for row in rows:
        found = {"Lever": row["title"] + (" (in force)" if row[way]["in_force"] else "")}
        for measure, label, tail in (
            ("cash_and_margin", "Cash and margin lost", ""),
            ("cash", "Cash", " on cash"),
        ):
            spread, saves, sceptic = lever_report.doubt_words(row[way]["doubt"][measure], n)
            found |= {label: spread, f"Saves{tail} in": saves, f"Sceptic{tail}": sceptic}
        table.append(found)
    show.table(
        table,
        f"{words}: what each lever comes to over {n} draws of the coefficients, thousand {currency} a year",
    )


ways = {"alone": f"Alone on {document['titles']['as_is']}"}
if any(row["on_top"] for row in document["levers"]):
    ways = {"on_top": f"On top of {document['policy_title']}", **ways}
for way, words in ways.items():
    ranking_of(way, words)
    doubt_of(way, words)

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
