// SPDX-License-Identifier: MIT
// See runtime_dir.hpp.
#include <evring/runtime_dir.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "system.hpp"

namespace evring {
namespace {

constexpr mode_t kWritableByOthers = S_IWGRP | S_IWOTH;
constexpr const char* kSharedVariable = "EVRING_RUNTIME_DIR";

enum class Owner { kThisUser, kThisUserOrRoot, kAnybody };

/// A directory of paths from the environment; empty when not set, or not absolute.
std::filesystem::path folder_from(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value != '/') return {};
  const std::filesystem::path path = std::filesystem::path(value).lexically_normal();
  return path.has_filename() ? path : path.parent_path();  // a '/' at the end follows links
}

bool is_shared_by_environment() {
  const char* value = std::getenv(kSharedVariable);
  return value != nullptr && *value != '\0';
}

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& reason,
                         const std::string& remedy, int error = EPERM) {
  throw RuntimeDirRefused(error, std::generic_category(),
                          path.native() + ": " + reason + "; " + remedy +
                              ", or name another folder by " + kSharedVariable);
}

/// @return an empty descriptor and ENOENT where there is nothing of that name.
FileDescriptor open_folder(int above, const std::filesystem::path& path, int flags) {
  const std::string name = above == AT_FDCWD ? path.native() : path.filename().native();
  FileDescriptor folder(::openat(above, name.c_str(), flags | O_DIRECTORY | O_CLOEXEC));
  if (!folder && (errno == ENOTDIR || errno == ELOOP)) {
    refuse(path, "not a folder (links are not followed)", "remove it", ENOTDIR);
  }
  if (!folder && errno != ENOENT) throw_errno(path.native() + ": open");
  return folder;
}

void check_owner(const std::filesystem::path& path, uid_t found, Owner owner) {
  if (owner == Owner::kAnybody || found == ::geteuid()) return;
  if (owner == Owner::kThisUserOrRoot && found == 0) return;
  refuse(path,
         "belongs to user " + std::to_string(found) + ", not to " + std::to_string(::geteuid()) +
             (owner == Owner::kThisUser ? "" : " or root"),
         "have its owner remove it");
}

/// @return its permissions.
mode_t check(const FileDescriptor& folder, const std::filesystem::path& path, Owner owner,
             bool may_be_sticky) {
  struct stat info {};
  if (::fstat(folder.get(), &info) != 0) throw_errno(path.native() + ": fstat");
  check_owner(path, info.st_uid, owner);
  const bool is_safe = may_be_sticky && (info.st_mode & S_ISVTX) != 0;
  if ((info.st_mode & kWritableByOthers) != 0 && !is_safe) {
    refuse(path, "others may write it", may_be_sticky ? "chmod go-w it, or +t" : "chmod go-w it");
  }
  return info.st_mode & 07777;
}

/// Whether a folder of that name was made just now.
bool make_one(int above, const std::filesystem::path& path) {
  const mode_t mode = ::geteuid() == 0 ? 0755 : 0700;
  if (::mkdirat(above, path.filename().c_str(), mode) == 0) return true;
  if (errno != EEXIST) throw_errno(path.native() + ": mkdir");
  return false;
}

/// The folder above the runtime folder: who can replace an entry of it can replace that.
FileDescriptor open_above(const std::filesystem::path& path, bool is_shared) {
  FileDescriptor above = open_folder(AT_FDCWD, path, O_PATH);
  if (above) check(above, path, is_shared ? Owner::kAnybody : Owner::kThisUserOrRoot, true);
  return above;
}

std::filesystem::path require_path() {
  std::filesystem::path path = RuntimeDir::where();
  if (path.empty()) throw_errno(std::string(kSharedVariable) + ": not an absolute path", EINVAL);
  return path;
}

}  // namespace

std::filesystem::path RuntimeDir::where() {
  if (is_shared_by_environment()) return folder_from(kSharedVariable);
  const std::filesystem::path runtime = folder_from("XDG_RUNTIME_DIR");
  if (!runtime.empty()) return runtime / "evring";
  if (::geteuid() == 0) return "/run/evring";
  return "/tmp/evring-" + std::to_string(::geteuid());
}

RuntimeDir RuntimeDir::make() {
  std::filesystem::path path = require_path();
  const bool is_shared = is_shared_by_environment();
  const FileDescriptor above = open_above(path.parent_path(), is_shared);
  if (!above) throw_errno(path.parent_path().native());
  if (!is_shared) make_one(above.get(), path);
  FileDescriptor folder = open_folder(above.get(), path, O_RDONLY | O_NOFOLLOW);
  if (!folder) throw_errno(path.native());
  check(folder, path, is_shared ? Owner::kThisUserOrRoot : Owner::kThisUser, is_shared);
  return {std::move(folder), std::move(path), is_shared};
}

std::optional<RuntimeDir> RuntimeDir::find() {
  std::filesystem::path path = require_path();
  const bool is_shared = is_shared_by_environment();
  const FileDescriptor above = open_above(path.parent_path(), is_shared);
  if (!above) return std::nullopt;
  FileDescriptor folder = open_folder(above.get(), path, O_RDONLY | O_NOFOLLOW);
  if (!folder) return std::nullopt;
  check(folder, path, is_shared ? Owner::kAnybody : Owner::kThisUser, is_shared);
  return RuntimeDir(std::move(folder), std::move(path), is_shared);
}

RuntimeDir RuntimeDir::make_folder(const std::string& name) const {
  const bool is_new = make_one(fd(), path_ / name);
  std::optional<RuntimeDir> inner = find_folder(name);
  if (!inner) throw_errno((path_ / name).native());
  if (is_new && is_shared_) {  // whoever may write this one may write that one
    struct stat info {};
    if (::fstat(fd(), &info) != 0 || ::fchmod(inner->fd(), info.st_mode & 03777) != 0) {
      throw_errno(inner->path().native() + ": chmod");
    }
  }
  return *std::move(inner);
}

std::optional<RuntimeDir> RuntimeDir::find_folder(const std::string& name) const {
  std::filesystem::path path = path_ / name;
  FileDescriptor folder = open_folder(fd(), path, O_RDONLY | O_NOFOLLOW);
  if (!folder) return std::nullopt;
  check(folder, path, is_shared_ ? Owner::kAnybody : Owner::kThisUser, is_shared_);
  return RuntimeDir(std::move(folder), std::move(path), is_shared_);
}

std::vector<std::string> RuntimeDir::names() const {
  const auto close_folder = [](DIR* folder) { ::closedir(folder); };
  const int copy = ::openat(fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, decltype(close_folder)> folder(copy < 0 ? nullptr : ::fdopendir(copy));
  if (folder == nullptr) throw_errno(path_.native() + ": open");
  std::vector<std::string> found;
  while (const dirent* entry = ::readdir(folder.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") found.push_back(std::move(name));
  }
  return found;
}

}  // namespace evring
