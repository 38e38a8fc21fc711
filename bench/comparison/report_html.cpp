// SPDX-License-Identifier: MIT
// The page: bars first, then a plot and a table for each axis, then the rest.
#include "report.hpp"

#include "report_plots.hpp"
#include "report_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace evring::bench {
namespace {

using nlohmann::json;

constexpr const char* kStyle = R"(
body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:66em;padding:0 1.2em;color:#1a202c}
h1{margin-bottom:.1em}h2{margin-top:2em;border-bottom:1px solid #cbd5e0}h3{margin:1.6em 0 .3em}
table{border-collapse:collapse;font-size:13px;margin:.4em 0}
td,th{padding:.22em .7em;text-align:left;border-bottom:1px solid #e2e8f0;vertical-align:top}
th{background:#f7fafc}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tr.ours td{background:#ebf4ff}small{color:#718096}
.pass{color:#276749;font-weight:600}.missed{color:#c53030;font-weight:600}.none{color:#718096}
.lead{font-size:18px}p.note,small.note{color:#4a5568}
svg{max-width:100%;height:auto;display:block}svg text{font:12px system-ui,sans-serif;fill:#1a202c}
text.name{text-anchor:end}text.ours{font-weight:600}text.tick{fill:#718096;text-anchor:middle}text.unit{fill:#718096;text-anchor:end}
text.quiet{fill:#a0aec0}text.limit{fill:#4a5568}rect.ours{fill:#ebf4ff}
line.grid{stroke:#e2e8f0}line.limit{stroke:#4a5568;stroke-dasharray:5 3}line.bar{stroke:#1a202c;stroke-width:1.5}
details{margin:.3em 0 1em}summary{cursor:pointer;color:#2b6cb0}
)";

std::string number(double value) {
  return fmt::format("{:.{}f}", value, value >= 100 ? 1 : value >= 10 ? 2 : 3);
}

std::string bar_row(const json& bar) {
  const bool measured = !bar["value"].is_null();
  const json& spread = bar["spread"];
  std::string what = escaped(bar["name"].get<std::string>());
  if (bar.contains("peer")) {
    what += fmt::format("<br><small>{} against {}</small>", escaped(bar.value("ours", "")),
                        escaped(bar.value("peer", "")));
  }
  if (bar.contains("limit")) {
    what +=
        "<br><small class='note'>Limit: " + escaped(bar["limit"].get<std::string>()) + "</small>";
  }
  const bool pass = bar["pass"].get<bool>();
  return fmt::format(
      "<tr><td class='n'>{}</td><td>{}</td><td class='n'>{}</td><td class='n'>{}</td>"
      "<td class='n'>{}</td><td class='n'>{}</td><td class='{}'>{}</td></tr>\n",
      bar["number"].get<unsigned>(), what, measured ? number(bar["value"].get<double>()) : "–",
      escaped(bar["bar"].get<std::string>()),
      measured ? number(spread["p10"].get<double>()) + " … " + number(spread["p90"].get<double>())
               : "–",
      spread["rounds"].get<unsigned>(),
      pass       ? "pass"
      : measured ? "missed"
                 : "none",
      pass       ? "reached"
      : measured ? "missed"
                 : "not measured");
}

std::string bars_section(const json& bars) {
  std::string html =
      "<h2>Bars</h2>\n<p class='note'>How far each is reached: 1 is the bar, right "
      "of it is better; the line is p10 to p90 over the rounds.</p>\n" +
      bars_plot(bars) +
      "<table><tr><th class='n'>#</th><th>What, and who stood on each side</th>"
      "<th class='n'>Value</th><th class='n'>Bar</th><th class='n'>p10 … p90</th>"
      "<th class='n'>Rounds</th><th></th></tr>\n";
  for (const json& bar : bars) html += bar_row(bar);
  return html + "</table>\n";
}

std::string table_html(const Table& table) {
  std::string html = fmt::format("<details><summary>{} as a table</summary>\n<table><tr><th></th>",
                                 "Medians, p10 … p90 and rounds");
  for (const std::string& column : table.columns) {
    html += "<th class='n'>" + escaped(column) + "</th>";
  }
  html += "</tr>\n";
  for (const TableRow& row : table.rows) {
    html += fmt::format("<tr{}><td>{}</td>", row.ours ? " class='ours'" : "", escaped(row.name));
    for (const std::optional<Cell>& cell : row.cells) {
      html += cell ? fmt::format("<td class='n'>{} <small>{} … {}, n={}</small></td>",
                                 number(cell->median), number(cell->p10), number(cell->p90),
                                 cell->round_count)
                   : std::string("<td class='n none'>–</td>");
    }
    html += "</tr>\n";
  }
  return html + "</table></details>\n";
}

const json* case_named(const json& report, const std::string& id) {
  for (const json& each : report["cases"]) {
    if (each["id"] == id && each["rounds"].get<unsigned>() != 0) return &each;
  }
  return nullptr;
}

/// What the machine allows of what the table shows.
std::optional<PlotLimit> limit_of(const Table& table, const json& report) {
  const auto titled = [&table](const char* part) {
    return table.title.find(part) != std::string::npos;
  };
  const bool line_each = titled("56 B") || titled("default slot");  // 16 B: two events a line
  if (table.unit == "M/s" && line_each && !titled("Work sharing")) {
    PlotLimit limit{"bare lines streamed", 0};
    for (const char* id : {"bare-plain/burst32/4096", "bare-plain/burst256/4096",
                           "bare-vector/burst32/4096", "bare-vector/burst256/4096"}) {
      const json* found = case_named(report, id);
      if (found != nullptr)
        limit.value = std::max(limit.value, (*found)["median"].get<double>() / 1e6);
    }
    if (limit.value > 0) return limit;
  }
  return std::nullopt;
}

std::string others_section(const json& report) {
  const std::vector<json> others = other_cases_of(report);
  if (others.empty()) return {};
  std::string html =
      "<h2>Limits and the rest</h2>\n<table><tr><th>Case</th><th class='n'>Median</th>"
      "<th class='n'>p10</th><th class='n'>p90</th><th class='n'>Rounds</th></tr>\n";
  for (const json& each : others) {
    const std::string unit = each["unit"].get<std::string>();
    const bool any = each["rounds"].get<unsigned>() != 0;
    const auto shown = [&](const char* key) {
      return any ? human(each[key].get<double>(), unit) : std::string("–");
    };
    html += fmt::format(
        "<tr><td>{}</td><td class='n'>{}</td><td class='n'>{}</td>"
        "<td class='n'>{}</td><td class='n'>{}</td></tr>\n",
        escaped(each["id"].get<std::string>()), escaped(shown("median")), escaped(shown("p10")),
        escaped(shown("p90")), each["rounds"].get<unsigned>());
  }
  return html + "</table>\n";
}

std::string machine_section(const json& report) {
  std::string html = "<h2>Where and how</h2>\n<table>\n";
  for (const auto& [key, value] : report["machine"].items()) {
    html += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", escaped(key),
                        escaped(value.get<std::string>()));
  }
  html += fmt::format("<tr><th>rounds</th><td>{} in {:.0f} s, seed {}</td></tr>\n",
                      report["rounds"].size(), report["elapsed_s"].get<double>(),
                      report["seed"].get<std::uint64_t>());
  for (const json& peer : report["missing"]) {
    html += fmt::format("<tr><th>not available</th><td>{} (package {})</td></tr>\n",
                        escaped(peer["name"].get<std::string>()),
                        escaped(peer["package"].get<std::string>()));
  }
  return html +
         "</table>\n<p class='note'>A round runs each case once, in a process of its own and in "
         "shuffled order; cases that are compared run close together. A bar's value is the median "
         "over the rounds of the ratio within a round; where several could stand on a side, the "
         "one with the best median over all rounds does, in every round. Every payload is "
         "checked: a run that lost, repeated or tore an event without saying so has no figure. "
         "Columns marked “over” have more threads than the machine has CPUs; those run in "
         "SCHED_OTHER.</p>\n";
}

}  // namespace

std::string report_html(const json& report) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
      "<meta name='viewport' content='width=device-width'><title>evring compared</title>"
      "<style>{}</style></head><body>\n<h1>evring compared</h1>\n<p class='lead'>{}</p>\n",
      kStyle, summary_of_bars(report["bars"]));
  html += bars_section(report["bars"]) + "<h2>Figures</h2>\n";
  for (const Table& table : tables_of(report)) {
    html += fmt::format("<h3>{} <small>{}, medians of {}</small></h3>\n", escaped(table.title),
                        escaped(table.unit), rounds_of(table));
    html += dot_plot(table, limit_of(table, report)) + table_html(table);
  }
  return html + others_section(report) + machine_section(report) + "</body></html>\n";
}

}  // namespace evring::bench
