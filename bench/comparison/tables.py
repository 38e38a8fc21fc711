# SPDX-License-Identifier: MIT
"""The tables of a report: which there are, which case goes into which, and their text."""

import statistics
from dataclasses import dataclass, field

from cases import is_crowded
from figures import percentile, summary

# Title, loop, deliveries or None for all, what a case must have, the column's axis, how a step of
# it is written. Cases of more threads than CPUs stand in a table of their own.
PER_BURST, PER_CONSUMER = ("burst_count", "x{:.0f}"), ("consumer_count", "to {:.0f}")
EACH, SHARED = ("each", "lossy"), ("shared",)
SMALL = {"slot_count": 4096, "variant": ""}
SPECS = (
    ("Broadcast to one consumer, 56 B, by burst", "throughput", EACH,
     SMALL | {"payload_bytes": 56, "consumer_count": 1}, PER_BURST),
    ("Broadcast to one consumer, 56 B made in memory, by burst", "throughput", EACH,
     SMALL | {"payload_bytes": 56, "consumer_count": 1, "variant": "memory"}, PER_BURST),
    ("Broadcast in bursts of 32, 56 B, by consumers", "throughput", EACH,
     SMALL | {"payload_bytes": 56, "burst_count": 32}, PER_CONSUMER),
    ("The same, consumers taking turns on the producer's CPU as well", "throughput", EACH,
     SMALL | {"payload_bytes": 56, "burst_count": 32, "variant": "spread"}, PER_CONSUMER),
    ("Broadcast one at a time, 56 B, by consumers", "throughput", EACH,
     SMALL | {"payload_bytes": 56, "burst_count": 1}, PER_CONSUMER),
    ("Broadcast to one consumer, 16 B, by burst", "throughput", EACH,
     SMALL | {"payload_bytes": 16, "consumer_count": 1}, PER_BURST),
    ("The default slot (40 B beside timestamp, type, length), one consumer, by burst",
     "throughput", EACH, SMALL | {"payload_bytes": 40, "consumer_count": 1}, PER_BURST),
    ("The default slot, bursts of 32, by consumers", "throughput", EACH,
     SMALL | {"payload_bytes": 40, "burst_count": 32}, PER_CONSUMER),
    ("Work sharing in bursts of 32, 56 B, by consumers", "throughput", SHARED,
     SMALL | {"payload_bytes": 56, "burst_count": 32}, PER_CONSUMER),
    ("Work sharing one at a time, 56 B, by consumers", "throughput", SHARED,
     SMALL | {"payload_bytes": 56, "burst_count": 1}, PER_CONSUMER),
    ("Work sharing, one consumer, 56 B, by burst", "throughput", SHARED,
     SMALL | {"payload_bytes": 56, "consumer_count": 1}, PER_BURST),
    ("Work sharing, one consumer, 16 B, by burst", "throughput", SHARED,
     SMALL | {"payload_bytes": 16, "consumer_count": 1}, PER_BURST),
    ("By slots of the ring, 56 B, bursts of 32, one consumer", "throughput", None,
     {"payload_bytes": 56, "burst_count": 32, "consumer_count": 1, "variant": ""}, ("slot_count", "{:,.0f}")),
    ("By slots of the ring, 16 B, bursts of 32, one consumer", "throughput", None,
     {"payload_bytes": 16, "burst_count": 32, "consumer_count": 1, "variant": ""}, ("slot_count", "{:,.0f}")),
    ("One-way latency, 56 B, p50 by events a second", "latency", None,
     {"payload_bytes": 56}, ("rate_hz", "{:,.0f}/s")),
    ("Round trip, 56 B", "ping-pong", None, {"payload_bytes": 56}, ("burst_count", "and back")),
    ("Produce and consume on one thread, 56 B, by burst", "same-thread", None,
     {"payload_bytes": 56}, PER_BURST),
    ("Produce and consume on one thread, 16 B, by burst", "same-thread", None,
     {"payload_bytes": 16}, PER_BURST),
    ("Instructions an event, produce and consume, 56 B, by burst", "instructions", None,
     {"payload_bytes": 56}, PER_BURST),
)  # fmt: skip


def summarise(rounds, axes):
    """Median and spread of each case over the rounds, in the order of their ids; `axes` tells
    where a case stands, by id."""
    cases = {}
    for records in rounds:
        for id_, record in records.items():
            each = cases.setdefault(id_, {"id": id_, "unit": "", "failed": 0, "figures": []})
            each["case"] = axes.get(id_)
            if record.get("exact") and "value" in record:
                each["unit"] = record.get("unit", "")
                each["figures"].append(record["value"])
            else:
                each["failed"] += 1
    for each in cases.values():
        figures = each.pop("figures")
        each["rounds"] = len(figures)
        if figures:
            each["median"] = statistics.median_low(figures)
            each["p10"], each["p90"] = percentile(figures, 0.1), percentile(figures, 0.9)
    return [cases[id_] for id_ in sorted(cases)]


def scaled(each):
    """A case's median, p10, p90 in the unit of tables; None where it has no figure."""
    scale = 1e-6 if each["unit"] == "events/s" else 1
    return [each[key] * scale for key in ("median", "p10", "p90")] if each["rounds"] else None


@dataclass
class Table:
    """Rows are contenders, best first; a cell is a case of the report or None."""

    title: str
    unit: str = ""
    columns: list = field(default_factory=list)
    rows: list = field(default_factory=list)  # (name, cells)

    @property
    def rates(self):
        """Larger is better."""
        return self.unit == "M/s"

    @property
    def rounds(self):
        """ "3 to 9 rounds" """
        counts = [cell["rounds"] for _, cells in self.rows for cell in cells if cell]
        fewest, most = min(counts, default=0), max(counts, default=0)
        text = f"{fewest} to {most}" if fewest != most else f"{most}"
        return f"{text} round" + ("" if most == 1 else "s")


def belongs(spec, each, delivery_of):
    _, loop, deliveries, wanted, _ = spec
    case = each["case"]
    if not case or case["loop"] != loop or not case["contender"]:
        return False
    if deliveries and delivery_of.get(case["contender"]) not in deliveries:
        return False
    return all(case[key] == value for key, value in wanted.items())


def table_of(spec, cases, title):
    axis, column = spec[4]
    steps = sorted({each["case"][axis] for each in cases})
    by_name = {}
    for each in cases:
        by_name.setdefault(each["case"]["contender"], {})[each["case"][axis]] = each
    unit = next((each["unit"] for each in cases if each["unit"]), "")
    table = Table(title, "M/s" if unit == "events/s" else unit)
    table.columns = [column.format(step) for step in steps]
    table.rows = [(name, [found.get(step) for step in steps]) for name, found in by_name.items()]

    def standing(row):
        figures = [cell["median"] for cell in row[1] if cell and cell["rounds"]]
        return -max(figures, default=0) if table.rates else min(figures, default=float("inf"))

    table.rows.sort(key=standing)
    return table


def tables_of(report):
    """All tables that have a case, those of more threads than CPUs last."""
    delivery_of = {each["name"]: each["delivery"] for each in report["contenders"]}
    calm, crowded = [], []
    for spec in SPECS:
        cases = [each for each in report["cases"] if belongs(spec, each, delivery_of)]
        some, more = [], []
        for each in cases:
            loop, consumers = each["case"]["loop"], each["case"]["consumer_count"]
            (more if is_crowded(loop, consumers, report["cpu_count"]) else some).append(each)
        compares = spec[4][0] != "slot_count" or len({e["case"]["slot_count"] for e in some}) > 1
        if some and compares:
            calm.append(table_of(spec, some, spec[0]))
        if more:
            crowded.append(table_of(spec, more, f"More threads than CPUs: {spec[0]}"))
    return calm + crowded


def others_of(report):
    """The cases that no table shows."""
    delivery_of = {each["name"]: each["delivery"] for each in report["contenders"]}
    return [
        each
        for each in report["cases"]
        if not any(belongs(spec, each, delivery_of) for spec in SPECS)
    ]


def human(value, unit):
    if unit == "events/s":
        value, unit = value * 1e-6, "M/s"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f} {unit}"


# ---- text ----------------------------------------------------------------------


def table_text(table):
    yield f"\n{table.title} ({table.unit}, medians of {table.rounds})"
    yield " " * 26 + "".join(f" {column:>14}" for column in table.columns)
    for name, cells in table.rows:
        values = [scaled(cell) if cell else None for cell in cells]
        shown = (f"{v[0]:.{2 if v[0] < 100 else 1}f}" if v else "-" for v in values)
        yield f"{name:<26}" + "".join(f" {each:>14}" for each in shown)


def other_text(each):
    if not each["rounds"]:
        return f"{each['id']:<58} no figure in {each['failed']} rounds"
    figures = "".join(f" {human(each[key], each['unit']):>14}" for key in ("median", "p10", "p90"))
    failed = f"  (none in {each['failed']})" if each["failed"] else ""
    return f"{each['id']:<58}{figures} {each['rounds']:>3}{failed}"


def bar_text(bar):
    line = f"{bar['number']:>3}  {bar['name']:<74} "
    if bar["value"] is None:
        line += f"{'-':>9} {bar['bar']:>10}" + " " * 28
    else:
        spread = bar["spread"]
        line += f"{bar['value']:>9.3f} {bar['bar']:>10}  {spread['p10']:>9.3f} .. "
        line += f"{spread['p90']:<9.3f} {spread['rounds']:>2}"
    status = bar["status"]
    yield line + "  " + (status if status in ("reached", "crowded") else status.upper())
    if "peer" in bar:
        yield f"     {bar['ours']} against {bar['peer']}"
    if "limit" in bar:
        yield f"     limit: {bar['limit']}"


def report_lines(report):
    """The report for people, line by line."""
    for key, value in report["machine"].items():
        yield f"{key:<13} {value}"
    count, seconds = len(report["rounds"]), report["elapsed_s"]
    yield f"rounds        {count} in {seconds:.0f} s, seed {report['seed']}"
    for table in tables_of(report):
        yield from table_text(table)
    others = others_of(report)
    if others:
        yield f"\n{'limits and the rest':<58} {'median':>14} {'p10':>14} {'p90':>14}   n"
    yield from map(other_text, others)
    for peer in report["missing"]:
        yield f"{peer['name']:<58} not available: install {peer['package']}"
    yield f"\nbar  {'what':<74} {'value':>9} {'bar':>10}  {'p10':>9} .. {'p90':<9}  n"
    for bar in report["bars"]:
        if not report["only"] or bar["value"] is not None:
            yield from bar_text(bar)
    yield "\n" + summary(report["bars"])
