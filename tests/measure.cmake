# SPDX-License-Identifier: MIT
# The reference that results are judged by, and the measuring of a device's results against it: what the
# tests, the command's `verify` and the benchmark have in common. None of it needs a test framework.

# This part needs only the library's header.
add_library(clact_reference STATIC dtype.c reference.c ulp.c ulp_f32.c)
target_include_directories(clact_reference PUBLIC
  "${CMAKE_CURRENT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
target_link_libraries(clact_reference PUBLIC OpenCL::OpenCL m PRIVATE clact_warnings)
# A product and a sum that the compiler contracted would be no reference.
target_compile_options(clact_reference PUBLIC -ffp-contract=off)
# Without a care for exceptions, comparisons may become vector instructions too.
set_source_files_properties(ulp_f32.c PROPERTIES COMPILE_OPTIONS -fno-trapping-math)

add_library(clact_measure STATIC accuracy.c judge.c measure.c op_case.c operands.c special_values.c)
target_compile_definitions(clact_measure PRIVATE _POSIX_C_SOURCE=200809L)
target_link_libraries(clact_measure PUBLIC clact_reference clact::clact Threads::Threads
                                    PRIVATE clact_warnings)
foreach(library IN ITEMS clact_reference clact_measure)
  set_target_properties(${library} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
endforeach()
