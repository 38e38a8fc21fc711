// SPDX-License-Identifier: MIT
// SVG by hand: a scale, its ticks, and rows of dots.
#include "report_plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <vector>

namespace evring::bench {
namespace {

using nlohmann::json;

constexpr double kLeft = 210;
constexpr double kWidth = 640;
constexpr double kRow = 20;
constexpr double kTop = 44;
constexpr double kBarsLeft = 470;
constexpr double kBarsWidth = 400;
constexpr std::array<const char*, 5> kColours = {"#2b6cb0", "#dd6b20", "#2f855a", "#805ad5",
                                                 "#c53030"};

/// From values to pixels.
class Scale {
 public:
  static Scale linear(double largest, double left, double width) {
    return {false, 0, largest > 0 ? largest : 1, left, width};
  }
  static Scale logarithmic(double smallest, double largest, double left, double width) {
    return {true, std::log(smallest), std::log(std::max(largest, smallest * 1.01)), left, width};
  }

  double operator()(double value) const {
    const double at = logarithmic_ ? std::log(std::max(value, 1e-9)) : value;
    const double part = (at - from_) / (to_ - from_);
    return left_ + width_ * std::clamp(part, 0.0, 1.0);
  }

  /// 1, 2 and 5 times powers of ten (1 alone when there are many); for a linear scale about six
  /// even steps.
  std::vector<double> ticks() const {
    std::vector<double> found;
    if (logarithmic_) {
      const bool wide = to_ - from_ > 3 * std::log(10);
      for (double decade = std::pow(10, std::floor(from_ / std::log(10))); std::log(decade) <= to_;
           decade *= 10) {
        for (const double digit : {1., 2., 5.}) {
          if (digit != 1 && wide) continue;
          const double at = std::log(decade * digit);
          if (at >= from_ - 1e-9 && at <= to_ + 1e-9) found.push_back(decade * digit);
        }
      }
      return found;
    }
    const double rough = to_ / 6;
    const double decade = std::pow(10, std::floor(std::log10(rough)));
    double step = decade * 10;
    for (const double digit : {5., 2., 1.}) {
      if (decade * digit >= rough) step = decade * digit;
    }
    for (double at = 0; at <= to_ * 1.0001; at += step) found.push_back(at);
    return found;
  }

 private:
  Scale(bool logarithmic, double from, double to, double left, double width)
      : logarithmic_(logarithmic), from_(from), to_(to), left_(left), width_(width) {}
  bool logarithmic_;
  double from_;
  double to_;
  double left_;
  double width_;
};

std::string ticks_svg(const Scale& scale, double top, double bottom) {
  std::string svg;
  for (const double tick : scale.ticks()) {
    svg += fmt::format(
        "<line class='grid' x1='{0:.1f}' x2='{0:.1f}' y1='{1}' y2='{2}'/>"
        "<text class='tick' x='{0:.1f}' y='{3}'>{4:g}</text>\n",
        scale(tick), top, bottom, top - 5, tick);
  }
  return svg;
}

std::string legend_svg(const Table& table) {
  std::string svg;
  double x = kLeft;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    svg += fmt::format(
        "<circle cx='{:.1f}' cy='10' r='4.5' fill='{}'/><text x='{:.1f}' y='14'>{}"
        "</text>",
        x, kColours[i % kColours.size()], x + 9, escaped(table.columns[i]));
    x += 34 + 7.0 * static_cast<double>(table.columns[i].size());
  }
  return svg + fmt::format("<text class='unit' x='{:.1f}' y='14'>{}</text>\n", kLeft + kWidth,
                           escaped(table.unit));
}

std::string row_svg(const TableRow& row, const Scale& scale, double y) {
  std::string svg;
  if (row.ours) {
    svg += fmt::format("<rect class='ours' x='0' y='{:.1f}' width='{}' height='{}'/>", y - kRow / 2,
                       kLeft + kWidth + 10, kRow);
  }
  svg += fmt::format("<text class='name{}' x='{}' y='{:.1f}'>{}</text>", row.ours ? " ours" : "",
                     kLeft - 10, y + 4, escaped(row.name));
  const double spread = 9.0 / static_cast<double>(std::max<std::size_t>(row.cells.size(), 1));
  double at = y - spread * (static_cast<double>(row.cells.size()) - 1) / 2;
  for (std::size_t i = 0; i < row.cells.size(); ++i, at += spread) {
    if (!row.cells[i]) continue;
    const Cell& cell = *row.cells[i];
    const char* colour = kColours[i % kColours.size()];
    svg += fmt::format(
        "<line x1='{:.1f}' x2='{:.1f}' y1='{:.1f}' y2='{:.1f}' stroke='{}' stroke-width='1.5'/>"
        "<circle cx='{:.1f}' cy='{:.1f}' r='3.6' fill='{}'><title>{:.4g} ({:.4g} to {:.4g}, {} "
        "rounds)</title></circle>",
        scale(cell.p10), scale(cell.p90), at, at, colour, scale(cell.median), at, colour,
        cell.median, cell.p10, cell.p90, cell.round_count);
  }
  return svg + "\n";
}

Scale scale_of(const Table& table, const std::optional<PlotLimit>& limit) {
  double largest = limit ? limit->value : 0;
  double smallest = limit && limit->value > 0 ? limit->value : 1e300;
  for (const TableRow& row : table.rows) {
    for (const std::optional<Cell>& cell : row.cells) {
      if (!cell) continue;
      // One wild round stretches the scale by no more than half.
      largest = std::max(largest, std::min(cell->p90, 1.5 * cell->median));
      if (cell->p10 > 0) smallest = std::min(smallest, cell->p10);
    }
  }
  if (table.larger_is_better) return Scale::linear(largest * 1.03, kLeft, kWidth);
  return Scale::logarithmic(smallest * 0.9, largest * 1.1, kLeft, kWidth);
}

/// The part of the bar that is reached: 1 and more is all of it.
double reach(const json& bar, double value) {
  const std::string text = bar["bar"].get<std::string>();
  const double limit = std::strtod(text.c_str() + 3, nullptr);
  if (text.rfind(">=", 0) == 0) return limit > 0 ? value / limit : 1;
  return value > 0 ? limit / value : 1;
}

std::string bar_svg(const json& bar, const Scale& scale, double y) {
  std::string name =
      fmt::format("{}. {}", bar["number"].get<unsigned>(), bar["name"].get<std::string>());
  constexpr std::size_t kNameMax = 72;
  if (name.size() > kNameMax) name = name.substr(0, kNameMax - 1) + "…";
  std::string svg = fmt::format("<text class='name' x='{}' y='{:.1f}'>{}</text>", kBarsLeft - 10,
                                y + 4, escaped(name));
  if (bar["value"].is_null()) {
    return svg + fmt::format("<text class='quiet' x='{}' y='{:.1f}'>not measured</text>\n",
                             kBarsLeft + 4, y + 4);
  }
  const char* colour = bar["pass"].get<bool>() ? kColours[2] : kColours[4];
  const double middle = scale(reach(bar, bar["value"].get<double>()));
  const json& spread = bar["spread"];
  svg += fmt::format(
      "<line x1='{:.1f}' x2='{:.1f}' y1='{:.1f}' y2='{:.1f}' stroke='{}' stroke-width='1.5'/>"
      "<circle cx='{:.1f}' cy='{:.1f}' r='4.5' fill='{}'><title>{:.4g}, bar {}</title></circle>\n",
      scale(reach(bar, spread["p10"].get<double>())),
      scale(reach(bar, spread["p90"].get<double>())), y, y, colour, middle, y, colour,
      bar["value"].get<double>(), escaped(bar["bar"].get<std::string>()));
  return svg;
}

std::string svg_of(double width, double height, const std::string& inner) {
  return fmt::format(
      "<svg viewBox='0 0 {0:.0f} {1:.0f}' width='{0:.0f}' height='{1:.0f}' "
      "role='img'>\n{2}</svg>\n",
      width, height, inner);
}

}  // namespace

std::string dot_plot(const Table& table, const std::optional<PlotLimit>& limit) {
  const Scale scale = scale_of(table, limit);
  const double bottom = kTop + kRow * static_cast<double>(table.rows.size());
  std::string svg = legend_svg(table) + ticks_svg(scale, kTop, bottom);
  double y = kTop + kRow / 2;
  for (const TableRow& row : table.rows) {
    svg += row_svg(row, scale, y);
    y += kRow;
  }
  double height = bottom + 4;
  if (limit) {
    const double x = scale(limit->value);
    const bool on_right = x > kLeft + kWidth / 2;
    svg += fmt::format(
        "<line class='limit' x1='{0:.1f}' x2='{0:.1f}' y1='{1}' y2='{2}'/>"
        "<text class='limit' x='{0:.1f}' y='{3}' text-anchor='{4}'>{5}: {6}</text>\n",
        x, kTop, bottom + 6, bottom + 18, on_right ? "end" : "start", escaped(limit->name),
        human(limit->value, table.unit));
    height += 20;
  }
  return svg_of(kLeft + kWidth + 20, height, svg);
}

std::string bars_plot(const json& bars) {
  const Scale scale = Scale::logarithmic(0.2, 5, kBarsLeft, kBarsWidth);
  constexpr double kBarsTop = 20;
  const double bottom = kBarsTop + kRow * static_cast<double>(bars.size());
  std::string svg = ticks_svg(scale, kBarsTop, bottom);
  svg += fmt::format("<line class='bar' x1='{0:.1f}' x2='{0:.1f}' y1='{1}' y2='{2}'/>\n", scale(1),
                     kBarsTop, bottom);
  double y = kBarsTop + kRow / 2;
  for (const json& bar : bars) {
    svg += bar_svg(bar, scale, y);
    y += kRow;
  }
  return svg_of(kBarsLeft + kBarsWidth + 20, bottom + 4, svg);
}

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
      case '\'':
        out += "&#39;";
        break;
      default:
        out += letter;
    }
  }
  return out;
}

}  // namespace evring::bench
