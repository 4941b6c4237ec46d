# SPDX-License-Identifier: MIT
# Installs the library into an empty prefix and builds examples/consumer, copied out of the tree,
# against it in each way that the README offers. Variables: SOURCE, BUILD (folders of clact),
# CONFIG, VERSION, GENERATOR, CC, C_FLAGS (of this build), SHARED (is it a shared library), SCRATCH.

include("${CMAKE_CURRENT_LIST_DIR}/run_program.cmake")
set(prefix "${SCRATCH}/prefix")

function(check_consumer program)
  run_checked(out "${program}")
  if(NOT out STREQUAL "0.1192 0.5 0.8808\n")
    message(SEND_ERROR "${program} printed:\n${out}")
  endif()
endfunction()

# Configures, builds and runs the consumer with CMake.
function(check_cmake name)
  set(build "${SCRATCH}/${name}")
  run_checked(out "${CMAKE_COMMAND}" -S "${SCRATCH}/consumer" -B "${build}" -G "${GENERATOR}"
    "-DCMAKE_BUILD_TYPE=${CONFIG}" "-DCMAKE_C_COMPILER=${CC}" "-DCMAKE_C_FLAGS=${C_FLAGS}"
    "-DBUILD_SHARED_LIBS=${SHARED}" ${ARGN})
  run_checked(out "${CMAKE_COMMAND}" --build "${build}" --config "${CONFIG}")
  check_consumer("${build}/consumer")
endfunction()

function(check_pkg_config)
  file(GLOB_RECURSE file "${prefix}/*/clact.pc")
  get_filename_component(folder "${file}" DIRECTORY)
  get_filename_component(libraries "${folder}" DIRECTORY)
  set(ENV{PKG_CONFIG_PATH} "${folder}")
  set(static)
  if(NOT SHARED)
    set(static --static)
  endif()
  run_checked(version pkg-config --modversion clact)
  if(NOT version STREQUAL "${VERSION}\n")
    message(SEND_ERROR "clact.pc has version ${version} instead of ${VERSION}")
  endif()
  run_checked(flags pkg-config ${static} --cflags --libs clact)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  separate_arguments(own UNIX_COMMAND "${C_FLAGS}")
  run_checked(out "${CC}" -std=c11 -Wall -Wextra -Wpedantic -Werror ${own} "${SCRATCH}/minimal.c"
    -o "${SCRATCH}/by_pkg_config" ${flags} "-Wl,-rpath,${libraries}")
  check_consumer("${SCRATCH}/by_pkg_config")
endfunction()

file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}")
file(COPY "${SOURCE}/examples/minimal.c" "${SOURCE}/examples/consumer" DESTINATION "${SCRATCH}")
run_checked(out "${CMAKE_COMMAND}" --install "${BUILD}" --config "${CONFIG}" --prefix "${prefix}")
check_cmake(by_find_package "-DCMAKE_PREFIX_PATH=${prefix}")
check_pkg_config()
check_cmake(by_add_subdirectory "-DCLACT_FOLDER=${SOURCE}")
