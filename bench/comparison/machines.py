# SPDX-License-Identifier: MIT
"""Machines side by side: the newest run of each, as bench/results/ has them, and the run at hand.
Ratios carry over from one machine to another, figures do not: so each is also held against the
best that another's code reached there."""

import json
from pathlib import Path

from cases import Case
from figures import summary
from plain_bars import FREE, GATED, POINTS, at, peers
from readme import cell

RESULTS = Path(__file__).resolve().parent.parent / "results"
OURS = (*GATED, *FREE, "evring-gated")


def newest():
    """{file's name: its report}"""
    found = sorted(RESULTS.glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in found}


def share(cases, case, rivals):
    """Of the best rival's median."""
    best = max((cases[each.id]["median"] for each in rivals if cases.get(each.id, {}).get("rounds")), default=0)
    text = cell(cases, case)
    return f"{text} ({cases[case.id]['median'] / best:.2f})" if text and best else text


def side_by_side(reports, field_of):
    """Markdown. `field_of(report)` is who was there."""
    lines = [["M events/s to one consumer (of the best peer)", *reports], ["---"] * (len(reports) + 1)]
    for payload, burst in POINTS:
        for name in OURS:
            case = Case("throughput", name, "", payload, burst)
            cells = []
            for report in reports.values():
                cases = {each["id"]: each for each in report["cases"]}
                others = peers(field_of(report), payload)
                rivals = [Case("throughput", each, "", payload, burst) for each in others]
                cells.append(share(cases, case, rivals))
            if any(cells):
                lines.append([f"{name}, {at(payload, burst)}", *cells])
    text = ["| " + " | ".join(line) + " |" for line in lines] + [""]
    for name, report in reports.items():
        machine = report["machine"]
        text.append(f"{name}: {machine['cpu']}; {summary(report['bars'])}")
    return "\n".join(text)
