# SPDX-License-Identifier: MIT
# The device tests again inside Oclgrind, an OpenCL device that watches every access to memory. Its exit
# status does not tell what it saw: its log must be empty.
find_program(OCLGRIND oclgrind)
if(OCLGRIND)
  foreach(test IN ITEMS layout agreement sigmoid_examples)
    clact_add_test(NAME oclgrind_${test}
      COMMAND "${CMAKE_COMMAND}" "-DOCLGRIND=${OCLGRIND}" "-DPROGRAM=$<TARGET_FILE:${test}_test>"
              "-DLOG=${CMAKE_CURRENT_BINARY_DIR}/oclgrind_${test}.log"
              -P "${CMAKE_CURRENT_LIST_DIR}/oclgrind_run.cmake"
      LABELS oclgrind TIMEOUT 600)
  endforeach()
else()
  message(WARNING "oclgrind is not there: the tests inside it are left out")
endif()
