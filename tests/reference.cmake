# SPDX-License-Identifier: MIT
# The tests of the reference that the library is judged by, which do not need the library.

# ONNX's test data, as files.
add_library(clact_onnx STATIC onnx_model.c onnx_tensor.c onnx_wire.c)
target_link_libraries(clact_onnx PUBLIC clact_reference PRIVATE clact_warnings)

foreach(test IN ITEMS dtype ulp onnx_model onnx_reader reference reference_extremes)
  add_executable(${test}_test ${test}_test.c)
  target_compile_definitions(${test}_test PRIVATE _POSIX_C_SOURCE=200809L)
  target_link_libraries(${test}_test PRIVATE clact_reference clact_warnings PkgConfig::CMOCKA)
  clact_add_test(NAME ${test} COMMAND ${test}_test)
endforeach()

target_sources(reference_test PRIVATE reference_error.c reference_samples.c)
target_sources(reference_extremes_test PRIVATE extremes.c reference_error.c)
foreach(test IN ITEMS onnx_model onnx_reader)
  target_link_libraries(${test}_test PRIVATE clact_onnx)
endforeach()
