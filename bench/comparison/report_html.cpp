// SPDX-License-Identifier: MIT
// One page, plots as inline SVG: a row per contender, the median as a bar, p10 to p90
// as a line across it.
#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace evring::bench {
namespace {

using nlohmann::json;

constexpr const char* kStyle =
    "body{font:14px system-ui,sans-serif;margin:2em auto;max-width:70em;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:left;"
    "border-bottom:1px solid #ddd}td.n{text-align:right}.pass{color:#176d2c}"
    ".missed{color:#b3261e}rect.ours{fill:#2b6cb0}rect.peer{fill:#a0aec0}"
    "line{stroke:#222}text{font:12px system-ui,sans-serif}";

std::string escaped(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    switch (letter) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += letter;
    }
  }
  return out;
}

struct Row {
  std::string name;
  double median = 0;
  double p10 = 0;
  double p90 = 0;
  std::string unit;
};

/// "throughput/evring-gated/56B/burst32/1c/4096" is row "evring-gated" of plot
/// "throughput 56B burst32 1c 4096"; limits are rows of the plot "limits".
std::pair<std::string, std::string> plot_and_row(const std::string& id) {
  const std::size_t first = id.find('/');
  const std::size_t second = first == std::string::npos ? first : id.find('/', first + 1);
  if (second == std::string::npos || id.rfind("bare-", 0) == 0) {
    return {id.rfind("bare-", 0) == 0 ? "limits: bare lines streamed" : "limits: wake-ups", id};
  }
  std::string plot = id.substr(0, first) + " " + id.substr(second + 1);
  std::replace(plot.begin(), plot.end(), '/', ' ');
  return {plot, id.substr(first + 1, second - first - 1)};
}

std::string row_svg(const Row& row, double y, double largest) {
  constexpr double kLeft = 190;
  constexpr double kWidth = 560;
  const double scale = largest > 0 ? kWidth / largest : 0;
  const bool ours = row.name.rfind("evring", 0) == 0 || row.name.rfind("doorbell", 0) == 0;
  const std::string value = row.unit == "events/s" ? fmt::format("{:.2f} M/s", row.median / 1e6)
                                                   : fmt::format("{:.1f} {}", row.median, row.unit);
  return fmt::format(
      "<text x='{0}' y='{1}' text-anchor='end'>{2}</text>"
      "<rect class='{3}' x='{4}' y='{5}' width='{6:.1f}' height='14'/>"
      "<line x1='{7:.1f}' x2='{8:.1f}' y1='{9}' y2='{9}'/>"
      "<text x='{10:.1f}' y='{1}'>{11}</text>\n",
      kLeft - 8, y + 12, escaped(row.name), ours ? "ours" : "peer", kLeft, y, row.median * scale,
      kLeft + row.p10 * scale, kLeft + row.p90 * scale, y + 7,
      kLeft + std::max(row.median, row.p90) * scale + 8, value);
}

std::string plot_svg(const std::string& title, std::vector<Row> rows) {
  const bool rates = !rows.empty() && rows.front().unit == "events/s";
  std::sort(rows.begin(), rows.end(), [rates](const Row& a, const Row& b) {
    return rates ? a.median > b.median : a.median < b.median;
  });
  double largest = 0;
  for (const Row& row : rows) largest = std::max({largest, row.median, row.p90});
  std::string svg = fmt::format("<h3>{}</h3>\n<svg width='900' height='{}'>\n", escaped(title),
                                rows.size() * 20 + 4);
  double y = 2;
  for (const Row& row : rows) {
    svg += row_svg(row, y, largest);
    y += 20;
  }
  return svg + "</svg>\n";
}

std::string bars_table(const json& bars) {
  std::string html =
      "<table><tr><th>#</th><th>What</th><th>Value</th><th>Bar</th><th>p10</th><th>p90</th>"
      "<th>Rounds</th><th></th></tr>\n";
  for (const json& bar : bars) {
    const bool pass = bar["pass"].get<bool>();
    html += fmt::format(
        "<tr><td>{}</td><td>{}</td><td class='n'>{}</td><td>{}</td><td class='n'>{:.3f}</td>"
        "<td class='n'>{:.3f}</td><td class='n'>{}</td><td class='{}'>{}</td></tr>\n",
        bar["number"].get<unsigned>(), escaped(bar["name"].get<std::string>()),
        bar["value"].is_null() ? "-" : fmt::format("{:.3f}", bar["value"].get<double>()),
        escaped(bar["bar"].get<std::string>()), bar["spread"]["p10"].get<double>(),
        bar["spread"]["p90"].get<double>(), bar["spread"]["rounds"].get<unsigned>(),
        pass ? "pass" : "missed", pass ? "pass" : "missed");
  }
  return html + "</table>\n";
}

}  // namespace

std::string report_html(const json& report) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang='en'><meta charset='utf-8'><title>evring compared</title>"
      "<style>{}</style>\n<h1>evring compared</h1>\n<table>\n",
      kStyle);
  for (const auto& [key, value] : report["machine"].items()) {
    html += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", escaped(key),
                        escaped(value.get<std::string>()));
  }
  html += "</table>\n<h2>Bars</h2>\n" + bars_table(report["bars"]) + "<h2>Figures</h2>\n";
  std::map<std::string, std::vector<Row>> plots;
  for (const json& each : report["cases"]) {
    if (each["rounds"].get<unsigned>() == 0) continue;
    const auto [plot, name] = plot_and_row(each["id"].get<std::string>());
    plots[plot].push_back({name, each["median"], each["p10"], each["p90"], each["unit"]});
  }
  for (auto& [title, rows] : plots) html += plot_svg(title, std::move(rows));
  for (const json& peer : report["missing"]) {
    html += fmt::format("<p>{}: not available (package {})</p>\n",
                        escaped(peer["name"].get<std::string>()),
                        escaped(peer["package"].get<std::string>()));
  }
  return html + "</html>\n";
}

}  // namespace evring::bench
