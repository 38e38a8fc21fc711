# SPDX-License-Identifier: MIT
"""Machines side by side: the newest run of each, as bench/results/ has them, and the run at hand.
Ratios carry over from one machine to another, figures do not: so each is also held against the
best that another's code reached there."""

import json
from pathlib import Path

from cases import Case
from figures import Bar, figure, hold, summary
from plain_bars import FREE, GATED, POINTS, at, peers
from readme import cell

RESULTS = Path(__file__).resolve().parent.parent / "results"
OURS = (*GATED, *FREE, "evring-gated")


def newest():
    """{file's name: its report}
    @throws ValueError, naming it: a file is no report."""
    found = {}
    for path in sorted(RESULTS.glob("*.json")):
        try:
            found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
            found[path.stem]["contenders"]
        except (ValueError, KeyError) as error:
            raise ValueError(f"{path} is no report of bench/compare: {error}; make it anew") from error
    return found


def share(report, case, rivals):
    """The median, and by the ratios within rounds the share of the rival that stands best."""
    cases = {each["id"]: each for each in report["cases"]}
    text, theirs = cell(cases, case), {each.contender: figure(each) for each in rivals}
    result = hold(Bar(0, "", ">= 0", {case.contender: figure(case)}, theirs), report["rounds"])
    if not text or result["value"] is None or not theirs:
        return text
    return f"{text} ({result['value']:.2f} {result['peer']})"


def side_by_side(reports, field_of):
    """Markdown. `field_of(report)` is who was there."""
    lines = [["to one consumer (of the best peer, in its round)", *reports], ["---"] * (len(reports) + 1)]
    for payload, burst in POINTS:
        for name in OURS:
            case = Case("throughput", name, "", payload, burst)
            cells = []
            for report in reports.values():
                others = peers(field_of(report), payload)
                rivals = [Case("throughput", each, "", payload, burst) for each in others]
                cells.append(share(report, case, rivals))
            if any(cells):
                lines.append([f"{name}, {at(payload, burst)}", *cells])
    text = ["| " + " | ".join(line) + " |" for line in lines] + [""]
    for name, report in reports.items():
        machine = report["machine"]
        text.append(f"{name}: {machine['cpu']}; {summary(report['bars'])}")
    return "\n".join(text)
