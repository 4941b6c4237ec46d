# SPDX-License-Identifier: MIT
# Runs clact_bench_composites on one small size: there must be figures in its table and in its CSV, also of
# what stands for PyTorch, and no file where that failed. How small they are says a measurement, not a test.
# Variables: BENCH (the program), SOURCE (clact's folder), SCRATCH (a folder to write to).

cmake_minimum_required(VERSION 3.22)
include("${SOURCE}/tests/run_program.cmake")
file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}")

# Python's part is played by the shell. It is given the script, and then the threads, the rounds, what is run
# before, the line, and the operands.
file(WRITE "${SCRATCH}/python" "#!/bin/sh
case $# in
1) echo PyTorch of a test;;
*) [ \"$3\" = 2 ] && [ -z \"$4\" ] && [ \"$6\" = 64,2048,f32,-1 ] && printf '0.5\\n0.25\\n';;
esac
")
file(WRITE "${SCRATCH}/mute" "#!/bin/sh
case $# in
1) echo PyTorch of a test;;
*) echo 0.5;;
esac
")
file(CHMOD "${SCRATCH}/python" "${SCRATCH}/mute" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)

set(above_zero "[0-9.]*[1-9][0-9.e-]*")
set(number "[0-9][0-9.e-]*")
set(times "${above_zero},${number},${above_zero},${above_zero}")
set(run "${BENCH}" --only "lstm 64 x" --rounds 2)
run_checked(text ${run} --csv "${SCRATCH}/a.csv" --python "${SCRATCH}/python")
set(figure " +[0-9]+\\.[0-9]+")
if(NOT text MATCHES ", beside PyTorch of a test\n.*\nlstm 64 x 512${figure}${figure}${figure}${figure}${figure}${figure}${figure}\n")
  message(SEND_ERROR "there are no figures in:\n${text}")
endif()

# 64 x 512 units read five numbers of four bytes each and write two. The copies move as many bytes, or up to
# a block of each array more.
file(STRINGS "${SCRATCH}/a.csv" table)
function(expect_lines regex)
  set(lines "${table}")
  list(FILTER lines INCLUDE REGEX "^${regex}$")
  list(LENGTH lines count)
  if(count EQUAL 0)
    list(JOIN table "\n" text)
    message(SEND_ERROR "no line matches ${regex} in:\n${text}")
  endif()
endfunction()
set(row "lstm 64 x 512,655360,262144,2,[0-9.e-]*")
expect_lines("# clact .*, beside PyTorch of a test")
expect_lines("composite,read_bytes,.*,clact_speedup,clact_speedup_spread")
expect_lines("${row},clact,,1,${times},1,0")
expect_lines("${row},separate calls,,1,${times},${above_zero},${number}")
expect_lines("${row},copy,a [a-z]+ per item,1,${times},${above_zero},${number}")
expect_lines("${row},pytorch,,1,0.375,0.125,0.25,${above_zero},${above_zero},")

# Without Python there is nothing to stand beside.
run_checked(text "${BENCH}" --only "lstm_training 64 x" --rounds 1 --python=)
if(NOT text MATCHES "\nlstm_training 64 x 512${figure}${figure}${figure}${figure}[^\n]* - +-\n")
  message(SEND_ERROR "there are no figures in:\n${text}")
endif()

run_checked(text "${BENCH}" --help)
if(NOT text MATCHES "separate calls")
  message(SEND_ERROR "the help does not say what is compared:\n${text}")
endif()

execute_process(COMMAND ${run} --csv "${SCRATCH}/b.csv" --python "${SCRATCH}/mute"
  RESULT_VARIABLE rc OUTPUT_QUIET ERROR_VARIABLE err)
if(NOT rc STREQUAL "1" OR NOT err STREQUAL "clact_bench_composites: PyTorch failed at lstm 64 x 512\n"
   OR EXISTS "${SCRATCH}/b.csv")
  message(SEND_ERROR "a PyTorch that says too little: ${rc} ${err}")
endif()

run_rejected("clact_bench_composites: --rounds must be a number from 1 to 100000, not '0'"
  "${BENCH}" --rounds 0)
run_rejected("clact_bench_composites: no composite's name has rnn in it" "${BENCH}" --only rnn)
run_rejected("clact_bench_composites: '--fast' is not understood; see --help" "${BENCH}" --fast)
