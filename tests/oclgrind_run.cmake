# SPDX-License-Identifier: MIT
# Runs PROGRAM with the list ARGUMENTS inside OCLGRIND and fails if the program does, or if anything
# is in LOG.
file(REMOVE "${LOG}")
set(ENV{CLACT_DEVICE} Oclgrind)
execute_process(COMMAND "${OCLGRIND}" --data-races --log "${LOG}" "${PROGRAM}" ${ARGUMENTS}
                RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} ended with ${result}")
endif()
if(NOT EXISTS "${LOG}")
  message(FATAL_ERROR "Oclgrind wrote no log")
endif()
file(READ "${LOG}" text)
if(NOT text STREQUAL "")
  message(FATAL_ERROR "Oclgrind reports:\n${text}")
endif()
