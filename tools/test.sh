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
    optional g++ libonnx-testdata libmpfr-dev oclgrind clang libclang-rt-dev gnuplot-nox \
    libxnnpack-dev libpthreadpool-dev libdnnl-dev

jobs=$(nproc 2>/dev/null || echo 2)
# Continuous integration has compilers that are known, so that a warning is a defect, and everything
# that the tests can use, so that a part that would be left out elsewhere is one too.
strict=${CI:+ON}
strict=${strict:-OFF}

# build PRESET: all of it, whatever an earlier run in the same folder was told to leave out.
build() {
    cmake --preset "$1" -DCLACT_WERROR="$strict" -DCLACT_TESTS_STRICT="$strict" \
        -DCLACT_BUILD_TESTS=ON -DCLACT_BUILD_TOOLS=ON -DCLACT_BUILD_EXAMPLES=ON -DCLACT_BUILD_BENCH=ON
    cmake --build --preset "$1" -j "$jobs"
}

# run FOLDER [ctest option ...]
run() {
    folder=$1
    shift
    (cd "$folder" && ctest --no-tests=error --output-on-failure -j "$jobs" "$@")
}

# Whether clang's sanitizers are there and work. Without /proc, as in a bare chroot, they cannot look for
# leaks; the tests count OpenCL's objects themselves.
sanitizers_work() {
    probe=$(mktemp -d)
    echo 'int main(void) { return 0; }' >"$probe/main.c"
    clang -fsanitize=address,undefined -o "$probe/main" "$probe/main.c" 2>/dev/null || return 1
    if ! "$probe/main" 2>/dev/null; then
        export ASAN_OPTIONS=detect_leaks=0
        "$probe/main" || return 1
    fi
    rm -r "$probe"
}

build default
if sanitizers_work; then
    build sanitize
    # What measures or compares results does not change under a sanitizer, but for the time it takes; other tests
    # pass the host's code all that these do.
    measuring='accuracy|agreement|^layout|^extremes$|^loss_values$|^bench|^cold_start$|^recurrent_(f|b|g|l)|^(gated|epilogue|softmax)$|(epilogue|loss)_layout'
    measuring="$measuring|^example_(vanishing|lstm)\$|^sigmoid_examples\$"
    run build-sanitize -E "$measuring" -LE 'exhaustive|large|slow|oclgrind'
elif [ "$strict" = ON ]; then
    echo "clang or its sanitizers are missing" >&2
    exit 1
else
    echo "clang or its sanitizers are missing: that part is left out"
fi
if [ -n "$all" ]; then
    run build
else
    run build -LE 'exhaustive|large|slow'
fi
