# SPDX-License-Identifier: MIT
# The reference that the tests judge the library by, and the tests of that reference. None of it
# needs the library, only its header.

add_library(clact_reference STATIC dtype.c onnx.c reference.c ulp.c)
target_include_directories(clact_reference PUBLIC
  "${CMAKE_CURRENT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
target_link_libraries(clact_reference PUBLIC OpenCL::OpenCL m PRIVATE clact_warnings)

foreach(test IN ITEMS dtype ulp onnx_reader)
  add_executable(${test}_test ${test}_test.c)
  target_compile_definitions(${test}_test PRIVATE _POSIX_C_SOURCE=200809L)
  target_link_libraries(${test}_test PRIVATE clact_reference clact_warnings PkgConfig::CMOCKA)
  clact_add_test(NAME ${test} COMMAND ${test}_test)
endforeach()

if(TARGET PkgConfig::MPFR)
  add_executable(reference_test reference_test.c reference_mpfr.c)
  target_link_libraries(reference_test PRIVATE
    clact_reference clact_warnings PkgConfig::CMOCKA PkgConfig::MPFR)
  clact_add_test(NAME reference COMMAND reference_test)
else()
  clact_missing("MPFR was not found: the reference of the tests will not itself be tested")
endif()
