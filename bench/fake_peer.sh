#!/bin/sh
# SPDX-License-Identifier: MIT
# A peer for bench_test.cmake, by the requests of peer.h, that computes nothing: of hard_sigmoid with alpha and
# beta 0 all results are 0. FAKE says in which way it is to be wrong, if it is.
case $FAKE in
absent)
    echo "none for a reason"
    exit
    ;;
esac
echo "peer fake 1.0"
while read -r request _ count rest; do
    case $request in
    job)
        # the last number of the line says how many bytes follow
        head -c "${rest##* }" >/dev/null
        [ "$FAKE" = unable ] && echo no || echo "yes 0 0 0 one way, only"
        ;;
    run)
        [ "$FAKE" = mute ] && exit
        i=0
        while [ $((i += 1)) -le "$count" ]; do
            printf '%s ' 0.002
        done
        echo
        ;;
    sample)
        i=0
        while [ $((i += 1)) -le 64 ]; do
            if [ "$FAKE" = wrong ] && [ $i = 64 ]; then
                printf '%s ' ffffffff
            else
                printf '%s ' 0
            fi
        done
        echo
        ;;
    *) echo "done" ;;
    esac
done
