# SPDX-License-Identifier: MIT
"""README's table of what was measured, made from a run's JSON."""

from cases import Case
from figures import summary

ROWS = (
    ("evring, gated, plain code in place", "evring-gated-plain"),
    ("evring, gated, copied in and out", "evring-gated"),
    ("evring, group (each event to one member)", "evring-group"),
    ("boost::lockfree::spsc_queue", "boost-spsc"),
    ("DPDK rte_ring SP/SC", "rte-ring-spsc"),
    ("mutex and list, the course's design", "mutex-list"),
)
COLUMNS = (
    ("bursts of 32", {}),
    ("one at a time", {"burst_count": 1}),
    ("bursts of 32, ring of 65,536", {"slot_count": 65536}),
    ("one-way p50 at 100,000/s", {"loop": "latency", "burst_count": 1, "rate_hz": 1e5}),
)


def cell(cases, case):
    each = cases.get(case.id)
    if not each or not each["rounds"]:
        return ""
    if each["unit"] == "ns":
        return f"{each['median']:.0f} ns"
    millions = each["median"] / 1e6
    return f"{millions:.{0 if millions >= 10 else 1}f} M/s"


def readme_table(report, path):
    """Markdown: the table, and a line that says where its figures are from."""
    cases = {each["id"]: each for each in report["cases"]}
    titles = ["56-byte payload, every one checked; to one consumer"] + [t for t, _ in COLUMNS]
    rows = [titles, ["---"] * len(titles)]
    for title, name in ROWS:
        rows.append([title] + [cell(cases, Case(contender=name, **axes)) for _, axes in COLUMNS])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    machine = report["machine"]
    lines += [
        "",
        f"Medians of {len(report['rounds'])} rounds in turn, {machine['cpu']}, "
        f"Linux {machine['kernel'].split()[0]}; {summary(report['bars'])}.",
        f"Made by `bench/compare --readme {path}` from that run's records.",
    ]
    return "\n".join(lines)
