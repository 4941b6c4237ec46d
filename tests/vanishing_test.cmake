# SPDX-License-Identifier: MIT
# Runs the two networks: what examples/vanishing/README.md says of them must be seen in what they print.
# Variables: VANISHING (the program).

include("${CMAKE_CURRENT_LIST_DIR}/run_program.cmake")

function(expect text regex)
  if(NOT text MATCHES "${regex}")
    message(SEND_ERROR "no match for: ${regex}\nin:\n${text}")
  endif()
endfunction()

function(expect_less small large text)
  if(NOT small LESS large)
    message(SEND_ERROR "${small} is not less than ${large} in:\n${text}")
  endif()
endfunction()

# A hundred times a number such as 2.78e-04.
function(hundredfold number variable)
  string(REGEX MATCH "^(.*)e([-+])0*([0-9]+)$" whole "${number}")
  math(EXPR exponent "0 ${CMAKE_MATCH_2} ${CMAKE_MATCH_3} + 2")
  set(${variable} "${CMAKE_MATCH_1}e${exponent}" PARENT_SCOPE)
endfunction()

set(loss "([0-9]\\.[0-9]+)")
set(norm "([0-9]\\.[0-9][0-9]e[-+][0-9][0-9])")
set(network "   ${loss}  ${norm}  ${norm}  ${norm}")

run_checked(text "${VANISHING}")
string(REGEX MATCHALL "[^\n]+" lines "${text}")
list(POP_FRONT lines names titles)
expect("${names}" "^        sigmoid +relu$")
set(columns "       loss   |first|    |last|     ratio")
if(NOT titles STREQUAL "epoch${columns}${columns}")
  message(SEND_ERROR "the titles are:\n${titles}")
endif()

# All along, ReLU's first layer has a gradient more than 100 times as large, and its loss falls.
set(previous 1)
foreach(epoch IN ITEMS 1 10 20 30 40 50 60 70 80 90 100)
  list(POP_FRONT lines line)
  if(NOT line MATCHES "^ +${epoch}${network}${network}$")
    message(FATAL_ERROR "epoch ${epoch} is not there in:\n${text}")
  endif()
  set(sigmoid_loss "${CMAKE_MATCH_1}")
  set(sigmoid_first "${CMAKE_MATCH_2}")
  set(sigmoid_ratio "${CMAKE_MATCH_4}")
  set(relu_loss "${CMAKE_MATCH_5}")
  set(relu_first "${CMAKE_MATCH_6}")
  set(relu_ratio "${CMAKE_MATCH_8}")
  if(epoch EQUAL 1)
    expect_less("${sigmoid_ratio}" 0.001 "${text}")
    expect_less(0.5 "${relu_ratio}" "${text}")
  endif()
  hundredfold("${sigmoid_first}" hundred)
  expect_less("${hundred}" "${relu_first}" "${text}")
  expect_less("${relu_loss}" "${previous}" "${text}")
  set(previous "${relu_loss}")
endforeach()

# The sigmoids have learned how frequent the classes are, of which the entropy is 0.6577, and no more:
# all 142 are called benign, as 87 are. ReLU's last digits may depend on the device and the compiler.
expect("${sigmoid_loss}" "^0\\.657[67]")
expect_less("${relu_loss}" 0.04 "${text}")
expect("${text}" "\n\nheld-out accuracy of sigmoid: 0\\.6127 \\(87 of 142\\)\n")
expect("${text}" "\nheld-out accuracy of relu: 0\\.9[67][0-9]+ \\(13[678] of 142\\)\n$")

# The names choose the activations, and the networks have nothing to do with each other.
run_checked(swapped "${VANISHING}" relu sigmoid)
string(REGEX MATCH "^(  100)(${network})" left "${line}")
string(LENGTH "${left}" length)
string(SUBSTRING "${line}" ${length} -1 right)
string(FIND "${swapped}" "\n  100${right}${CMAKE_MATCH_2}\n" found)
if(found LESS 0)
  message(SEND_ERROR "not the same with the names swapped:\n${text}${swapped}")
endif()

foreach(arguments IN ITEMS relu "relu;none" "none;relu" "relu;relu;relu")
  run_rejected("usage: vanishing \\[OPERATOR OPERATOR\\], such as sigmoid relu"
    "${VANISHING}" ${arguments})
endforeach()
run_rejected("vanishing: finding a device: no usable OpenCL device was found: [^\n]+"
  "${CMAKE_COMMAND}" -E env "CLACT_DEVICE=no device has this name" "${VANISHING}")
run_rejected("vanishing: cannot write the output" sh -c "exec \"$0\" >/dev/full" "${VANISHING}")
