# SPDX-License-Identifier: MIT
# evring_bench and evring_rig, with everything that evring is held against. A peer whose
# package is absent is left out, and the tables say so.
find_package(Boost REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(benchmark REQUIRED)
include(CheckIncludeFileCXX)

add_library(evring_loops STATIC
  rig/doorbell_look.cpp rig/parked.cpp rig/pollers.cpp rig/stopped.cpp rig/throughput.cpp)
target_link_libraries(evring_loops PUBLIC evring_rig_core evring::poller PRIVATE evring_options)

add_library(evring_contenders STATIC
  contenders/baselines.cpp contenders/boost.cpp contenders/evring.cpp)
target_link_libraries(evring_contenders PUBLIC evring_loops Boost::headers PRIVATE evring_options)

# evring_add_peer(<name> <package> FOUND|HEADERS... [LIBRARIES...]): contenders/<name>.cpp, if
# all that it includes is here.
set(peers)
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

evring_add_peer(moodycamel "libconcurrentqueue-dev and libreaderwriterqueue-dev"
  HEADERS concurrentqueue/concurrentqueue.h readerwriterqueue/readerwriterqueue.h)
evring_add_peer(atomic_queue libatomic-queue-dev HEADERS atomic_queue/atomic_queue.h)
evring_add_peer(tbb libtbb-dev HEADERS oneapi/tbb/concurrent_queue.h LIBRARIES tbb)
evring_add_peer(wfcqueue liburcu-dev HEADERS urcu/wfcqueue.h)

# rte_ring alone, as a list of flags for its one file: DPDK wants a CPU level and a forced
# header that no other file should get.
pkg_check_modules(DPDK QUIET libdpdk)
set(CMAKE_REQUIRED_FLAGS ${DPDK_CFLAGS})
string(REPLACE ";" " " CMAKE_REQUIRED_FLAGS "${CMAKE_REQUIRED_FLAGS}")
find_library(EVRING_RTE_RING_LIBRARY rte_ring)
find_library(EVRING_RTE_EAL_LIBRARY rte_eal)
evring_add_peer(rte_ring libdpdk-dev HEADERS rte_ring.h
  LIBRARIES ${EVRING_RTE_RING_LIBRARY} ${EVRING_RTE_EAL_LIBRARY})
unset(CMAKE_REQUIRED_FLAGS)
list(TRANSFORM DPDK_CFLAGS REPLACE "^-I(.+)$" "-isystem\\1")
set_source_files_properties(contenders/rte_ring.cpp PROPERTIES COMPILE_OPTIONS "${DPDK_CFLAGS}")

# Which loops and contenders there are: linked by each program itself, since the core asks for it.
add_library(evring_registry OBJECT contenders/registry.cpp rig/loops.cpp)
target_link_libraries(evring_registry PUBLIC evring_contenders PRIVATE evring_options)
target_compile_definitions(evring_registry PRIVATE "EVRING_PEERS=${peers}")

add_executable(evring_rig)
target_link_libraries(evring_rig PRIVATE evring_registry evring_rig_main)

add_executable(evring_bench evring_bench.cpp)
target_link_libraries(evring_bench PRIVATE evring_options evring_registry benchmark::benchmark)
