# SPDX-License-Identifier: MIT
# Draws how fast an operator is, by the number of elements, from what clact_bench or clact bench has written
# with --csv:
#   gnuplot -c bench/speed.gp sigmoid speed.csv sigmoid-speed.svg [f32]

op = ARG1
data = ARG2
picture = ARG3
dtype = ARGC > 3 ? ARG4 : 'f32'
set terminal svg size 900,440 background rgb 'white' font 'Helvetica,Arial,sans-serif,13'
set output picture
set datafile separator ','
set datafile missing NaN # so that a line goes on past the rows of others

ink = '#303030'
array names[8] = ['copy', 'copy past cache', 'builtin', 'onnxruntime', 'pytorch', 'onednn', 'xnnpack', 'clact']
array titles[8] = ['the same, plain stores', 'copying as many bytes, stores past the cache', \
    'the one-line OpenCL kernel', 'ONNX Runtime', 'PyTorch', 'oneDNN', 'XNNPACK', 'clact']
array colors[8] = ['#c4c4c4', '#a0a0a0', '#d9772b', '#8a6fb3', '#c23b4a', '#2a8f8f', '#6b8e23', '#0b5fa5']
array widths[8] = [2, 2, 2, 2, 2, 2, 2, 4]
array dashes[8] = [2, 1, 1, 1, 1, 1, 1, 1]

# Of a contestant's ways only the fastest one, drawn by the wall clock, which all have. The header's line is none.
is_row(direction) = strcol(1) eq op && strcol(2) eq direction && strcol(3) eq dtype
is_of(direction, name) = is_row(direction) && strcol(9) eq name && strcol(11) eq '1'
speed(direction, name) = is_of(direction, name) ? column(18) : 1/0

# Which directions there are, which contestants, and from which size on data is not in the cache.
array all[3] = ['forward', 'from_output', 'from_input']
array words[3] = ['forward', 'gradient from the output', 'gradient from the input']
array panels[3]
array edges[3]
array present[8]
array lists[3] # of a panel's contestants, by their numbers
count = 0
none = 2.0 ** 99
do for [k = 1:8] { present[k] = 0 }
do for [d = 1:3] {
    stats data using (is_row(all[d]) ? 1 : 0) nooutput
    if (STATS_sum > 0) {
        count = count + 1
        panels[count] = d
        stats data using (is_row(all[d]) && strcol(5) eq 'memory' ? column(4) : none) nooutput
        edges[count] = STATS_min
        lists[count] = ''
        do for [k = 1:8] {
            stats data using (is_of(all[d], names[k]) ? 1 : 0) nooutput
            if (STATS_sum > 0) { lists[count] = lists[count].' '.k; present[k] = 1 }
        }
    }
}
if (count == 0) {
    print sprintf('%s has no rows of %s in %s', data, op, dtype)
    exit status 1
}
stats data using (strcol(1) eq op && strcol(3) eq dtype ? column(4) : 1/0) nooutput

set border 3 lc rgb '#808080'
set tics nomirror out textcolor rgb ink
set grid ytics lc rgb '#e4e4e4' lw 1 lt 1
set logscale x 2
set xtics ('1 Ki' 2**10, '4 Ki' 2**12, '16 Ki' 2**14, '64 Ki' 2**16, '256 Ki' 2**18, '1 Mi' 2**20, \
    '4 Mi' 2**22, '16 Mi' 2**24, '64 Mi' 2**26, '256 Mi' 2**28) rotate by 45 right font ',11'
set yrange [0:*]
set xrange [STATS_min / 1.2:STATS_max * 1.2]
set xlabel 'elements' textcolor rgb ink offset 0,0.3

set label 1 op.': speed in '.dtype noenhanced at screen 0.012,0.955 font ',18' textcolor rgb ink
set label 2 'in billions of elements per second (higher is better), all in one run; right of the dotted line data' \
    .' comes from memory' at screen 0.012,0.895 textcolor rgb '#606060'

# A legend of those that are there, in rows from left to right.
left = 0.012
row = 0.84
do for [k = 8:1:-1] {
    if (present[k] > 0) {
        room = 0.06 + 0.0083 * strlen(titles[k])
        if (left + room > 1) { left = 0.012; row = row - 0.055 }
        set arrow 10 + k from screen left,row to screen left + 0.03,row nohead lw widths[k] \
            lc rgb colors[k] dt dashes[k]
        set label 10 + k titles[k] noenhanced at screen left + 0.037,row textcolor rgb ink
        left = left + room
    }
}
set multiplot layout 1,count margins 0.045,0.985,0.2,0.68 spacing 0.06
do for [p = 1:count] {
    d = panels[p]
    set title words[d] textcolor rgb ink offset 0,-0.4
    # Half a step before the first size that is not in the cache.
    if (edges[p] < none) {
        set arrow 1 from first edges[p] / 2, graph 0 to first edges[p] / 2, graph 1 nohead dt 3 \
            lc rgb '#a0a0a0'
    }
    plot for [k in lists[p]] data using 4:(speed(all[d], names[int(k)])) with linespoints pt 7 ps 0.4 \
             lw widths[int(k)] dt dashes[int(k)] lc rgb colors[int(k)] notitle
    unset label
    unset arrow
}
unset multiplot
