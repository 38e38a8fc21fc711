# SPDX-License-Identifier: MIT
# What evring::poller links. Where it is missing, evring::ring can be used all the same.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(LIBURING QUIET IMPORTED_TARGET liburing>=2.3)
  pkg_check_modules(HWLOC QUIET IMPORTED_TARGET hwloc)
endif()
if(TARGET PkgConfig::LIBURING AND TARGET PkgConfig::HWLOC)
  set(evring_poller_FOUND TRUE)
else()
  set(evring_poller_FOUND FALSE)
  string(APPEND evring_NOT_FOUND_MESSAGE
    "evring::poller needs pkg-config, liburing 2.3 and hwloc with their headers. ")
endif()
