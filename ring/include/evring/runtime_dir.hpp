// SPDX-License-Identifier: MIT
// The folder where the programs of one user meet: sockets of named rings, the board of
// consumers. The one place that makes such folders and says which may be trusted.
// Set-up code, any thread. Throws RuntimeDirRefused naming the path, the reason and the
// remedy, or std::system_error naming the path; what is refused is left as it is.
#pragma once

#include <evring/descriptor.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace evring {

/// A folder that will not do. EPERM: whose it is, or who may write it; ENOTDIR: no folder,
/// or a link. what() is a whole line for people.
class RuntimeDirRefused : public std::system_error {
 public:
  using std::system_error::system_error;
};

/// A runtime folder, open, that has passed the checks. What lies in it is reached through
/// fd() and a name without '/', so that no link is followed on the way.
///
/// It is $XDG_RUNTIME_DIR/evring; where that is not set, /run/evring for root and
/// /tmp/evring-UID for others. It must be a folder of this user that nobody else may
/// write, in a folder of this user or of root where nobody else may replace it.
///
/// Rings for other users: all of them set EVRING_RUNTIME_DIR, an absolute path to a folder
/// that is there. To name it is to trust its owner, who may be anybody; to serve in it, it
/// must be root's or this user's. Others may write it if it is sticky.
class RuntimeDir {
 public:
  /// Where it is by the environment; nothing is looked at.
  static std::filesystem::path where();

  /// To serve or post in. Made where it is missing, but for EVRING_RUNTIME_DIR.
  static RuntimeDir make();

  /// To look only. @return nothing where there is no such folder.
  static std::optional<RuntimeDir> find();

  /// The same for a folder in this one, which obeys the same rules.
  RuntimeDir make_folder(const std::string& name) const;
  std::optional<RuntimeDir> find_folder(const std::string& name) const;

  /// What is in it, unsorted.
  std::vector<std::string> names() const;

  int fd() const noexcept { return folder_.get(); }
  const std::filesystem::path& path() const noexcept { return path_; }
  /// Whether EVRING_RUNTIME_DIR names it: files of others may be in it.
  bool is_shared() const noexcept { return is_shared_; }

 private:
  RuntimeDir(FileDescriptor folder, std::filesystem::path path, bool is_shared) noexcept
      : folder_(std::move(folder)), path_(std::move(path)), is_shared_(is_shared) {}

  FileDescriptor folder_;
  std::filesystem::path path_;
  bool is_shared_;
};

}  // namespace evring
