// SPDX-License-Identifier: MIT
// Injection into rings that others produce: the kernel's devices, and local rings through
// their owners. Both take the same bytes, laid out as struct evring_inject says.
#include <cerrno>
#include <cstring>
#include <evring/local_injector.hpp>
#include <evring/poller/pace.hpp>
#include <optional>

#include "cli/inject/inject.hpp"
#include "tool/kernel_access.hpp"

namespace evring::cli {
namespace {

struct Tally {
  std::uint64_t offered = 0;
  std::uint64_t published = 0;
  std::uint64_t lock_wait_ns = 0;
};

/// A batch as bytes, and how they are cut into events.
struct Packed {
  std::vector<std::uint64_t> words;
  std::uint32_t event_count;
  std::uint32_t event_bytes;
};

Packed pack(const std::vector<std::string>& batch, std::uint32_t type, std::size_t payload_bytes) {
  const std::size_t event_bytes = 8 + payload_bytes;
  Packed packed{std::vector<std::uint64_t>(batch.size() * event_bytes / 8),
                static_cast<std::uint32_t>(batch.size()), static_cast<std::uint32_t>(event_bytes)};
  auto* bytes = reinterpret_cast<char*>(packed.words.data());
  for (std::size_t i = 0; i < batch.size(); ++i, bytes += event_bytes) {
    packed.words[i * event_bytes / 8] = EVRING_TYPE_LENGTH(type, batch[i].size());
    std::memcpy(bytes + 8, batch[i].data(), batch[i].size());
  }
  return packed;
}

/// `Target` is Device or LocalInjector.
template <class Target>
Tally inject_all(const InjectOptions& options, PayloadSource& source, Target& target,
                 std::size_t payload_bytes) {
  Tally tally;
  Pace pace(options.rate_hz);
  while (!stop::sleep_until(pace.next())) {
    const std::vector<std::string> batch = source.next_batch(payload_bytes);
    if (batch.empty()) break;
    const Packed packed = pack(batch, options.type, payload_bytes);
    const auto done = target.inject(packed.words.data(), packed.event_count, packed.event_bytes);
    tally.offered += batch.size();
    tally.published += done.published_count;
    if constexpr (requires { done.lock_wait_ns; }) tally.lock_wait_ns += done.lock_wait_ns;
  }
  return tally;
}

void print_tally(const std::string& name, const Tally& tally, bool is_device, bool json) {
  const std::uint64_t dropped = tally.offered - tally.published;
  if (!json) {
    print("{}: offered {}, published {}, dropped {}\n", name, tally.offered, tally.published,
          dropped);
    return;
  }
  Json account = {{"name", name},
                  {"offered", tally.offered},
                  {"published", tally.published},
                  {"dropped", dropped}};
  if (is_device) account["lock_wait_ns"] = tally.lock_wait_ns;
  print_json(account);
}

[[noreturn]] void explain_device(const std::string& name, const std::system_error& error) {
  const int code = error.code().value();
  const std::string thing = fmt::format("device '{}'", name);
  if (code == EINVAL || code == EOPNOTSUPP) {
    throw failure(thing, "takes no injected events", "inject into one made with --source soft");
  }
  if (code == ENODEV)
    throw failure(thing, "was removed meanwhile", "'evring list' shows what is there");
  throw explain(thing, error);
}

[[noreturn]] void explain_local(const std::string& name, const std::system_error& error) {
  const std::string thing = fmt::format("local ring '{}'", name);
  switch (error.code().value()) {
    case EOPNOTSUPP:
      throw failure(thing, "its owner takes no events of others",
                    "inject into one of 'evring add --local'");
    case ECONNREFUSED:
      throw failure(thing, "its owner has ended", "'evring list' shows what is there");
    default:
      throw explain(thing, error);
  }
}

}  // namespace

int inject_device(const InjectOptions& options, PayloadSource& source) {
  Device device = open_device(options.name, Device::Access::kReadWrite);
  const std::size_t payload_bytes = device.map().geometry().slot.payload_bytes();
  try {
    print_tally(options.name, inject_all(options, source, device, payload_bytes), true,
                options.json);
  } catch (const std::system_error& error) {
    explain_device(options.name, error);
  }
  return kFine;
}

std::optional<int> inject_by_owner(const InjectOptions& options, PayloadSource& source) {
  std::optional<LocalInjector> owner;
  try {
    owner.emplace(options.name);
  } catch (const std::system_error& error) {
    const int code = error.code().value();
    if (code == ENOENT || code == ECONNREFUSED) return std::nullopt;
    explain_local(options.name, error);
  }
  const std::size_t payload_bytes = owner->mapping().geometry().slot.payload_bytes();
  try {
    print_tally("local:" + options.name, inject_all(options, source, *owner, payload_bytes), false,
                options.json);
  } catch (const std::system_error& error) {
    explain_local(options.name, error);
  }
  return kFine;
}

}  // namespace evring::cli
