# SPDX-License-Identifier: MIT
# Writes OUTPUT, a C file that holds the text of each file in INPUTS (in that order) as
# `const clact__source clact__sources[]`, so that nothing has to be found at run time.
# Run as: cmake -DOUTPUT=... -DINPUTS="a.cl;b.cl" -P embed.cmake
set(text "/* Made from kernels/ by cmake/embed.cmake. */\n#include \"internal.h\"\n\n")
set(table "")
set(count 0)
foreach(input IN LISTS INPUTS)
  get_filename_component(name "${input}" NAME)
  get_filename_component(stem "${input}" NAME_WE)
  # A #line in front makes the device's compiler name the file in its messages.
  file(READ "${input}" body HEX)
  string(HEX "#line 1 \"${name}\"\n" line)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${line}${body}")
  # One hundred bytes a line keeps compilers and readers of the build folder happy.
  string(REGEX REPLACE "((0x[0-9a-f][0-9a-f],)(0x[0-9a-f][0-9a-f],)(0x[0-9a-f][0-9a-f],)(0x[0-9a-f][0-9a-f],))" "\\1\n" bytes "${bytes}")
  string(APPEND text "static const char source_${stem}[] = {\n${bytes}\n0};\n\n")
  string(APPEND table "    {source_${stem}, sizeof(source_${stem}) - 1},\n")
  math(EXPR count "${count} + 1")
endforeach()
string(APPEND text
  "const clact__source clact__sources[] = {\n${table}};\nconst unsigned clact__source_count = ${count};\n")
file(WRITE "${OUTPUT}" "${text}")
