# SPDX-License-Identifier: MIT
# clact_add_test(NAME name COMMAND program [argument ...]
#                [LABELS label ...] [TIMEOUT seconds] [ENVIRONMENT name=value ...])
#
# Registers a test. Each has a kernel cache of its own: PoCL's is not safe to share between processes. A test
# whose ENVIRONMENT names another's has to DEPEND on that. clact has no cache, but where the test makes one: no
# test may find what another run has left, nor touch the user's.
function(clact_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;TIMEOUT" "COMMAND;LABELS;ENVIRONMENT")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  # Under AddressSanitizer: what OpenCL drivers leak is not ours to fix. Nor may LeakSanitizer guess where glibc
  # keeps the thread-local variables of libraries that are loaded late: clang 14 reads that from in front of
  # an allocation, as glibc 2.19 had it, and now and then crashes over what it finds there instead.
  set(lsan "suppressions=${PROJECT_SOURCE_DIR}/tests/lsan.supp:print_suppressions=0:intercept_tls_get_addr=0")
  # Sanitizers watch the host's code, which is the same for all operators of a shape.
  if(CLACT_SANITIZE)
    list(APPEND arg_ENVIRONMENT CLACT_TEST_SHAPES=1)
  endif()
  set(cache "${PROJECT_BINARY_DIR}/pocl-cache/${arg_NAME}")
  file(MAKE_DIRECTORY "${cache}")
  add_test(NAME ${arg_NAME} COMMAND ${arg_COMMAND})
  set_tests_properties(${arg_NAME} PROPERTIES
    TIMEOUT ${arg_TIMEOUT}
    LABELS "${arg_LABELS}"
    ENVIRONMENT "POCL_CACHE_DIR=${cache};CLACT_CACHE_DIR=;LSAN_OPTIONS=${lsan};${arg_ENVIRONMENT}")
endfunction()

# clact_missing(text): says that something is not there and what is left out for that; an error where the
# tests are strict.
function(clact_missing text)
  if(CLACT_TESTS_STRICT)
    message(FATAL_ERROR "${text}")
  else()
    message(WARNING "${text}")
  endif()
endfunction()
