#!/bin/sh
# SPDX-License-Identifier: MIT
# Puts a measured table into the README, in the place of the one between its markers:
#   sh tools/update-readme.sh build/accuracy.md
# The table comes from `ctest --test-dir build -L exhaustive`.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: sh tools/update-readme.sh TABLE.md" >&2
    exit 2
fi
table=$1
readme=$(dirname "$0")/../README.md
begin='<!-- accuracy:begin -->'
end='<!-- accuracy:end -->'

for file in "$table" "$readme"; do
    if [ ! -s "$file" ]; then
        echo "update-readme.sh: $file is missing or empty" >&2
        exit 1
    fi
done

made=$(mktemp "$readme.XXXXXX")
trap 'rm -f "$made"' EXIT
cp -p "$readme" "$made" # for its permissions
if ! awk -v begin="$begin" -v end="$end" -v table="$table" '
    $0 == begin && state == 0 {
        print
        while ((got = (getline line < table)) > 0)
            print line
        if (got < 0)
            exit (failed = 1)
        state = 1
    }
    $0 == end && state == 1 { state = 2 }
    state != 1 { if ($0 != begin) print }
    END { exit (failed || state != 2) }
' "$readme" >"$made"; then
    echo "update-readme.sh: $readme needs a line $begin and after it a line $end" >&2
    exit 1
fi
mv "$made" "$readme"
