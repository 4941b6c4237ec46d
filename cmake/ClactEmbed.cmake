# SPDX-License-Identifier: MIT
# clact_embed(OUTPUT header file.cl ...) makes `header` from the files at build time: see embed.cmake.
set(clact_embed_script "${CMAKE_CURRENT_LIST_DIR}/embed.cmake")
function(clact_embed)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "OUTPUT" "")
  add_custom_command(OUTPUT "${arg_OUTPUT}"
    COMMAND "${CMAKE_COMMAND}" "-DOUTPUT=${arg_OUTPUT}" "-DINPUTS=${arg_UNPARSED_ARGUMENTS}"
            -P "${clact_embed_script}"
    DEPENDS ${arg_UNPARSED_ARGUMENTS} "${clact_embed_script}"
    COMMENT "Embedding OpenCL sources" VERBATIM)
endfunction()
