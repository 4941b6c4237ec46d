#!/bin/sh
# SPDX-License-Identifier: MIT
# Draws an operator: its curve and its gradient's, and the errors of both next to those of the usual
# one-line kernel, as measured on the OpenCL device that the library chooses:
#   sh tools/plot.sh OPERATOR PICTURE.svg [DATA.csv]
# DATA.csv gets the figures that were measured. Installs what is missing and builds, if need be.
if [ $# -lt 2 ] || [ $# -gt 3 ]; then
    echo "usage: sh tools/plot.sh OPERATOR PICTURE.svg [DATA.csv]" >&2
    exit 2
fi

# The paths as seen from the top folder, to which setup.sh goes.
from_here() {
    case $1 in
    /*) echo "$1" ;;
    *) echo "$PWD/$1" ;;
    esac
}
op=$1
picture=$(from_here "$2")
data=${3:+$(from_here "$3")}
. "$(dirname "$0")/setup.sh"

gnuplot=
command -v gnuplot >/dev/null || gnuplot="gnuplot-nox"
# shellcheck disable=SC2086 # a list of words
install_missing $build_packages $gnuplot
build_quietly --target clact_error_curve

if [ -z "$data" ]; then
    data=$(mktemp)
    trap 'rm -f "$data"' EXIT
fi
sh bench/error_curve.sh build/bench/clact_error_curve "$op" "$picture" "$data" 4096
