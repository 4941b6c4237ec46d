# SPDX-License-Identifier: MIT
# The tests of the clact command, which they run as a user would.
if(CLACT_BUILD_TOOLS)
    # LeakSanitizer itself now and then crashes at the end of one of these hundreds of short processes.
    set(no_leaks "")
    if(CLACT_SANITIZE)
        set(no_leaks ENVIRONMENT ASAN_OPTIONS=detect_leaks=0)
    endif()
    set(tests command command_bench command_errors command_gate command_loss command_params command_predict command_process command_softmax
              command_verify)
    foreach(test IN LISTS tests)
        add_executable(${test}_test ${test}_test.c command_harness.c)
        set_target_properties(${test}_test PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
        target_compile_definitions(${test}_test PRIVATE
            _XOPEN_SOURCE=700 "CLACT_COMMAND=\"$<TARGET_FILE:clact_command>\"")
        target_link_libraries(${test}_test PRIVATE clact_reference clact::clact clact_warnings
                                                   PkgConfig::CMOCKA)
        add_dependencies(${test}_test clact_command)
        clact_add_test(NAME ${test} COMMAND ${test}_test ${no_leaks})
    endforeach()
    target_sources(command_softmax_test PRIVATE softmax_reference.c)

    add_executable(verify_cells_test verify_cells_test.c "${PROJECT_SOURCE_DIR}/tools/verify_cells.c")
    target_include_directories(verify_cells_test PRIVATE "${PROJECT_SOURCE_DIR}/tools")
    target_link_libraries(verify_cells_test PRIVATE clact_measure clact::clact clact_warnings
                                                    PkgConfig::CMOCKA)
    clact_add_test(NAME verify_cells COMMAND verify_cells_test)
endif()

# clang's libFuzzer on the header parser; run it by hand: fuzz_npy -max_total_time=60 CORPUS
option(CLACT_BUILD_FUZZERS "Build the fuzz targets (clang only)" OFF)
if(CLACT_BUILD_FUZZERS)
    set(tools "${PROJECT_SOURCE_DIR}/tools")
    add_executable(fuzz_npy fuzz_npy.c "${tools}/npy.c" "${tools}/failure.c")
    target_include_directories(fuzz_npy PRIVATE "${tools}")
    target_compile_options(fuzz_npy PRIVATE -fsanitize=fuzzer,address,undefined)
    target_link_options(fuzz_npy PRIVATE -fsanitize=fuzzer,address,undefined)
    target_link_libraries(fuzz_npy PRIVATE clact_warnings)
endif()
