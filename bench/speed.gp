# SPDX-License-Identifier: MIT
# Draws docs/sigmoid-speed.svg from bench/results/speed.csv. In the repository's root:
#   gnuplot bench/speed.gp

data = 'bench/results/speed.csv'
set terminal svg size 900,330 background rgb 'white' font 'Helvetica,Arial,sans-serif,13'
set output 'docs/sigmoid-speed.svg'
set datafile separator ','

ink = '#303030'
clact = '#0b5fa5'
builtin = '#d9772b'
copy = '#c9c9c9'

# The best way of a contestant in a direction, in f32: the figures of all others become 0.
figure(direction, name) = strcol(2) eq direction && strcol(3) eq 'f32' && strcol(7) eq name \
    ? column(14) : 0
array directions[3] = ['forward', 'from_output', 'from_input']
array titles[3] = ['forward', 'gradient from the output', 'gradient from the input']
array names[3] = ['clact', 'builtin', 'copy past cache']
array figures[9]
largest = 0
do for [d = 1:3] {
    do for [k = 1:3] {
        stats data skip 1 using (figure(directions[d], names[k])) nooutput
        figures[3 * (d - 1) + k] = STATS_max
        largest = STATS_max > largest ? STATS_max : largest
    }
}
place(i) = i + 0.9 * int((i - 1) / 3)

set border 1 lc rgb '#808080'
set tics nomirror out scale 0 textcolor rgb ink
unset ytics
set xrange [0.2:place(9) + 0.8]
set yrange [0:largest * 1.12]
set xtics (titles[1] place(2), titles[2] place(5), titles[3] place(8))
set boxwidth 0.86
set style fill solid
unset key
set lmargin at screen 0.012
set rmargin at screen 0.988
set tmargin at screen 0.72
set bmargin at screen 0.11

set label 1 'Speed of the sigmoid in float32' at screen 0.012,0.93 font ',18' textcolor rgb ink
set label 2 'in billions of elements per second, 16 Mi elements, on two cores of a CPU, all in' \
    .' one run (higher is better)' at screen 0.012,0.845 textcolor rgb '#606060'
set label 3 'clact' at screen 0.012,0.765 textcolor rgb clact font ',14'
set label 4 'the one-line OpenCL kernel' at screen 0.075,0.765 \
    textcolor rgb '#b85a14' font ',14'
set label 5 'only copying as many bytes (stores past the cache): the limit' at screen 0.31,0.765 \
    textcolor rgb '#808080' font ',14'

# An array is read as if it were a file with spaces.
set datafile separator whitespace
color(i) = (int(i) - 1) % 3
plot for [k = 0:2] figures using (color($1) == k ? place($1) : 1/0):2 with boxes \
         lc rgb (k == 0 ? clact : k == 1 ? builtin : copy), \
     figures using (place($1)):2:(sprintf('%.2f', $2)) with labels offset 0,0.6 textcolor rgb ink
