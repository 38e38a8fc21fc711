// SPDX-License-Identifier: MIT
#include "tool/module.hpp"

#include <libkmod.h>

#include <memory>

namespace evring::tool {
namespace {

struct Release {
  void operator()(kmod_ctx* context) const noexcept { kmod_unref(context); }
  void operator()(kmod_module* module) const noexcept { kmod_module_unref(module); }
  void operator()(kmod_list* list) const noexcept { kmod_module_unref_list(list); }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;

/// What modprobe would load: by the index of this kernel's modules, wherever the file is.
std::string path_on_disk(kmod_ctx* context) {
  kmod_list* found = nullptr;
  if (kmod_module_new_from_lookup(context, "evring", &found) < 0) return "";
  const Owned<kmod_list> list(found);
  if (!list) return "";
  const Owned<kmod_module> module(kmod_module_get_module(list.get()));
  const char* path = kmod_module_get_path(module.get());
  return path == nullptr ? "" : path;
}

bool is_live(kmod_ctx* context) {
  kmod_module* found = nullptr;
  if (kmod_module_new_from_name(context, "evring", &found) < 0) return false;
  const Owned<kmod_module> module(found);
  const int state = kmod_module_get_initstate(module.get());
  return state == KMOD_MODULE_LIVE || state == KMOD_MODULE_BUILTIN;
}

}  // namespace

ModuleFound find_module() {
  const Owned<kmod_ctx> context(kmod_new(nullptr, nullptr));
  if (!context) return {};
  kmod_set_log_fn(
      context.get(), [](auto...) {}, nullptr);  // a missing index is an answer, not a message
  ModuleFound module{ModuleFound::State::kAbsent, path_on_disk(context.get())};
  if (is_live(context.get())) {
    module.state = ModuleFound::State::kLoaded;
  } else if (!module.path.empty()) {
    module.state = ModuleFound::State::kInstalled;
  }
  return module;
}

}  // namespace evring::tool
