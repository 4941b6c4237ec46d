# SPDX-License-Identifier: MIT
# Runs the benchmark with few elements and the error curve with few samples: there must be figures
# for every operator, direction and dtype. Variables: BENCH, CURVE (the programs), SOURCE (clact's
# folder), SCRATCH (a folder to write to).

cmake_minimum_required(VERSION 3.22)
include("${SOURCE}/tests/run_program.cmake")
file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}")

# In `table`, whose lines are CSV, there must be `count` lines that match.
function(expect_lines table count regex)
  set(lines "${table}")
  list(FILTER lines INCLUDE REGEX "^${regex}$")
  list(LENGTH lines found)
  if(NOT found EQUAL count)
    string(REPLACE ";" "\n" table "${table}")
    message(SEND_ERROR "${found} lines instead of ${count} match ${regex} in:\n${table}")
  endif()
endfunction()

# What ops.def offers: lines of <operator>,<direction>
file(READ "${SOURCE}/include/clact/ops.def" rows)
string(REGEX MATCHALL "CLACT_OPERATOR\\([0-9][^(]*" rows "${rows}")
set(passes "")
foreach(row IN LISTS rows)
  string(REGEX REPLACE "^[^,]*,[^,]*, *([^, ]*),.*" "\\1" op "${row}")
  list(APPEND passes "${op},forward")
  if(row MATCHES "CLACT_SAVED_OUTPUT")
    list(APPEND passes "${op},from_output")
  endif()
  if(row MATCHES "CLACT_SAVED_INPUT")
    list(APPEND passes "${op},from_input")
  endif()
endforeach()

set(above_zero "[0-9.]*[1-9][0-9.]*")
set(figures ",${above_zero},[0-9.]+,${above_zero},[0-9.]+")
foreach(figure IN ITEMS device_least_s gelem_per_s gbyte_per_s speedup_wall speedup_device)
  string(APPEND figures ",${above_zero}")
endforeach()
run_checked(text "${BENCH}" --n 4096 --repeats 3 --in-cache --csv "${SCRATCH}/all.csv")
file(STRINGS "${SCRATCH}/all.csv" table)
foreach(pass IN LISTS passes)
  foreach(dtype IN ITEMS f32 f16 bf16 f64)
    string(REPLACE "," " " title "${pass},${dtype}")
    if(dtype STREQUAL "f64" AND text MATCHES "\n${title}: the device cannot do this\n")
      continue()
    endif()
    if(NOT text MATCHES "\n${title}: 4096 elements, 3 rounds over 1 sets of arrays\n")
      message(SEND_ERROR "the report has no table of ${title}:\n${text}")
    endif()
    set(start "${pass},${dtype},4096,3,1")
    expect_lines("${table}" 1 "${start},clact,${figures}")
    expect_lines("${table}" 1 "${start},copy,a vector per item${figures}")
    expect_lines("${table}" 1 "${start},copy,a block per item${figures}")
  endforeach()
endforeach()
expect_lines("${table}" 3 "sigmoid,[a-z_]+,f32,4096,3,1,builtin,local size NULL${figures}")

# Out of the cache there are several sets.
run_checked(text "${BENCH}" --op sigmoid --direction from_output --dtype bf16 --n 8192 --repeats 1
  --csv "${SCRATCH}/one.csv")
file(STRINGS "${SCRATCH}/one.csv" table)
list(POP_FRONT table)
list(LENGTH table all)
expect_lines("${table}" "${all}" "sigmoid,from_output,bf16,8192,1,[0-9]+,.*")
expect_lines("${table}" 0 "sigmoid,from_output,bf16,8192,1,1,.*")

# The report comes before the check, so this is not run_rejected.
foreach(limit IN ITEMS 1e-6 1e6)
  execute_process(COMMAND "${BENCH}" --direction forward --dtype f32 --n 4096 --repeats 1
    --in-cache --require-ratio ${limit}
    RESULT_VARIABLE rc_${limit} OUTPUT_QUIET ERROR_VARIABLE err_${limit})
endforeach()
if(NOT rc_1e-6 STREQUAL "0" OR NOT rc_1e6 STREQUAL "1" OR NOT err_1e6 MATCHES
    "^clact_bench: an f32 forward pass is [0-9.]+ times as fast as the builtin kernel, not 1000000")
  message(SEND_ERROR "--require-ratio: ${rc_1e-6} ${err_1e-6} ${rc_1e6} ${err_1e6}")
endif()

run_rejected("clact_bench: --n must be a multiple of 4096, not 4097" "${BENCH}" --n 4097)
run_rejected("clact_bench: --repeats must be a number from 1 to 1000000, not '0'"
  "${BENCH}" --repeats 0)
run_rejected("clact_bench: '--fast' is not understood; see --help" "${BENCH}" --fast)
run_rejected("clact_bench: 'fast' is not understood; see --help" "${BENCH}" fast)
run_rejected("clact_bench: no operator has that name, direction and dtype" "${BENCH}" --op none)
run_rejected("clact_error_curve: no operator has the name none" "${CURVE}" --op none)
run_rejected("clact_error_curve: --width must be [^\n]*" "${CURVE}" --width 0)

# 25 intervals; clact is within its contract in each, the one-line formulas are far off below -88
# and their gradients from 17 on, where they are 0.
run_checked(text "${CURVE}" --width 5 --samples 64)
string(REPLACE "\n" ";" table "${text}")
foreach(pass IN LISTS passes)
  if(NOT pass MATCHES "from_output")
    expect_lines("${table}" 25 "${pass},-?[0-9.]+,-?[0-9.]+,[01](\\.[0-9]+)?,.*")
  endif()
endforeach()
foreach(interval IN ITEMS "forward,-95,-90" "from_input,-95,-90" "from_input,15,20")
  expect_lines("${table}" 1 "sigmoid,${interval},0\\.[0-9]+,[^,]*e\\+[^,]*,[^,]*e\\+[^,]*")
endforeach()
