# SPDX-License-Identifier: MIT
# Runs the classifier: its training must go as an independent computation went, and it must reject
# bad data. Variables: CLASSIFY (the program), DATA (wdbc.csv), SCRATCH (a folder to write to).
#
# The level to reach was computed in double with NumPy, from the same shuffle, by the same gradient
# descent on the mean binary cross-entropy, with p - t written out: loss 0.693147 at epoch 1,
# 0.055608 at epoch 500; of 142 held-out patients 54 of 55 malignant and 85 of 87 benign ones are
# right (97.9 %), and no probability is nearer than 0.027 to 1/2, so that no rounding can change a
# prediction. scikit-learn's LogisticRegression with its defaults gets 140 of those 142 right.

include("${CMAKE_CURRENT_LIST_DIR}/run_program.cmake")
file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}")

function(expect text regex)
  if(NOT text MATCHES "${regex}")
    message(SEND_ERROR "no match for: ${regex}\nin:\n${text}")
  endif()
endfunction()

function(expect_falling_loss text)
  string(REGEX MATCHALL "loss [^\n]+" losses "${text}")
  list(LENGTH losses n)
  if(NOT n EQUAL 11)
    message(SEND_ERROR "${n} lines of loss instead of 11:\n${text}")
  endif()
  set(previous 1)
  foreach(loss IN LISTS losses)
    string(REPLACE "loss " "" loss "${loss}")
    if(NOT loss LESS previous)
      message(SEND_ERROR "the loss does not fall from ${previous} to ${loss}:\n${text}")
    endif()
    set(previous "${loss}")
  endforeach()
endfunction()

function(check_training)
  run_checked(text "${CLASSIFY}" ${ARGN})
  expect("${text}" "^device    [^\n]+\nsamples   427 to learn from, 142 held out, 30 features\n")
  expect_falling_loss("${text}")
  expect("${text}" "\nepoch   1  loss 0\\.693147\n")
  expect("${text}" "\nepoch 500  loss 0\\.05560[789]\n")
  expect("${text}"
    "\n0\\.99999[56] +malignant\n0\\.99998[45] +malignant\n0\\.00127[012] +benign\n")
  expect("${text}" "\nmalignant +54 +1\nbenign +2 +85\n")
  expect("${text}" "\nheld-out accuracy 0\\.9789 \\(139 of 142\\)\n$")
endfunction()

check_training()
file(READ "${DATA}" content)
string(REPLACE "\n" "\r\n" with_crlf "${content}")
file(WRITE "${SCRATCH}/crlf.csv" "${with_crlf}")
check_training("${SCRATCH}/crlf.csv")

string(REGEX MATCH "^[^\n]*\n" header "${content}")
string(REPEAT ",0.5" 29 tail)
set(good "1,2.5${tail}\n")
string(REPEAT "${good}" 3 three)
check_rejected_file("${CLASSIFY}" empty "" ", line 1: the file is empty")
check_rejected_file("${CLASSIFY}" no_header "${three}${good}" ", line 1: not a header [^\n]*")
check_rejected_file("${CLASSIFY}" only_header "${header}" ", line 2: the file ends after fewer than 4 samples")
check_rejected_file("${CLASSIFY}" three "${header}${three}" ", line 5: the file ends after fewer than 4 samples")
check_rejected_file("${CLASSIFY}" narrow "${header}${three}1,2.5\n" ", line 5: 31 columns expected, 2 found")
check_rejected_file("${CLASSIFY}" wide "${header}${good}1,2.5,3${tail}\n"
  ", line 3: 31 columns expected, 32 found")
check_rejected_file("${CLASSIFY}" blank "${header}${good}\n${three}" ", line 3: 31 columns expected, 1 found")
check_rejected_file("${CLASSIFY}" class "${header}${three}2,2.5${tail}\n"
  ", line 5: the first column is not 0 or 1")
foreach(bad "" nan -inf 1e39 1e999 1x 1-2 0x10 " 1" "1 " abc -)
  string(MAKE_C_IDENTIFIER "number_${bad}" name)
  check_rejected_file("${CLASSIFY}" "${name}" "${header}${good}1${tail},${bad}\n${three}"
    ", line 3, column 31: not a number that a float can hold: '[^\n]*'")
endforeach()

execute_process(COMMAND printf "malignant\\000,\\n" OUTPUT_FILE "${SCRATCH}/zero.csv")
run_rejected("classify: [^\n]*zero.csv, line 1: a zero byte" "${CLASSIFY}" "${SCRATCH}/zero.csv")
run_rejected("classify: [^\n]*absent.csv: No such file or directory"
  "${CLASSIFY}" "${SCRATCH}/absent.csv")
run_rejected("classify: [^\n]*, line 1: Is a directory" "${CLASSIFY}" "${SCRATCH}")
run_rejected("usage: classify \\[DATA.csv\\]" "${CLASSIFY}" a b)
run_rejected("classify: finding a device: no usable OpenCL device was found: [^\n]+"
  "${CMAKE_COMMAND}" -E env "CLACT_DEVICE=no device has this name" "${CLASSIFY}")
run_rejected("classify: cannot write the output" sh -c "exec \"$0\" >/dev/full" "${CLASSIFY}")
