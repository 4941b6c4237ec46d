# SPDX-License-Identifier: MIT
# Writes OUTPUT, a C header with the texts of the files in INPUTS, in that order, as an OpenCL program is
# made of them: embedded_texts, embedded_lengths and their number EMBEDDED_COUNT. So nothing has to be found
# at run time. EMBEDDED_DIGEST is the SHA-256 of them, to tell them from those of another version.
# Run as: cmake -DOUTPUT=... -DINPUTS="a.cl;b.cl" -P embed.cmake
set(arrays "")
set(texts "")
set(lengths "")
foreach(input IN LISTS INPUTS)
  get_filename_component(name "${input}" NAME)
  get_filename_component(stem "${input}" NAME_WE)
  # A #line in front makes the device's compiler name the file in its messages.
  file(READ "${input}" body HEX)
  string(HEX "#line 1 \"${name}\"\n" line)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${line}${body}")
  string(REPLACE "0x0a," "0x0a,\n" bytes "${bytes}") # a line of text is a line here
  string(APPEND arrays "static const char embedded_${stem}[] = {\n${bytes}0};\n\n")
  string(APPEND texts "    embedded_${stem},\n")
  string(APPEND lengths "    sizeof(embedded_${stem}) - 1,\n")
endforeach()
list(LENGTH INPUTS count)
string(SHA256 digest "${arrays}${texts}")
file(WRITE "${OUTPUT}" "/* Made by cmake/embed.cmake. */
#include <stddef.h>

enum { EMBEDDED_COUNT = ${count} };

#define EMBEDDED_DIGEST \"${digest}\"

${arrays}static const char *embedded_texts[EMBEDDED_COUNT] = {
${texts}};

static const size_t embedded_lengths[EMBEDDED_COUNT] = {
${lengths}};
")
