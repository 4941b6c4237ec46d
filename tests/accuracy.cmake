# SPDX-License-Identifier: MIT
# The tests of what the device computes: how accurate, always the same, and only where it should be.

add_library(clact_device_tests STATIC cases.c device.c)
target_compile_definitions(clact_device_tests PUBLIC _POSIX_C_SOURCE=200809L)
# A product and a sum that the compiler contracted would be no reference.
target_compile_options(clact_device_tests PUBLIC -ffp-contract=off)
target_link_libraries(clact_device_tests PUBLIC clact_reference clact::clact PkgConfig::CMOCKA
                                         PRIVATE clact_warnings)

add_executable(accuracy_test accuracy_test.c accuracy_table.c measure.c operands.c)
target_link_libraries(accuracy_test PRIVATE clact_device_tests clact_warnings Threads::Threads)
clact_add_test(NAME accuracy COMMAND accuracy_test)

# Every arithmetic at every vector width. The other dtypes are all right if they agree between widths.
foreach(width IN ITEMS 1 2 4 8 16)
  clact_add_test(NAME accuracy_w${width} COMMAND accuracy_test --coarse --f32 --width ${width})
endforeach()

clact_add_test(NAME exhaustive
  COMMAND accuracy_test --exhaustive --table "${PROJECT_BINARY_DIR}/accuracy.md"
  LABELS exhaustive TIMEOUT 3600)

foreach(test IN ITEMS agreement layout onnx_device sigmoid_examples)
  add_executable(${test}_test ${test}_test.c)
  target_link_libraries(${test}_test PRIVATE clact_device_tests clact_warnings)
  clact_add_test(NAME ${test} COMMAND ${test}_test)
endforeach()

if(NOT IS_DIRECTORY /usr/share/libonnx-testdata)
  clact_missing("libonnx-testdata is not there: its cases are skipped")
endif()

clact_add_test(NAME layout_stream COMMAND layout_test --stores stream)
# PoCL compiles for each size of a group, so that all properties would take minutes; in Oclgrind,
# which does not, they are tested.
foreach(stores IN ITEMS plain stream)
  clact_add_test(NAME layout_${stores}_g64
    COMMAND layout_test --stores ${stores} --group 64 --property "groups that are not full")
endforeach()
