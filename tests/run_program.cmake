# SPDX-License-Identifier: MIT
# For test scripts: runs programs and compares what they print with what they should.

# run_checked(<variable> <command>...): the command must succeed; <variable> gets its stdout.
function(run_checked variable)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE rc OUTPUT_VARIABLE out ERROR_VARIABLE err)
  if(NOT rc STREQUAL "0")
    list(JOIN ARGN " " line)
    message(FATAL_ERROR "${line}\nfailed with ${rc}:\n${out}${err}")
  endif()
  set(${variable} "${out}" PARENT_SCOPE)
endfunction()

# run_rejected(<regex> <command>...): the command must exit with 1, print nothing on stdout and one
# line that matches on stderr.
function(run_rejected regex)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE rc OUTPUT_VARIABLE out ERROR_VARIABLE err)
  if(NOT rc STREQUAL "1" OR NOT out STREQUAL "" OR NOT err MATCHES "^${regex}\n$"
       OR err MATCHES "\n.")
    list(JOIN ARGN " " line)
    message(SEND_ERROR "${line}\nwanted on stderr: ${regex}\n"
      "exit status ${rc}\nstdout:\n${out}stderr:\n${err}")
  endif()
endfunction()

# check_rejected_file(<program> <name> <content> <regex>): the program must reject a file with this content,
# <name>.csv in SCRATCH, in a line with its own name and the file's, where <regex> is what follows.
function(check_rejected_file program name content regex)
  get_filename_component(self "${program}" NAME_WE)
  file(WRITE "${SCRATCH}/${name}.csv" "${content}")
  run_rejected("${self}: [^\n]*${name}\\.csv${regex}" "${program}" "${SCRATCH}/${name}.csv")
endfunction()
