# SPDX-License-Identifier: MIT
# Runs clact_bench_recurrent once: there must be figures for the size. How small they are says a measurement,
# not a test. Variables: BENCH (the program), SOURCE (clact's folder).

cmake_minimum_required(VERSION 3.22)
include("${SOURCE}/tests/run_program.cmake")

run_checked(text "${BENCH}" --repeats 2 --quick)
if(NOT text MATCHES "\n    64     512( +[0-9]+\\.[0-9])( +[0-9]+\\.[0-9])( +[0-9]+\\.[0-9])( +[0-9]+\\.[0-9])( +[0-9]+\\.[0-9][0-9])( +[0-9]+\\.[0-9][0-9])\n$")
  message(SEND_ERROR "there are no figures in:\n${text}")
endif()

run_rejected("clact_bench_recurrent: --repeats must be a number from 1 to 100000, not '0'"
  "${BENCH}" --repeats 0)
