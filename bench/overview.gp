# SPDX-License-Identifier: MIT
# Draws how fast all operators are at one size, from what clact_bench has written with --csv:
#   gnuplot -c bench/overview.gp speed.csv 16777216 overview.svg [f32]

data = ARG1
size = ARG2
picture = ARG3
dtype = ARGC > 3 ? ARG4 : 'f32'
set terminal svg size 900,760 background rgb 'white' font 'Helvetica,Arial,sans-serif,13'
set output picture
set datafile separator ','

ink = '#303030'
array names[6] = ['clact', 'builtin', 'xnnpack', 'onednn', 'pytorch', 'onnxruntime']
array titles[6] = ['clact', 'the one-line OpenCL kernel', 'XNNPACK', 'oneDNN', 'PyTorch', 'ONNX Runtime']
array colors[6] = ['#0b5fa5', '#d9772b', '#6b8e23', '#2a8f8f', '#c23b4a', '#8a6fb3']
array directions[2] = ['forward', 'from_input']
array panels[2] = ['forward', 'gradient from the input']

# Of a contestant's ways only the fastest one, drawn by the wall clock, which all have.
is_row(direction) = strcol(2) eq direction && strcol(3) eq dtype && strcol(4) eq size && strcol(11) eq '1'
speed(direction, name) = is_row(direction) && strcol(9) eq name ? column(18) : 1/0
is_copy(direction) = is_row(direction) && strcol(9)[1:4] eq 'copy'

# The operators, each once; a row's place is that of its operator.
operators = system(sprintf("awk -F , '$3 == \"%s\" && $4 == %s && !seen[$1]++ { print $1 }' '%s'", dtype, size, data))
count = words(operators)
if (count == 0) {
    print sprintf('%s has no rows of %s elements in %s', data, size, dtype)
    exit status 1
}
place(name) = sum [i = 1:count] (word(operators, i) eq name ? i : 0)
array present[6]
do for [k = 1:6] {
    stats data using (is_row('forward') && strcol(9) eq names[k] ? 1 : 0) nooutput
    present[k] = STATS_sum
}

set border 3 lc rgb '#808080'
set tics nomirror out scale 0 textcolor rgb ink
set grid ytics lc rgb '#e4e4e4' lw 1 lt 1
set xrange [0.3:count + 0.7]
set yrange [0:*]
set style fill solid
unset key
do for [i = 1:count] { set xtics add (word(operators, i) i) }
set xtics rotate by 30 right noenhanced font ',11'

set label 1 sprintf('Speed of all operators in %s, %.4g Mi elements', dtype, real(size) / 2**20) noenhanced \
    at screen 0.012,0.972 font ',18' textcolor rgb ink
set label 2 'in billions of elements per second (higher is better), all in one run' \
    at screen 0.012,0.94 textcolor rgb '#606060'
set label 3 'grey: copying as many bytes' at screen 0.012,0.905 textcolor rgb '#808080'
left = 0.25
do for [k = 1:6] {
    if (present[k] > 0) {
        set label 10 + k titles[k] noenhanced at screen left,0.905 textcolor rgb colors[k] \
            font (k == 1 ? ',14' : ',13')
        left = left + 0.035 + 0.0085 * strlen(titles[k])
    }
}
set multiplot layout 2,1 margins 0.045,0.985,0.13,0.85 spacing 0,0.19
do for [d = 1:2] {
    set title panels[d] textcolor rgb ink offset 0,-0.5
    plot data using (place(strcol(1))):(is_copy(directions[d]) ? column(18) : 1/0):(0.84) \
             with boxes lc rgb '#dddddd', \
         data using (place(strcol(1))):(speed(directions[d], 'clact')):(0.6) with boxes lc rgb colors[1], \
         for [k = 2:6] data using (place(strcol(1)) - 0.48 + 0.16 * k):(speed(directions[d], names[k])) \
             with points pt 7 ps 0.7 lc rgb colors[k]
    unset label
}
unset multiplot
