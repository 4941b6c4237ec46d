# SPDX-License-Identifier: MIT
# Runs clact_cold_start once: there must be a figure for each way to a first result. How small they are says a
# measurement, not a test. Variables: COLD_START (the program), SOURCE (clact's folder).

cmake_minimum_required(VERSION 3.22)
include("${SOURCE}/tests/run_program.cmake")

run_checked(text "${COLD_START}" --repeats 1 --require 1e6)
set(figure " +[0-9]+\\.[0-9] \\(least +[0-9]+\\.[0-9]\\)")
foreach(way IN ITEMS "from source" "from source, and kept" "from clact's cache" "by hand")
  if(NOT text MATCHES "\n${way}${figure}${figure}\n")
    message(SEND_ERROR "there are no figures of the way ${way}:\n${text}")
  endif()
endforeach()

run_rejected("clact_cold_start: --repeats must be a number from 1 to 1000, not '0'"
  "${COLD_START}" --repeats 0)
run_rejected("clact_cold_start: '--fast' is not understood; see --help" "${COLD_START}" --fast)
