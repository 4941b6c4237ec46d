# SPDX-License-Identifier: MIT
# The tests of the composites, each a file with the name of its header.

# loss
add_library(clact_loss_reference STATIC loss_fixture.c loss_reference.c)
set_target_properties(clact_loss_reference PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
target_link_libraries(clact_loss_reference
  PUBLIC clact_host_fixture clact_device_tests PRIVATE clact_warnings)
foreach(test IN ITEMS loss_accuracy loss_errors loss_layout loss_values)
  clact_add_host_test(${test} ENVIRONMENT ${layer})
  target_link_libraries(${test}_test PRIVATE clact_loss_reference)
endforeach()
clact_add_host_test(loss_large LABELS large)

# gated

# epilogue

# recurrent

# softmax
