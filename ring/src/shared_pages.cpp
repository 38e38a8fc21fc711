// SPDX-License-Identifier: MIT
// See shared_pages.hpp.
#include "shared_pages.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "system.hpp"

namespace evring {

SharedPages map_sealed_page(const FileDescriptor& file, const std::string& what) {
  // The seals first: only a memory file has them, and its size is asked of no file system.
  const int seals = ::fcntl(file.get(), F_GET_SEALS);
  struct stat info {};
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || ::fstat(file.get(), &info) != 0 ||
      info.st_size < static_cast<off_t>(kPageBytes)) {
    throw_errno(what + ": not a sealed page", EPROTO);
  }
  return SharedPages(file.get(), kPageBytes, PROT_READ | PROT_WRITE, what);
}

}  // namespace evring
