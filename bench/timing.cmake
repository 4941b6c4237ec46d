# SPDX-License-Identifier: MIT
# What the benchmark and the command's `bench` have in common: the timing of clact beside others, and the
# report. None of it needs another library.

set(rivals "${CMAKE_CURRENT_BINARY_DIR}/embedded_rivals.h")
clact_embed(OUTPUT "${rivals}" "${CMAKE_CURRENT_SOURCE_DIR}/copy.cl"
                               "${CMAKE_CURRENT_SOURCE_DIR}/builtin.cl")

add_library(clact_timing STATIC check.c contest.c device_sorts.c field.c job.c load.c peer.c report.c
                                report_files.c rival.c sizes.c statistics.c "${rivals}")
target_compile_definitions(clact_timing PUBLIC _POSIX_C_SOURCE=200809L)
target_include_directories(clact_timing
  PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}" PRIVATE "${CMAKE_CURRENT_BINARY_DIR}")
target_link_libraries(clact_timing PUBLIC clact_reference clact::clact PRIVATE clact_warnings)
set_target_properties(clact_timing PROPERTIES
  C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
