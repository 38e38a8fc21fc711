# SPDX-License-Identifier: MIT
"""The page: the bars, the tables, the rest. It needs neither script nor server nor network."""

from html import escape

from figures import summary
from tables import bars_table, facts_of, others_table, tables_of

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:66em;padding:0 1.2em;color:#1a202c}
h3{margin:1.6em 0 .3em}table{border-collapse:collapse;font-size:13px}
td,th{padding:.22em .7em;text-align:left;border-bottom:1px solid #e2e8f0;vertical-align:top}
td+td,th+th{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tr.ours td:first-child{font-weight:600}small{color:#718096}.lead{font-size:18px}
"""
HOW = (
    "A round runs each case once, in a process of its own and in shuffled order; cases that are "
    "compared run close together. A bar's value is the median over the rounds of the ratio within "
    "a round, and what fills half of its cell is the bar. Every payload is checked: a run that lost, "
    "repeated or tore an event without saying so has no figure, and one of ours fails its bars."
)


def cell_html(cell):
    filled = f"linear-gradient(to right,#bee3f8 {cell.share:.0%},transparent 0)"
    style = f" style='background:{filled}'" if cell.share else ""
    more = f" <small>{escape(cell.more)}</small>" if cell.more else ""
    return f"<td{style}>{escape(cell.text)}{more}</td>"


def table_html(table):
    head = "".join(f"<th>{escape(each)}</th>" for each in ["", *table.columns])
    html = f"<h3>{escape(table.title)}</h3>\n<table><tr>{head}</tr>\n"
    for row in table.rows:
        name = escape(row.name) + "".join(f"<br><small>{escape(n)}</small>" for n in row.notes)
        ours = " class='ours'" if row.name.startswith("evring") else ""
        html += f"<tr{ours}><td>{name}</td>{''.join(map(cell_html, row.cells))}</tr>\n"
    return html + "</table>\n"


def page(report):
    """The whole page, as text."""
    tables, others = tables_of(report)
    parts = [bars_table(report), *tables, others_table(others)]
    facts = "".join(f"<li>{escape(name)}: {escape(str(what))}" for name, what in facts_of(report))
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f"<title>evring compared</title><style>{STYLE}</style></head><body>\n"
        f"<h1>evring compared</h1>\n<p class='lead'>{escape(summary(report['bars']))}</p>\n"
        f"<p>{HOW}</p>\n{''.join(map(table_html, parts))}<ul>{facts}</ul></body></html>\n"
    )
