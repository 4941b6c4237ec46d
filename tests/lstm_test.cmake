# SPDX-License-Identifier: MIT
# Trains the network that adds: what examples/lstm/README.md says of it must be seen in what it prints.
# Variables: LSTM (the program).

include("${CMAKE_CURRENT_LIST_DIR}/run_program.cmake")

run_checked(text "${LSTM}")
string(REGEX MATCHALL "[^\n]+" lines "${text}")

# It starts at the loss of a guess, ln 2, and falls. The last
# digits may depend on the device and the compiler.
foreach(update IN ITEMS 1 50 100 150 200 250 300 350 400 450 500 550 600)
  list(POP_FRONT lines line)
  if(NOT line MATCHES "^update +${update}: loss ([0-9]\\.[0-9]+)$")
    message(FATAL_ERROR "update ${update} is not there in:\n${text}")
  endif()
  set(loss_${update} "${CMAKE_MATCH_1}")
endforeach()
if(NOT loss_1 MATCHES "^0\\.(69|7[01])" OR NOT loss_200 LESS 0.1 OR NOT loss_600 LESS 0.01)
  message(SEND_ERROR "it does not learn as it should:\n${text}")
endif()

# All of them: who can add makes no mistakes.
if(NOT lines STREQUAL "sums of two 8-bit numbers: 1024 of 1024 right;sums of two 32-bit numbers: 1024 of 1024 right")
  message(SEND_ERROR "it cannot add:\n${text}")
endif()

run_rejected("lstm: finding a device: no usable OpenCL device was found: [^\n]+"
  "${CMAKE_COMMAND}" -E env "CLACT_DEVICE=no device has this name" "${LSTM}")
run_rejected("lstm: cannot write the output" sh -c "exec \"$0\" >/dev/full" "${LSTM}")
