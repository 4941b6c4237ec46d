#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing, builds, and passes the tests: with the system's compiler, and again with
# clang and its sanitizers where they are there. `sh tools/test.sh --all` adds the tests that take long:
# all 2^32 floats, and arrays of more than 2^32 elements.
. "$(dirname "$0")/setup.sh"

all=
case ${1:-} in
--all) all=yes ;;
'') ;;
*)
    echo "usage: sh tools/test.sh [--all]" >&2
    exit 2
    ;;
esac

# shellcheck disable=SC2086 # a list of words
install_missing $build_packages libcmocka-dev \
    optional g++ libmpfr-dev libonnx-testdata oclgrind clang libclang-rt-dev

jobs=$(nproc 2>/dev/null || echo 2)
# In continuous integration the compilers are known, and a warning is a defect.
werror=-DCLACT_WERROR=${CI:+ON}

cmake --preset default "$werror"
cmake --build build -j "$jobs"

sanitizers_work() {
    echo 'int main(void) { return 0; }' |
        clang -fsanitize=address,undefined -x c - -o /dev/null 2>/dev/null
}
if sanitizers_work; then
    cmake --preset sanitize "$werror"
    cmake --build build-sanitize -j "$jobs"
    # What only measures does not change under a sanitizer, but for the time it takes.
    (cd build-sanitize && ctest --output-on-failure -j "$jobs" -E accuracy -LE 'exhaustive|large|oclgrind')
else
    echo "clang or its sanitizers are missing: that part is left out"
fi

if [ -n "$all" ]; then
    (cd build && ctest --output-on-failure -j "$jobs")
else
    (cd build && ctest --output-on-failure -j "$jobs" -LE 'exhaustive|large')
fi
