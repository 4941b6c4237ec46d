#!/bin/sh
# SPDX-License-Identifier: MIT
# Measures and draws one operator:
#   sh bench/error_curve.sh CURVE OPERATOR PICTURE.svg DATA.csv SAMPLES
# CURVE is the program clact_error_curve. DATA.csv, where the measured figures go, has 1000 intervals of as
# many SAMPLES over a range that has all of the usual kernel's large errors in it, and the middle.
set -eu

if [ $# -ne 5 ]; then
    echo "usage: sh error_curve.sh CURVE OPERATOR PICTURE.svg DATA.csv SAMPLES" >&2
    exit 2
fi
curve=$1
op=$2
picture=$3
data=$4
samples=$5

# First roughly, farther than float's exponential reaches, to find that range. Where the result is 0 the
# picture ends: no line is to be had there that would tell more.
"$curve" --op "$op" --from -128 --to 128 --intervals 256 --samples 64 >"$data"
range=$(awk -F , '
    BEGIN { low = -6; high = 6 }
    NR > 1 && $5 != 0 && ($7 == "inf" || $7 >= 4) {
        if ($3 < low) low = $3
        if ($4 > high) high = $4
    }
    END { print low - 1, high + 1 }' "$data")

"$curve" --op "$op" --from "${range% *}" --to "${range#* }" --intervals 1000 --samples "$samples" >"$data"
gnuplot -c "$(dirname "$0")/error_curve.gp" "$op" "$data" "$picture"
