# SPDX-License-Identifier: MIT
# The tests of what the device computes: how accurate, always the same, and only where it should be.

add_library(clact_device_tests STATIC cases.c device.c)
target_compile_definitions(clact_device_tests PUBLIC _POSIX_C_SOURCE=200809L)
target_link_libraries(clact_device_tests PUBLIC clact_measure PkgConfig::CMOCKA
                                         PRIVATE clact_warnings)

set(timeout_of_accuracy 1200)
set(timeout_of_agreement 1200)
set(timeout_of_layout 900)
# Two more tests run what the test of the accuracy has compiled: to compile it again would take minutes.
set(compiled "POCL_CACHE_DIR=${PROJECT_BINARY_DIR}/pocl-cache/accuracy")
set(environment_of_agreement "${compiled}")
foreach(test IN ITEMS accuracy agreement layout onnx_cases onnx_device sigmoid_examples)
  add_executable(${test}_test ${test}_test.c)
  target_link_libraries(${test}_test PRIVATE clact_device_tests clact_warnings)
  clact_add_test(NAME ${test} COMMAND ${test}_test TIMEOUT ${timeout_of_${test}}
    ENVIRONMENT "${environment_of_${test}}")
endforeach()

add_executable(extremes_test extremes_test.c extremes.c)
target_link_libraries(extremes_test PRIVATE clact_device_tests clact_warnings)
clact_add_test(NAME extremes COMMAND extremes_test ENVIRONMENT "${compiled}")
set_tests_properties(agreement PROPERTIES DEPENDS accuracy COST 900)
# What takes minutes begins first, so that no core has nothing to do at the end.
set_tests_properties(accuracy PROPERTIES COST 1000)
set_tests_properties(layout PROPERTIES COST 400)
set_tests_properties(extremes PROPERTIES DEPENDS "accuracy;agreement")
foreach(test IN ITEMS onnx_cases onnx_device)
  target_sources(${test}_test PRIVATE onnx_cases.c)
  target_link_libraries(${test}_test PRIVATE clact_onnx)
endforeach()

# All floats, in both arithmetics: half an hour each on two cores.
if(CLACT_BUILD_TOOLS)
  clact_add_test(NAME exhaustive
    COMMAND clact_command verify --exhaustive --markdown "${PROJECT_BINARY_DIR}/ACCURACY.md"
    LABELS exhaustive TIMEOUT 14400)
  clact_add_test(NAME exhaustive_doubles
    COMMAND clact_command verify --exhaustive --arithmetic doubles --dtype f32
    LABELS exhaustive TIMEOUT 14400)
endif()
clact_add_test(NAME agreement_all COMMAND agreement_test --all LABELS exhaustive TIMEOUT 14400)

if(NOT IS_DIRECTORY /usr/share/libonnx-testdata)
  clact_missing("libonnx-testdata is not there: its cases are skipped")
endif()

# How results are stored and how big a group is are not the formulas' matter.
set(shapes CLACT_TEST_SHAPES=1)
clact_add_test(NAME layout_stream COMMAND layout_test --stores stream ENVIRONMENT ${shapes})
# PoCL compiles for each size of a group, so that all properties would take minutes; in Oclgrind,
# which does not, they are tested.
foreach(stores IN ITEMS plain stream)
  clact_add_test(NAME layout_${stores}_g64
    COMMAND layout_test --stores ${stores} --group 64 --property "groups that are not full"
    ENVIRONMENT ${shapes})
endforeach()
set_tests_properties(layout_plain_g64 layout_stream_g64 PROPERTIES LABELS slow)
