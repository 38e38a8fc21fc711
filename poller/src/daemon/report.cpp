// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace evring::daemon {
namespace {

using Json = nlohmann::ordered_json;

std::string format_output(const Worker& worker, std::size_t name_width) {
  const OutputAccount output = worker.output().account();
  std::string text;
  if (worker.config().output != OutputKind::kNone) {
    text = fmt::format("{:<{}}    {}: received {}, delivered {}, dropped {}, pending {}{}\n", "",
                       name_width, output_name(worker.config()), output.received, output.delivered,
                       output.dropped, output.pending, output.balanced() ? "" : ", BROKEN");
  }
  for (const auto& [type, count] : output.by_type) {
    text += fmt::format("{:<{}}    type {}: {} events\n", "", name_width, type, count);
  }
  if (output.of_other_types != 0) {
    text +=
        fmt::format("{:<{}}    other types: {} events\n", "", name_width, output.of_other_types);
  }
  return text;
}

Json output_json(const ConsumerConfig& config, const OutputAccount& output) {
  Json entry = {{"kind", output_name(config)},   {"received", output.received},
                {"delivered", output.delivered}, {"dropped", output.dropped},
                {"pending", output.pending},     {"torn", output.torn},
                {"balanced", output.balanced()}};
  if (!output.failure.empty()) entry["failure"] = output.failure;
  return entry;
}

Json consumer_json(const Worker& worker, const Account& account) {
  return {{"name", worker.config().name},
          {"ring", worker.config().ring},
          {"state", to_string(worker.state())},
          {"cpu", worker.config().cpu},
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
}

}  // namespace

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
    text += format_output(*worker, name_width);
  }
  return text;
}

std::string format_json(const Workers& workers, bool is_final) {
  Json report;
  report["final"] = is_final;
  bool balanced = true;
  auto consumers = Json::array();
  for (const auto& worker : workers) {
    const Account account = worker->account();
    const OutputAccount output = worker->output().account();
    Json entry = consumer_json(*worker, account);
    entry["output"] = output_json(worker->config(), output);
    if (const std::string failure = worker->failure(); !failure.empty()) entry["failure"] = failure;
    if (is_final) {
      for (const auto& [type, count] : output.by_type) {
        entry["by_type"][fmt::to_string(type)] = count;
      }
      if (output.of_other_types != 0) entry["by_type"]["other"] = output.of_other_types;
    }
    balanced = balanced && account.balanced() && output.balanced();
    consumers.push_back(std::move(entry));
  }
  report["balanced"] = balanced;
  report["consumers"] = std::move(consumers);
  return report.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::vector<std::string> failures(const Workers& workers) {
  std::vector<std::string> lines;
  for (const auto& worker : workers) {
    if (const std::string failure = worker->failure(); !failure.empty()) {
      lines.push_back(fmt::format("{}: {}", worker->config().name, failure));
    }
    if (std::string failure = worker->output().account().failure; !failure.empty()) {
      lines.push_back(std::move(failure));
    }
  }
  return lines;
}

}  // namespace evring::daemon
