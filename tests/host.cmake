# SPDX-License-Identifier: MIT
# The tests of the host library: what its calls promise beside the numbers.

add_library(clact_host_fixture STATIC host_fixture.c)
set_target_properties(clact_host_fixture PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
target_compile_definitions(clact_host_fixture PUBLIC _XOPEN_SOURCE=700 _DEFAULT_SOURCE)
target_link_libraries(clact_host_fixture
  PUBLIC clact_reference clact::clact PkgConfig::CMOCKA Threads::Threads ${CMAKE_DL_LIBS}
  PRIVATE clact_warnings)

# The OpenCL layer that makes calls fail and counts live objects. A loader that knows no layers
# ignores the variable, and the tests go without.
add_library(clact_fault_layer MODULE fault_layer.c)
set_target_properties(clact_fault_layer PROPERTIES
  C_STANDARD 11 C_STANDARD_REQUIRED ON C_VISIBILITY_PRESET hidden)
target_link_libraries(clact_fault_layer PRIVATE OpenCL::OpenCL clact_warnings)
set(layer "OPENCL_LAYERS=$<TARGET_FILE:clact_fault_layer>")

# Compiled programs as bytes. These tests link the code that reads and writes them, which the library hides.
add_library(clact_cache_fixture STATIC
  bundle_fixture.c cache_fixture.c "${PROJECT_SOURCE_DIR}/host/bundle.c")
set_target_properties(clact_cache_fixture PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
target_include_directories(clact_cache_fixture PUBLIC "${PROJECT_SOURCE_DIR}/host")
target_link_libraries(clact_cache_fixture PUBLIC clact_host_fixture PRIVATE clact_warnings)

function(clact_add_host_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "ENVIRONMENT;LABELS")
  add_executable(${name}_test ${name}_test.c)
  set_target_properties(${name}_test PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
  target_link_libraries(${name}_test PRIVATE clact_host_fixture clact_warnings)
  clact_add_test(NAME ${name} COMMAND ${name}_test
    ENVIRONMENT ${arg_ENVIRONMENT} LABELS ${arg_LABELS} TIMEOUT ${arg_TIMEOUT})
endfunction()

clact_add_host_test(errors ENVIRONMENT ${layer})
clact_add_host_test(params ENVIRONMENT ${layer})
clact_add_host_test(overlap)
clact_add_host_test(buffer ENVIRONMENT ${layer})
clact_add_host_test(pool ENVIRONMENT ${layer})
clact_add_host_test(memory ENVIRONMENT ${layer})
set_tests_properties(memory PROPERTIES SKIP_RETURN_CODE 77)
clact_add_host_test(queue ENVIRONMENT ${layer})
clact_add_host_test(build_failure ENVIRONMENT ${layer})

# PoCL lists a device for each name; other platforms have two devices or the test is skipped.
clact_add_host_test(two_devices ENVIRONMENT ${layer} "POCL_DEVICES=pthread pthread")
set_tests_properties(two_devices PROPERTIES SKIP_RETURN_CODE 77)
target_link_libraries(two_devices_test PRIVATE clact_cache_fixture)
clact_add_host_test(context ENVIRONMENT ${layer})
clact_add_host_test(wrapped_context ENVIRONMENT ${layer})
clact_add_host_test(names)

include(CheckLanguage)
check_language(CXX)
if(CMAKE_CXX_COMPILER)
  enable_language(CXX)
  add_executable(header_test header_test.cpp)
  set_target_properties(header_test PROPERTIES
    CXX_STANDARD 11 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
  target_link_libraries(header_test PRIVATE clact::clact clact_warnings)
  clact_add_test(NAME header COMMAND header_test)
else()
  clact_missing("there is no C++ compiler: the header is not compiled by one")
endif()
clact_add_host_test(array)
clact_add_host_test(array_errors ENVIRONMENT ${layer})
clact_add_host_test(threads ENVIRONMENT ${layer})
clact_add_host_test(predict ENVIRONMENT ${layer})
clact_add_host_test(predict_errors ENVIRONMENT ${layer})
if(MPFR_FOUND)
  clact_add_host_test(predict_exact)
  target_link_libraries(predict_exact_test PRIVATE PkgConfig::MPFR)
else()
  clact_missing("MPFR is not there: labels next to the threshold are not tested")
endif()

foreach(test IN ITEMS bundle cache cache_folder programs)
  clact_add_host_test(${test} ENVIRONMENT ${layer})
  set_tests_properties(${test} PROPERTIES SKIP_RETURN_CODE 77)
  target_link_libraries(${test}_test PRIVATE clact_cache_fixture)
endforeach()

clact_add_host_test(fault ENVIRONMENT ${layer})
set_tests_properties(fault PROPERTIES SKIP_RETURN_CODE 77)
target_link_libraries(fault_test PRIVATE clact_cache_fixture)

# More than 2^32 elements: minutes, and 9 GB of memory.
clact_add_host_test(large LABELS large TIMEOUT 1800)
