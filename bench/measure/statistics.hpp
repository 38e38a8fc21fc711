// SPDX-License-Identifier: MIT
// Order statistics of a handful of figures. Empty input gives 0.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace evring::bench {

/// The value below which `fraction` of the sorted samples lie (nearest rank).
template <class Number>
Number percentile_sorted(const std::vector<Number>& sorted, double fraction) {
  if (sorted.empty()) return Number{};
  const double rank = std::ceil(fraction * static_cast<double>(sorted.size()));
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return sorted[std::min(index, sorted.size() - 1)];
}

template <class Number>
Number percentile(std::vector<Number> samples, double fraction) {
  std::sort(samples.begin(), samples.end());
  return percentile_sorted(samples, fraction);
}

template <class Number>
Number median(std::vector<Number> samples) {
  return percentile(std::move(samples), 0.5);
}

}  // namespace evring::bench
