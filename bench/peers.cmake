# SPDX-License-Identifier: MIT
# The queues of others: of each whose headers are here, contenders/<name>.cpp.
include(CheckIncludeFileCXX)

# evring_add_peer(<name> <package> HEADERS... [LIBRARIES...])
function(evring_add_peer name package)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "HEADERS;LIBRARIES")
  set(kind EVRING_PEER)
  foreach(header IN LISTS arg_HEADERS)
    string(MAKE_C_IDENTIFIER "EVRING_HAVE_${header}" found)
    check_include_file_cxx(${header} ${found})
    if(NOT ${found})
      message(STATUS "Peer ${name}: not available")
      set(kind EVRING_NO_PEER)
    endif()
  endforeach()
  if(kind STREQUAL EVRING_PEER)
    target_sources(evring_contenders PRIVATE contenders/${name}.cpp)
    target_link_libraries(evring_contenders PRIVATE ${arg_LIBRARIES})
  endif()
  set(peers "${peers} ${kind}(${name}, \"${package}\")" PARENT_SCOPE)
endfunction()

evring_add_peer(boost libboost-dev HEADERS boost/lockfree/queue.hpp)
evring_add_peer(moodycamel "libconcurrentqueue-dev and libreaderwriterqueue-dev"
  HEADERS concurrentqueue/concurrentqueue.h readerwriterqueue/readerwriterqueue.h)
evring_add_peer(atomic_queue libatomic-queue-dev HEADERS atomic_queue/atomic_queue.h)
evring_add_peer(tbb libtbb-dev HEADERS oneapi/tbb/concurrent_queue.h LIBRARIES tbb)
evring_add_peer(wfcqueue liburcu-dev HEADERS urcu/wfcqueue.h)

# rte_ring alone, as a list of flags for its one file: DPDK wants a CPU level and a forced
# header that no other file should get.
find_package(PkgConfig REQUIRED)
pkg_check_modules(DPDK QUIET libdpdk)
set(CMAKE_REQUIRED_FLAGS ${DPDK_CFLAGS})
string(REPLACE ";" " " CMAKE_REQUIRED_FLAGS "${CMAKE_REQUIRED_FLAGS}")
find_library(EVRING_RTE_RING_LIBRARY rte_ring)
find_library(EVRING_RTE_EAL_LIBRARY rte_eal)
evring_add_peer(rte_ring libdpdk-dev HEADERS rte_ring.h
  LIBRARIES ${EVRING_RTE_RING_LIBRARY} ${EVRING_RTE_EAL_LIBRARY})
unset(CMAKE_REQUIRED_FLAGS)
list(TRANSFORM DPDK_CFLAGS REPLACE "^-I(.+)$" "-isystem\\1")
set_source_files_properties(contenders/rte_ring.cpp PROPERTIES COMPILE_OPTIONS "${DPDK_CFLAGS}"
  SKIP_PRECOMPILE_HEADERS ON)
