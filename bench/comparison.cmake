# SPDX-License-Identifier: MIT
# evring_rig with evring, plain queues and lists; and with EVRING_BUILD_PEERS all that evring is
# held against, and evring_bench. A peer whose package is absent is left out, and the tables say so.
add_library(evring_loops STATIC
  rig/doorbell_look.cpp rig/parked.cpp rig/pollers.cpp rig/stopped.cpp
  rig/throughput.cpp)
target_link_libraries(evring_loops PUBLIC evring_rig_core evring::poller PRIVATE evring_options)

add_library(evring_contenders STATIC contenders/baselines.cpp contenders/evring.cpp)
target_link_libraries(evring_contenders PUBLIC evring_loops PRIVATE evring_options)

target_precompile_headers(evring_loops REUSE_FROM evring_rig_core)
target_precompile_headers(evring_contenders REUSE_FROM evring_rig_core)

set(peers)
if(EVRING_BUILD_PEERS)
  include(peers.cmake)
endif()

# Which loops and contenders there are: linked by each program itself, since the core asks for it.
add_library(evring_registry OBJECT contenders/registry.cpp rig/loops.cpp)
target_link_libraries(evring_registry PUBLIC evring_contenders PRIVATE evring_options)
target_compile_definitions(evring_registry PRIVATE "EVRING_PEERS=${peers}")

add_executable(evring_rig)
target_link_libraries(evring_rig PRIVATE evring_registry evring_rig_main)
# Not for people's PATH: `evring bench` runs it.
install(TARGETS evring_rig RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/evring)

if(EVRING_BUILD_PEERS)
  find_package(benchmark REQUIRED)
  add_executable(evring_bench evring_bench.cpp)
  target_link_libraries(evring_bench PRIVATE evring_options evring_registry benchmark::benchmark)
endif()
