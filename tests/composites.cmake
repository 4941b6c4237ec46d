# SPDX-License-Identifier: MIT
# The tests of the composites, each a file with the name of its header.

# loss

# gated

# epilogue

# recurrent

# softmax
foreach(test IN ITEMS softmax_accuracy softmax softmax_values softmax_errors softmax_onnx)
  clact_add_host_test(${test}
    ENVIRONMENT ${layer} "POCL_CACHE_DIR=${PROJECT_BINARY_DIR}/pocl-cache/softmax")
  target_sources(${test}_test PRIVATE softmax_reference.c)
  set_tests_properties(${test} PROPERTIES RESOURCE_LOCK softmax_cache) # PoCL's is for one at a time
endforeach()
target_sources(softmax_onnx_test PRIVATE onnx_cases.c)
target_link_libraries(softmax_onnx_test PRIVATE clact_onnx)
