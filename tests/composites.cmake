# SPDX-License-Identifier: MIT
# The tests of the composites, each a file with the name of its header.

# loss

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

# softmax
