# SPDX-License-Identifier: MIT
"""The tables of a report: which there are and which case goes into which; text and page are made
of the same ones."""

import statistics
from dataclasses import dataclass, field

from cases import is_crowded
from figures import percentile, summary

EACH, SHARED = ("each", "lossy"), ("shared",)
BURST, CONSUMERS = ("burst_count", "x{:.0f}"), ("consumer_count", "to {:.0f}")
SLOTS, RATE = ("slot_count", "{:,.0f} slots"), ("rate_hz", "{:,.0f}/s")
# Title, loop, deliveries or None for all, what a case must have, the axis of the columns. Cases
# that differ in what SPLITS names stand in tables of their own.
SPECS = (
    ("Broadcast to one consumer", "throughput", EACH, {"consumer_count": 1, "slot_count": 4096}, BURST),
    ("Broadcast", "throughput", EACH, {"slot_count": 4096}, CONSUMERS),
    ("Work sharing, one consumer", "throughput", SHARED, {"consumer_count": 1, "slot_count": 4096}, BURST),
    ("Work sharing", "throughput", SHARED, {"slot_count": 4096}, CONSUMERS),
    ("By slots of the ring, one consumer", "throughput", None, {"consumer_count": 1}, SLOTS),
    ("One-way latency, p50", "latency", None, {}, RATE),
    ("Round trip", "ping-pong", None, {}, BURST),
    ("Produce and consume on one thread", "same-thread", None, {}, BURST),
    ("Instructions an event, produce and consume", "instructions", None, {}, BURST),
)  # fmt: skip
SPLITS = (("payload_bytes", "{} B"), ("variant", "{}"), ("burst_count", "x{}"))


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


@dataclass
class Cell:
    """What a cell says; on the page with `more` behind it, on a ground of which `share` is filled."""

    text: str
    more: str = ""
    share: float = 0


@dataclass
class Row:
    name: str
    cells: list
    notes: list = field(default_factory=list)  # lines below it


@dataclass
class Table:
    title: str
    columns: list
    rows: list


def scaled(each):
    """A case's median, p10 and p90 in the unit of tables, and that unit."""
    scale, unit = (1e-6, "M/s") if each["unit"] == "events/s" else (1, each["unit"])
    return [each[key] * scale for key in ("median", "p10", "p90")], unit


def number(value):
    """Four digits, and no exponent."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def contenders_table(title, axis, cases):
    """A row for each contender, best first, a column for each step of the axis."""
    key, column = axis
    measured = [each for each in cases if each["rounds"]]
    most = max((scaled(each)[0][0] for each in measured), default=0)
    unit = next((scaled(each)[1] for each in measured), "")
    steps = sorted({each["case"][key] for each in cases})
    rows, best = {}, {}
    for each in cases:
        name = each["case"]["contender"]
        row = rows.setdefault(name, Row(name, [Cell("-") for _ in steps]))
        if not each["rounds"]:
            continue
        (median, low, high), _ = scaled(each)
        more = f"{low:.4g} … {high:.4g}, n={each['rounds']}"
        cell = Cell(number(median), more, median / most if most else 0)
        row.cells[steps.index(each["case"][key])] = cell
        best[name] = max(best.get(name, 0), 1 / median if unit != "M/s" and median else median)
    counts = sorted({each["rounds"] for each in cases})
    counted = " to ".join(str(each) for each in sorted({counts[0], counts[-1]}))
    ordered = sorted(rows.values(), key=lambda row: -best.get(row.name, 0))
    title = f"{title} ({unit}, medians of {counted} rounds)"
    return Table(title, [column.format(step) for step in steps], ordered)


def tables_of(report):
    """All that have a case, those of more threads than CPUs last; and the cases that none has."""
    delivery_of = {each["name"]: each["delivery"] for each in report["contenders"]}
    found, shown = {}, set()
    for index, (title, loop, deliveries, wanted, axis) in enumerate(SPECS):
        for each in report["cases"]:
            case = each["case"]
            if not case or case["loop"] != loop or not case["contender"]:
                continue
            if deliveries and delivery_of.get(case["contender"]) not in deliveries:
                continue
            if any(case[key] != value for key, value in wanted.items()):
                continue
            split = [text.format(case[key]) for key, text in SPLITS if key != axis[0] and case[key]]
            crowded = is_crowded(loop, case["consumer_count"], report["cpu_count"])
            before = "More threads than CPUs: " if crowded else ""
            name = before + ", ".join([title, *split])
            found.setdefault((crowded, index, name), []).append(each)
    tables = []
    for (crowded, index, name), cases in sorted(found.items(), key=lambda item: item[0]):
        axis = SPECS[index][4]
        table = contenders_table(name, axis, cases)
        # One ring or one consumer alone compares nothing that another table does not.
        if len(table.columns) > 1 or crowded or axis in (BURST, RATE):
            tables.append(table)
            shown |= {each["id"] for each in cases}
    return tables, [each for each in report["cases"] if each["id"] not in shown]


def others_table(cases):
    rows = []
    for each in cases:
        cells, notes = [Cell("-")] * 3, []
        if each["rounds"]:
            figures, unit = scaled(each)
            cells = [Cell(f"{number(figure)} {unit}") for figure in figures]
        if each["failed"]:
            notes = [f"no figure in {each['failed']} rounds"]
        rows.append(Row(each["id"], cells + [Cell(str(each["rounds"]))], notes))
    return Table("Limits and the rest", ["median", "p10", "p90", "n"], rows)


def reach(bar):
    """The part of the bar that is reached: 1 and more is all of it."""
    limit = float(bar["bar"][3:])
    over, under = (bar["value"], limit) if bar["bar"].startswith(">=") else (limit, bar["value"])
    return over / under if under else 2


def bars_table(report):
    rows = []
    for bar in report["bars"]:
        if report["only"] and bar["value"] is None:
            continue
        value, spread = [Cell("-")], [Cell(""), Cell("")]
        if bar["value"] is not None:
            value = [Cell(f"{bar['value']:.3f}", share=min(reach(bar) / 2, 1))]
            between = f"{bar['spread']['p10']:.3f} .. {bar['spread']['p90']:.3f}"
            spread = [Cell(between), Cell(str(bar["spread"]["rounds"]))]
        status = bar["status"] if bar["status"] in ("reached", "crowded") else bar["status"].upper()
        notes = [f"{bar['ours']} against {bar['peer']}"] if "peer" in bar else []
        notes += [f"limit: {bar['limit']}"] if "limit" in bar else []
        name = f"{bar['number']:>2}  {bar['name']}"
        rows.append(Row(name, value + [Cell(bar["bar"]), *spread, Cell(status)], notes))
    return Table("Bars", ["value", "bar", "p10 .. p90", "n", ""], rows)


def facts_of(report):
    """Where and how it was measured: names and what they are."""
    yield from report["machine"].items()
    count, seconds = len(report["rounds"]), report["elapsed_s"]
    yield "rounds", f"{count} in {seconds:.0f} s, seed {report['seed']}"
    for peer in report["missing"]:
        yield "not available", f"{peer['name']}: install {peer['package']}"


def table_text(table):
    yield f"\n{table.title}"
    name_width = max([len(row.name) for row in table.rows] + [24])
    lines = [[cell.text for cell in row.cells] for row in table.rows]
    widths = [max(map(len, column)) for column in zip(table.columns, *lines)]
    show = lambda name, cells: f"{name:<{name_width}}" + "".join(
        f"  {text:>{max(width, 9)}}" for text, width in zip(cells, widths)
    )
    yield show("", table.columns)
    for row, cells in zip(table.rows, lines):
        yield show(row.name, cells)
        yield from (f"    {note}" for note in row.notes)


def report_lines(report):
    """The report for people, line by line."""
    for name, what in facts_of(report):
        yield f"{name:<13} {what}"
    tables, others = tables_of(report)
    for table in [*tables, others_table(others), bars_table(report)]:
        if table.rows:
            yield from table_text(table)
    yield "\n" + summary(report["bars"])
