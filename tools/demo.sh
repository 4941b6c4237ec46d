#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing, builds, and runs clact on the real data that comes with it: a classifier whose
# forward and backward passes run on the OpenCL device that the library chose.
. "$(dirname "$0")/setup.sh"

# shellcheck disable=SC2086 # a list of words
install_missing $build_packages

build_quietly

echo
echo "The OpenCL devices here:"
build/tools/clact devices

echo
echo "A classifier, trained and run through clact on 569 real samples:"
build/examples/classify

echo
echo "The same device's own exp against clact, on 16 million floats:"
build/bench/clact_bench --op sigmoid --dtype f32 --sizes 16M --peers none --no-overhead
