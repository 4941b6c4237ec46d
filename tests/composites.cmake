# SPDX-License-Identifier: MIT
# The tests of the composites, each a file with the name of its header.

# loss

# gated

# epilogue

# recurrent

# softmax
foreach(test IN ITEMS softmax softmax_values softmax_errors softmax_accuracy)
  clact_add_host_test(${test} ENVIRONMENT ${layer})
  target_sources(${test}_test PRIVATE softmax_reference.c)
endforeach()

clact_add_host_test(softmax_onnx)
target_sources(softmax_onnx_test PRIVATE softmax_reference.c onnx_cases.c)
target_link_libraries(softmax_onnx_test PRIVATE clact_onnx)
