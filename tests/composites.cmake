# SPDX-License-Identifier: MIT
# The tests of the composites, each a file with the name of its header.

# loss

# gated

# epilogue

# recurrent
add_library(clact_recurrent_cells STATIC
  recurrent_cells.c recurrent_operands.c recurrent_reference.c)
set_target_properties(clact_recurrent_cells PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
target_link_libraries(clact_recurrent_cells
  PUBLIC clact_host_fixture clact_device_tests PRIVATE clact_warnings)

foreach(test IN ITEMS recurrent)
  clact_add_host_test(${test})
  target_link_libraries(${test}_test PRIVATE clact_recurrent_cells)
endforeach()

# softmax
