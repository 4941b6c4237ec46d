# SPDX-License-Identifier: MIT
# The examples' tests, and the test of the installed package, which builds one of the examples.
if(CLACT_BUILD_EXAMPLES)
  clact_add_test(NAME example_minimal COMMAND minimal)
  set_tests_properties(example_minimal PROPERTIES
    PASS_REGULAR_EXPRESSION "^0\\.1192 0\\.5 0\\.8808\n$")

  clact_add_test(NAME example_classify COMMAND "${CMAKE_COMMAND}"
    "-DCLASSIFY=$<TARGET_FILE:classify>"
    "-DDATA=${PROJECT_SOURCE_DIR}/examples/classify/wdbc.csv"
    "-DSCRATCH=${CMAKE_CURRENT_BINARY_DIR}/classify_test"
    -P "${CMAKE_CURRENT_LIST_DIR}/classify_test.cmake")

  clact_add_test(NAME example_vanishing COMMAND "${CMAKE_COMMAND}"
    "-DVANISHING=$<TARGET_FILE:vanishing>" -P "${CMAKE_CURRENT_LIST_DIR}/vanishing_test.cmake")

  clact_add_test(NAME example_multilabel COMMAND "${CMAKE_COMMAND}"
    "-DMULTILABEL=$<TARGET_FILE:multilabel>"
    "-DREADME=${PROJECT_SOURCE_DIR}/examples/multilabel/README.md"
    "-DDATA=${PROJECT_SOURCE_DIR}/examples/multilabel/seattle-weather.csv"
    "-DSCRATCH=${CMAKE_CURRENT_BINARY_DIR}/multilabel_test"
    -P "${CMAKE_CURRENT_LIST_DIR}/multilabel_test.cmake")

  clact_add_test(NAME example_lstm COMMAND "${CMAKE_COMMAND}"
    "-DLSTM=$<TARGET_FILE:lstm>" -P "${CMAKE_CURRENT_LIST_DIR}/lstm_test.cmake")
endif()

set(package_flags "${CMAKE_C_FLAGS}")
if(CLACT_SANITIZE)
  string(APPEND package_flags " -fsanitize=${CLACT_SANITIZE}")
endif()
clact_add_test(NAME package COMMAND "${CMAKE_COMMAND}"
  "-DSOURCE=${PROJECT_SOURCE_DIR}"
  "-DBUILD=${PROJECT_BINARY_DIR}"
  "-DCONFIG=$<CONFIG>"
  "-DVERSION=${PROJECT_VERSION}"
  "-DGENERATOR=${CMAKE_GENERATOR}"
  "-DCC=${CMAKE_C_COMPILER}"
  "-DC_FLAGS=${package_flags}"
  "-DSHARED=$<STREQUAL:$<TARGET_PROPERTY:clact::clact,TYPE>,SHARED_LIBRARY>"
  "-DSCRATCH=${CMAKE_CURRENT_BINARY_DIR}/package_test"
  -P "${CMAKE_CURRENT_LIST_DIR}/package_test.cmake")
