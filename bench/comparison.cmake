# SPDX-License-Identifier: MIT
# evring_bench and evring_rig, with everything that evring is held against.
find_package(Threads REQUIRED)
find_package(Boost REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(benchmark REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)

# The contenders and the loops that drive them. A peer whose package is absent is
# left out, and the tables say so.
add_library(evring_contenders STATIC
  measure/bare_lines.cpp
  measure/doorbell_look.cpp
  measure/machine.cpp
  measure/many_rings.cpp
  measure/parked.cpp
  measure/poller_rig.cpp
  measure/rate_sweep.cpp
  measure/registry.cpp
  measure/registry_baselines.cpp
  measure/registry_evring.cpp
  measure/registry_peers.cpp
  measure/stopped_consumer.cpp
  measure/thread.cpp
  measure/ticks.cpp
  measure/wake.cpp)
target_link_libraries(evring_contenders
  PUBLIC evring_bench_headers evring::poller evring::ring Boost::headers Threads::Threads
  PRIVATE evring_options)

# evring_add_peer(<NAME> <found> [libraries...])
function(evring_add_peer name found)
  if(NOT found)
    message(STATUS "Peer ${name}: not available")
    return()
  endif()
  target_compile_definitions(evring_contenders PRIVATE EVRING_WITH_${name})
  target_link_libraries(evring_contenders PRIVATE ${ARGN})
endfunction()

include(CheckIncludeFileCXX)
check_include_file_cxx(concurrentqueue/concurrentqueue.h EVRING_HAVE_CONCURRENTQUEUE)
check_include_file_cxx(readerwriterqueue/readerwriterqueue.h EVRING_HAVE_READERWRITERQUEUE)
check_include_file_cxx(atomic_queue/atomic_queue.h EVRING_HAVE_ATOMIC_QUEUE)
check_include_file_cxx(oneapi/tbb/concurrent_queue.h EVRING_HAVE_TBB)
check_include_file_cxx(urcu/wfcqueue.h EVRING_HAVE_WFCQUEUE)
if(EVRING_HAVE_CONCURRENTQUEUE AND EVRING_HAVE_READERWRITERQUEUE)
  set(EVRING_HAVE_MOODYCAMEL ON)
else()
  set(EVRING_HAVE_MOODYCAMEL OFF)
endif()
pkg_check_modules(DPDK QUIET libdpdk)
if(DPDK_FOUND)
  # rte_ring alone, as a list of flags for its one file: DPDK wants a CPU level and a
  # forced header that no other file should get.
  list(TRANSFORM DPDK_CFLAGS REPLACE "^-I(.+)$" "-isystem\\1")
  set_source_files_properties(measure/registry_rte_ring.cpp PROPERTIES
    COMPILE_OPTIONS "${DPDK_CFLAGS}")
  target_sources(evring_contenders PRIVATE measure/registry_rte_ring.cpp)
  find_library(EVRING_RTE_RING_LIBRARY rte_ring)
  find_library(EVRING_RTE_EAL_LIBRARY rte_eal)
endif()

evring_add_peer(RTE_RING "${DPDK_FOUND}"
  ${EVRING_RTE_RING_LIBRARY} ${EVRING_RTE_EAL_LIBRARY})
evring_add_peer(MOODYCAMEL "${EVRING_HAVE_MOODYCAMEL}")
evring_add_peer(ATOMIC_QUEUE "${EVRING_HAVE_ATOMIC_QUEUE}")
evring_add_peer(TBB "${EVRING_HAVE_TBB}" tbb)
evring_add_peer(WFCQUEUE "${EVRING_HAVE_WFCQUEUE}")

add_executable(evring_bench evring_bench.cpp evring_bench_cost.cpp evring_bench_cores.cpp)
target_link_libraries(evring_bench
  PRIVATE evring_options evring_contenders benchmark::benchmark fmt::fmt)

# The loops by name, and the program that runs one of them and prints its record.
add_library(evring_loops STATIC
  comparison/cases.cpp
  comparison/loops_idle.cpp
  comparison/loops_instructions.cpp
  comparison/loops_limits.cpp
  comparison/loops_queues.cpp
  comparison/loops_stopped.cpp
  comparison/process.cpp)
target_link_libraries(evring_loops
  PUBLIC evring_contenders nlohmann_json::nlohmann_json
  PRIVATE evring_options fmt::fmt)

add_executable(evring_rig rig/main.cpp)
target_link_libraries(evring_rig PRIVATE evring_options evring_loops CLI11::CLI11 fmt::fmt)
