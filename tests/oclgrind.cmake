# SPDX-License-Identifier: MIT
# The device tests again inside Oclgrind, an OpenCL device that watches every access to memory. Its exit
# status does not tell what it saw: its log must be empty.
find_program(OCLGRIND oclgrind)
if(OCLGRIND AND EXISTS /proc/self) # by which it finds its own files
  function(clact_add_oclgrind_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "COMMAND;ENVIRONMENT")
    list(POP_FRONT arg_COMMAND program)
    clact_add_test(NAME oclgrind_${name}
      COMMAND "${CMAKE_COMMAND}" "-DOCLGRIND=${OCLGRIND}" "-DPROGRAM=$<TARGET_FILE:${program}>"
              "-DARGUMENTS=${arg_COMMAND}" "-DLOG=${CMAKE_CURRENT_BINARY_DIR}/oclgrind_${name}.log"
              -P "${CMAKE_CURRENT_LIST_DIR}/oclgrind_run.cmake"
      LABELS oclgrind TIMEOUT 600 ENVIRONMENT ${arg_ENVIRONMENT})
  endfunction()

  foreach(test IN ITEMS agreement layout)
    clact_add_oclgrind_test(${test} COMMAND ${test}_test --quick)
  endforeach()
  set_tests_properties(oclgrind_agreement PROPERTIES COST 500) # minutes: see tests/accuracy.cmake
  clact_add_oclgrind_test(layout_stream ENVIRONMENT ${shapes}
    COMMAND layout_test --quick --stores stream)
  clact_add_oclgrind_test(layout_stream_g64 ENVIRONMENT ${shapes}
    COMMAND layout_test --quick --stores stream --group 64)

  # Not those of buffers and queues: Oclgrind really allocates what others refuse, and runs a command at
  # once that should wait for an event.
  foreach(test IN ITEMS sigmoid_examples errors overlap array array_errors)
    clact_add_oclgrind_test(${test} COMMAND ${test}_test --quick)
  endforeach()
else()
  clact_missing("oclgrind or /proc is not there: the tests inside it are left out")
endif()
