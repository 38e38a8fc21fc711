# SPDX-License-Identifier: MIT
"""The page: bars first, then a plot and a table for each axis, then the rest. Its plots are SVG
inside it: it needs neither script nor server nor network."""

import math
from html import escape

from figures import summary
from tables import human, others_of, scaled, tables_of

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:66em;padding:0 1.2em;color:#1a202c}
h1{margin-bottom:.1em}h2{margin-top:2em;border-bottom:1px solid #cbd5e0}h3{margin:1.6em 0 .3em}
table{border-collapse:collapse;font-size:13px;margin:.4em 0}
td,th{padding:.22em .7em;text-align:left;border-bottom:1px solid #e2e8f0;vertical-align:top}
th{background:#f7fafc}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tr.ours td{background:#ebf4ff}small{color:#718096}.lead{font-size:18px}.note{color:#4a5568}
.reached{color:#276749;font-weight:600}.missed,.inexact{color:#c53030;font-weight:600}
svg{max-width:100%;height:auto;display:block}svg text{font:12px system-ui,sans-serif;fill:#1a202c}
text.name{text-anchor:end}text.tick{fill:#718096;text-anchor:middle}
line.grid{stroke:#e2e8f0}line.bar{stroke:#1a202c;stroke-width:1.5}
summary{cursor:pointer;color:#2b6cb0}
"""
COLOURS = ("#2b6cb0", "#dd6b20", "#2f855a", "#805ad5", "#c53030")
GREEN, GREY, RED = COLOURS[2], "#a0aec0", COLOURS[4]
ROW, TOP = 20, 44
HOW = (
    "A round runs each case once, in a process of its own and in shuffled order; cases that are "
    "compared run close together. A bar's value is the median over the rounds of the ratio within "
    "a round; where several could stand on a side, the one that stands best over all rounds does, "
    "in every round. Every payload is checked: a run that lost, repeated or tore an event without "
    "saying so has no figure, and one of ours fails its bars. What has more threads than the "
    "machine has CPUs measures the scheduler as well: it stands apart, and no bar counts it."
)


class Scale:
    """From values to pixels."""

    def __init__(self, low, high, left, width, logarithmic):
        self.log, self.left, self.width = logarithmic, left, width
        self.low, self.high = (math.log(low), math.log(high)) if logarithmic else (low, high)

    def __call__(self, value):
        at = math.log(max(value, 1e-9)) if self.log else value
        part = (at - self.low) / ((self.high - self.low) or 1)
        return self.left + self.width * min(max(part, 0), 1)

    def ticks(self):
        """Powers of ten, and 2 and 5 times them where there are few; or about six even steps."""
        if not self.log:
            rough = max(self.high / 6, 1e-12)
            decade = 10 ** math.floor(math.log10(rough))
            step = next(decade * digit for digit in (1, 2, 5, 10) if decade * digit >= rough)
            return [step * i for i in range(int(self.high / step) + 1)]
        digits = (1,) if self.high - self.low > 3 * math.log(10) else (1, 2, 5)
        first = math.floor(self.low / math.log(10))
        values = (d * 10.0**e for e in range(first, first + 12) for d in digits)
        return [v for v in values if self.low - 1e-9 <= math.log(v) <= self.high + 1e-9]

    def grid(self, top, bottom):
        return "".join(
            f"<line class='grid' x1='{self(v):.1f}' x2='{self(v):.1f}' y1='{top}' y2='{bottom}'/>"
            f"<text class='tick' x='{self(v):.1f}' y='{top - 5}'>{v:g}</text>"
            for v in self.ticks()
        )


def dot(scale, figures, y, colour, what):
    """A median with p10 to p90 as a line through it."""
    middle, low, high = (scale(each) for each in figures)
    return (
        f"<line x1='{low:.1f}' x2='{high:.1f}' y1='{y:.1f}' y2='{y:.1f}' stroke='{colour}' "
        f"stroke-width='1.5'/><circle cx='{middle:.1f}' cy='{y:.1f}' r='4' fill='{colour}'>"
        f"<title>{escape(what)}</title></circle>\n"
    )


def name_text(name, x, y):
    return f"<text class='name' x='{x}' y='{y + 4:.1f}'>{escape(name)}</text>"


def svg(width, height, inner):
    return f"<svg viewBox='0 0 {width} {height}' width='{width}' height='{height}'>{inner}</svg>\n"


def table_plot(table):
    """A row for each contender, a dot for each column."""
    left, width = 210, 640
    cells = [scaled(cell) for _, row in table.rows for cell in row if cell and cell["rounds"]]
    if not cells:
        return ""
    # One wild round stretches the scale by no more than half.
    high = max(min(p90, 1.5 * middle) for middle, _, p90 in cells) * 1.05
    low = 0 if table.rates else max(min(p10 for _, p10, _ in cells) * 0.9, 1e-3)
    scale = Scale(low, max(high, low * 1.01), left, width, not table.rates)
    bottom = TOP + ROW * len(table.rows)
    inner = scale.grid(TOP, bottom)
    for index, column in enumerate(table.columns):
        colour, x = COLOURS[index % len(COLOURS)], left + 90 * index
        inner += f"<circle cx='{x}' cy='10' r='4' fill='{colour}'/>"
        inner += f"<text x='{x + 9}' y='14'>{escape(column)}</text>"
    for row, (name, cells) in enumerate(table.rows):
        y = TOP + ROW * (row + 0.5)
        inner += name_text(name, left - 10, y)
        for index, cell in enumerate(cells):
            if cell and cell["rounds"]:
                at = y + 9 * (index - (len(cells) - 1) / 2) / len(cells)
                figures = scaled(cell)
                what = f"{figures[0]:.4g} ({figures[1]:.4g} to {figures[2]:.4g}) {table.unit}"
                inner += dot(scale, figures, at, COLOURS[index % len(COLOURS)], what)
    return svg(left + width + 20, bottom + 4, inner)


def reach(bar, value):
    """The part of the bar that is reached: 1 and more is all of it."""
    limit = float(bar["bar"][3:])
    over, under = (value, limit) if bar["bar"].startswith(">=") else (limit, value)
    return over / under if under else 1


def bars_plot(bars):
    left, width = 470, 400
    scale = Scale(0.2, 5, left, width, True)
    bottom = 20 + ROW * len(bars)
    inner = scale.grid(20, bottom)
    inner += f"<line class='bar' x1='{scale(1):.1f}' x2='{scale(1):.1f}' y1='20' y2='{bottom}'/>"
    for index, bar in enumerate(bars):
        y = 20 + ROW * (index + 0.5)
        inner += name_text(f"{bar['number']}. {bar['name']}"[:72], left - 10, y)
        if bar["value"] is None:
            continue
        colour = {"reached": GREEN, "crowded": GREY}.get(bar["status"], RED)
        figures = (bar["value"], bar["spread"]["p10"], bar["spread"]["p90"])
        parts = [reach(bar, each) for each in figures]
        inner += dot(scale, parts, y, colour, f"{bar['value']:.4g}, bar {bar['bar']}")
    return svg(left + width + 20, bottom + 4, inner)


def row_html(cells, cls=""):
    """A row of a table; numbers, given as such, stand on the right."""
    html = "".join(f"<td class='n'>{c}</td>" if n else f"<td>{c}</td>" for c, n in cells)
    return f"<tr class='{cls}'>{html}</tr>\n"


def bar_html(bar):
    what = escape(bar["name"])
    if "peer" in bar:
        what += f"<br><small>{escape(bar['ours'])} against {escape(bar['peer'])}</small>"
    if "limit" in bar:
        what += f"<br><small class='note'>Limit: {escape(bar['limit'])}</small>"
    spread = bar.get("spread")
    value, between = ("–", "–")
    if spread:
        value = f"{bar['value']:.3f}"
        between = f"{spread['p10']:.3f} … {spread['p90']:.3f}"
    status = f"<span class='{bar['status'].split()[0]}'>{bar['status']}</span>"
    rounds = spread["rounds"] if spread else 0
    cells = [(bar["number"], 1), (what, 0), (value, 1), (escape(bar["bar"]), 1), (between, 1)]
    return row_html(cells + [(rounds, 1), (status, 0)])


def table_html(table):
    head = "".join(f"<th class='n'>{escape(column)}</th>" for column in table.columns)
    html = "<details><summary>As a table: medians, p10 … p90 and rounds</summary>\n<table><tr>"
    html += f"<th></th>{head}</tr>\n"
    for name, cells in table.rows:
        shown = [(escape(name), 0)]
        for cell in cells:
            figures = scaled(cell) if cell else None
            text = "–"
            if figures:
                text = "{:.4g} <small>{:.4g} … {:.4g}, n={}</small>"
                text = text.format(*figures, cell["rounds"])
            shown.append((text, 1))
        html += row_html(shown, "ours" if name.startswith("evring") else "")
    return html + "</table></details>\n"


def others_html(report):
    html = "<h2>Limits and the rest</h2>\n<table><tr><th>Case</th><th class='n'>Median</th>"
    html += "<th class='n'>p10</th><th class='n'>p90</th><th class='n'>Rounds</th></tr>\n"
    for each in others_of(report):
        keys = ("median", "p10", "p90")
        figures = [human(each[key], each["unit"]) if each["rounds"] else "–" for key in keys]
        html += row_html(
            [(escape(each["id"]), 0)] + [(escape(f), 1) for f in figures] + [(each["rounds"], 1)]
        )
    return html + "</table>\n"


def machine_html(report):
    rows = list(report["machine"].items())
    elapsed = f"{len(report['rounds'])} in {report['elapsed_s']:.0f} s, seed {report['seed']}"
    rows.append(("rounds", elapsed))
    for peer in report["missing"]:
        rows.append(("not available", f"{peer['name']} (package {peer['package']})"))
    cells = "".join(f"<tr><th>{escape(k)}</th><td>{escape(str(v))}</td></tr>\n" for k, v in rows)
    return f"<h2>Where and how</h2>\n<table>\n{cells}</table>\n<p class='note'>{HOW}</p>\n"


def page(report):
    """The whole page, as text."""
    bars = report["bars"]
    html = "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
    html += "<meta name='viewport' content='width=device-width'><title>evring compared</title>"
    html += f"<style>{STYLE}</style></head><body>\n<h1>evring compared</h1>\n"
    html += f"<p class='lead'>{escape(summary(bars))}</p>\n<h2>Bars</h2>\n<p class='note'>How far "
    html += "each is reached: 1 is the bar, right of it is better; the line is p10 to p90.</p>\n"
    html += bars_plot(bars) + "<table><tr><th class='n'>#</th><th>What, and who stood on each side"
    html += "</th><th class='n'>Value</th><th class='n'>Bar</th><th class='n'>p10 … p90</th>"
    html += "<th class='n'>Rounds</th><th></th></tr>\n" + "".join(map(bar_html, bars))
    html += "</table>\n<h2>Figures</h2>\n"
    for table in tables_of(report):
        html += f"<h3>{escape(table.title)} <small>{escape(table.unit)}, medians of "
        html += f"{table.rounds}</small></h3>\n" + table_plot(table) + table_html(table)
    return html + others_html(report) + machine_html(report) + "</body></html>\n"
