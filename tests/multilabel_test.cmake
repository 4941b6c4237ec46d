# SPDX-License-Identifier: MIT
# Runs the forecaster of weather: what examples/multilabel/README.md shows must be what it prints, and it must
# reject bad data. Variables: MULTILABEL (the program), README (that file), DATA (seattle-weather.csv),
# SCRATCH (a folder to write to).
#
# All figures were computed in double with NumPy too, from the file, with the formulas written out: losses
# 0.693147181, 0.242686490, 1.192592957 and 0.676496757, and the same days with the same labels. No probability
# of a day held out is nearer than 1.7e-5 to a threshold, which rounding in f32 does not reach.

include("${CMAKE_CURRENT_LIST_DIR}/run_program.cmake")
file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}")

# Thresholds are compared but for their last digit, and losses after training too, as they may depend
# on the device; what is held out, digit by digit.
function(blur variable text)
  string(REGEX REPLACE "(epoch 400  loss 0\\.[0-9][0-9][0-9][0-9])[0-9][0-9]" "\\1" text "${text}")
  string(REGEX REPLACE "(0\\.500( +[0-9.]+)( +[0-9.]+)( +[0-9.]+) +0\\.[0-9][0-9])[0-9]" "\\1"
    text "${text}")
  set(${variable} "${text}" PARENT_SCOPE)
endfunction()

function(check_forecast)
  run_checked(text "${MULTILABEL}" ${ARGN})
  if(NOT text MATCHES "^device    [^\n]+\n(days .*)$")
    message(FATAL_ERROR "not a device and a report:\n${text}")
  endif()
  blur(got "${CMAKE_MATCH_1}")
  file(READ "${README}" readme)
  string(REGEX MATCH "```\n(days [^`]*)```" _ "${readme}")
  blur(wanted "${CMAKE_MATCH_1}")
  if(wanted STREQUAL "" OR NOT got STREQUAL wanted)
    message(SEND_ERROR "the README shows:\n${wanted}\nthe program prints:\n${got}")
  endif()
endfunction()

check_forecast()
file(READ "${DATA}" content)
string(REPLACE "\n" "\r\n" with_crlf "${content}")
file(WRITE "${SCRATCH}/crlf.csv" "${with_crlf}")
check_forecast("${SCRATCH}/crlf.csv")

string(REGEX MATCH "^[^\n]*\n" header "${content}")
set(day ",0.0,8.0,2.0,3.0,sun\n")
set(four "2011/12/29${day}2011/12/30${day}2011/12/31${day}2012/01/01${day}")
check_rejected_file("${MULTILABEL}" empty "" ", line 1: the file is empty")
check_rejected_file("${MULTILABEL}" no_header "${four}" ", line 1: not the header of a file of weather")
check_rejected_file("${MULTILABEL}" four "${header}${four}" ", line 6: the file ends after fewer than 5 days")
check_rejected_file("${MULTILABEL}" narrow "${header}${four}2012/01/02,1\n" ", line 6: 6 columns expected, 2 found")
check_rejected_file("${MULTILABEL}" number "${header}${four}2012/01/02,1,x,3,4,sun\n"
  ", line 6, column 3: not a number that a float can hold: 'x'")
check_rejected_file("${MULTILABEL}" gap "${header}${four}2012/01/03${day}"
  ", line 6: not the day after that of the line before")
foreach(bad "" 2012-01-02 2012/1/2 2012/13/01 2012/00/01 2012/01/32 2012/01/00 2012/02/30 2013/02/29
    0000/01/01 " 012/01/02" 2012/01/021)
  string(MAKE_C_IDENTIFIER "date_${bad}" name)
  check_rejected_file("${MULTILABEL}" "${name}" "${header}${bad}${day}"
    ", line 2: the first column is not a date such as 2012/01/31")
endforeach()

# Dates that are right, over a leap day, but no day has rain.
set(dry "")
foreach(date 2012/02/27 2012/02/28 2012/02/29 2012/03/01 2012/03/02)
  string(APPEND dry "${date}${day}")
endforeach()
file(WRITE "${SCRATCH}/dry.csv" "${header}${dry}")
execute_process(COMMAND "${MULTILABEL}" "${SCRATCH}/dry.csv" RESULT_VARIABLE rc ERROR_VARIABLE err
  OUTPUT_QUIET)
if(NOT rc STREQUAL "1" OR NOT err STREQUAL
    "multilabel: none of the days to learn from have the label 'rain'\n")
  message(SEND_ERROR "not refused as it should be: ${rc} ${err}")
endif()

run_rejected("multilabel: [^\n]*absent.csv: No such file or directory"
  "${MULTILABEL}" "${SCRATCH}/absent.csv")
run_rejected("usage: multilabel \\[DATA.csv\\]" "${MULTILABEL}" a b)
run_rejected("multilabel: finding a device: no usable OpenCL device was found: [^\n]+"
  "${CMAKE_COMMAND}" -E env "CLACT_DEVICE=no device has this name" "${MULTILABEL}")
run_rejected("multilabel: cannot write the output" sh -c "exec \"$0\" >/dev/full" "${MULTILABEL}")
