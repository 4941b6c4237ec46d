# SPDX-License-Identifier: MIT
# The tests of the composites, each a file with the name of its header.

# loss
add_library(clact_loss_reference STATIC loss_fixture.c loss_reference.c)
set_target_properties(clact_loss_reference PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
target_link_libraries(clact_loss_reference
  PUBLIC clact_host_fixture clact_device_tests PRIVATE clact_warnings)
foreach(test IN ITEMS loss_accuracy loss_errors loss_layout loss_values)
  clact_add_host_test(${test} ENVIRONMENT ${layer})
  target_link_libraries(${test}_test PRIVATE clact_loss_reference)
endforeach()
clact_add_host_test(loss_large LABELS large)

# gated
add_executable(gated_accuracy_test gated_accuracy_test.c)
target_link_libraries(gated_accuracy_test PRIVATE clact_device_tests clact_warnings)
clact_add_test(NAME gated_accuracy COMMAND gated_accuracy_test TIMEOUT 1200)
clact_add_test(NAME gated_accuracy_all COMMAND gated_accuracy_test --all
  LABELS exhaustive TIMEOUT 14400)
clact_add_host_test(gated ENVIRONMENT ${layer} TIMEOUT 900)
clact_add_host_test(gated_errors ENVIRONMENT ${layer})

# epilogue
clact_add_host_test(epilogue ENVIRONMENT ${layer} TIMEOUT 900)
clact_add_host_test(epilogue_layout ENVIRONMENT ${layer} TIMEOUT 900)
foreach(test IN ITEMS epilogue epilogue_layout)
  target_sources(${test}_test PRIVATE epilogue_calls.c)
endforeach()
clact_add_host_test(epilogue_errors ENVIRONMENT ${layer})
clact_add_test(NAME epilogue_all COMMAND epilogue_test --all LABELS exhaustive TIMEOUT 14400)

# recurrent
add_library(clact_recurrent_cells STATIC
  recurrent_cells.c recurrent_operands.c recurrent_reference.c)
set_target_properties(clact_recurrent_cells PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
target_link_libraries(clact_recurrent_cells
  PUBLIC clact_host_fixture clact_device_tests PRIVATE clact_warnings)

foreach(test IN ITEMS recurrent recurrent_errors recurrent_gradient recurrent_layout recurrent_onnx)
  add_executable(${test}_test ${test}_test.c)
  set_target_properties(${test}_test PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
  target_link_libraries(${test}_test PRIVATE clact_recurrent_cells clact_warnings)
endforeach()
# Each of these compiles dozens of kernels.
foreach(variant IN ITEMS "f32 in pairs" "f32 in doubles" f16 bf16 f64)
  string(REPLACE " " "_" name "recurrent_${variant}")
  clact_add_test(NAME ${name} COMMAND recurrent_test ${variant} TIMEOUT 900)
endforeach()
target_sources(recurrent_onnx_test PRIVATE onnx_cases.c onnx_cells.c)
target_link_libraries(recurrent_onnx_test PRIVATE clact_onnx)
clact_add_test(NAME recurrent_onnx COMMAND recurrent_onnx_test)
clact_add_test(NAME recurrent_errors COMMAND recurrent_errors_test ENVIRONMENT ${layer})
clact_add_test(NAME recurrent_gradient COMMAND recurrent_gradient_test)
clact_add_test(NAME recurrent_layout COMMAND recurrent_layout_test ENVIRONMENT ${layer} TIMEOUT 900)

# softmax
foreach(test IN ITEMS softmax_accuracy softmax softmax_values softmax_errors softmax_onnx)
  clact_add_host_test(${test}
    ENVIRONMENT ${layer} "POCL_CACHE_DIR=${PROJECT_BINARY_DIR}/pocl-cache/softmax")
  target_sources(${test}_test PRIVATE softmax_reference.c)
  set_tests_properties(${test} PROPERTIES RESOURCE_LOCK softmax_cache) # PoCL's is for one at a time
endforeach()
target_sources(softmax_onnx_test PRIVATE onnx_cases.c)
target_link_libraries(softmax_onnx_test PRIVATE clact_onnx)

# Compiling their kernels takes each of these minutes, so that only a run of all tests has them.
foreach(test IN ITEMS loss_accuracy loss_layout gated_accuracy epilogue_layout
    recurrent_f32_in_doubles recurrent_f16 recurrent_bf16 recurrent_f64 recurrent_gradient
    recurrent_layout softmax_accuracy)
  set_property(TEST ${test} APPEND PROPERTY LABELS slow)
endforeach()
