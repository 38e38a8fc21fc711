// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace evring::daemon {

std::string format_table(const Workers& workers) {
  std::size_t name_width = 8;
  std::size_t ring_width = 4;
  for (const auto& worker : workers) {
    name_width = std::max(name_width, worker->config().name.size());
    ring_width = std::max(ring_width, worker->config().ring.size());
  }
  std::string text =
      fmt::format("{:<{}}  {:<{}}  {:>3}  {:>14}  {:>12}  {:>9}  {:>8}  {:>9}  {:>9}  {:<8}\n",
                  "consumer", name_width, "ring", ring_width, "cpu", "received", "lost", "lag",
                  "overruns", "doorbells", "wake-ups", "balance");
  for (const auto& worker : workers) {
    const Account account = worker->account();
    const int cpu = worker->config().cpu;
    text += fmt::format(
        "{:<{}}  {:<{}}  {:>3}  {:>14}  {:>12}  {:>9}  {:>8}  {:>9}  {:>9}  {:<8}\n",
        worker->config().name, name_width, worker->config().ring, ring_width,
        cpu < 0 ? "any" : fmt::to_string(cpu), account.received, account.lost, account.lag,
        account.overruns, account.doorbells, account.wakes, account.balanced() ? "ok" : "BROKEN");
    for (const auto& [type, count] : worker->sink().by_type()) {
      text += fmt::format("{:<{}}    type {}: {} events\n", "", name_width, type, count);
    }
  }
  return text;
}

std::string format_json(const Workers& workers, bool is_final) {
  nlohmann::ordered_json report;
  report["final"] = is_final;
  bool balanced = true;
  auto consumers = nlohmann::ordered_json::array();
  for (const auto& worker : workers) {
    const Account account = worker->account();
    nlohmann::ordered_json entry = {{"name", worker->config().name},
                                    {"ring", worker->config().ring},
                                    {"cpu", worker->config().cpu},
                                    {"start", account.start},
                                    {"received", account.received},
                                    {"lost", account.lost},
                                    {"expected", account.expected},
                                    {"lag", account.lag},
                                    {"overruns", account.overruns},
                                    {"doorbells", account.doorbells},
                                    {"parks", account.parks},
                                    {"wakes", account.wakes},
                                    {"bursts", account.bursts},
                                    {"spurious_wakes", account.spurious_wakes},
                                    {"generations", account.generations},
                                    {"balanced", account.balanced()}};
    if (!worker->failure().empty()) entry["failure"] = worker->failure();
    if (is_final && worker->config().output == OutputKind::kCount) {
      for (const auto& [type, count] : worker->sink().by_type()) {
        entry["by_type"][fmt::to_string(type)] = count;
      }
    }
    balanced = balanced && account.balanced();
    consumers.push_back(std::move(entry));
  }
  report["balanced"] = balanced;
  report["consumers"] = std::move(consumers);
  return report.dump() + '\n';
}

}  // namespace evring::daemon
