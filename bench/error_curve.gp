# SPDX-License-Identifier: MIT
# Draws an operator and its errors from what clact_error_curve has measured; tools/plot.sh does all of it:
#   gnuplot -c bench/error_curve.gp gelu gelu.csv gelu.svg

op = ARG1
data = ARG2
picture = ARG3
set terminal svg size 900,640 background rgb 'white' font 'Helvetica,Arial,sans-serif,13'
set output picture
set datafile separator ','

ink = '#303030'
clact = '#0b5fa5'
builtin = '#d9772b'
set style line 1 lc rgb clact lw 3
set style line 2 lc rgb builtin lw 3
set border 3 lc rgb '#808080'
set tics nomirror out textcolor rgb ink
set grid lc rgb '#e4e4e4' lw 1 lt 1
unset key

# Of the rows of a direction, whose intervals are from column 3 to column 4. An error that is drawn has to
# be on the scale: one that is larger is at its top, a result that is exact at its bottom.
bottom = 0.1
top = 1e10
error(c) = strcol(c) eq 'inf' || column(c) > top ? top : column(c) < bottom ? bottom : column(c)
of(direction, value) = strcol(2) eq direction ? value : 1/0
middle = '(column(3) + column(4)) / 2'

# The errors are shown where the usual line has large ones in results that are not 0, and around 0; the
# curves only around 0.
around = 6
large(direction) = strcol(2) eq direction && column(5) != 0 && error(7) >= 4
left(direction) = large(direction) && column(3) < -around ? column(3) : -around
right(direction) = large(direction) && column(4) > around ? column(4) : around
highest(direction) = strcol(2) eq direction ? error(7) > error(6) ? error(7) : error(6) : bottom

set label 1 op.': the function, its gradient, and their largest errors in float32' noenhanced \
    at screen 0.012,0.965 font ',18' textcolor rgb ink
set label 2 'in units in the last place (ULP), in short intervals of x; perfect rounding has at most 0.5,' \
    .' and no error is on the axis' at screen 0.012,0.925 textcolor rgb '#606060'
set label 3 'clact' at screen 0.055,0.885 textcolor rgb clact font ',14'
set label 4 'the usual one-line kernel with OpenCL''s functions' at screen 0.165,0.885 \
    textcolor rgb '#b85a14' font ',14'
set arrow 1 from screen 0.012,0.885 to screen 0.045,0.885 nohead ls 1
set arrow 2 from screen 0.122,0.885 to screen 0.155,0.885 nohead ls 2

set multiplot layout 2,2 margins 0.085,0.985,0.095,0.795 spacing 0.085,0.135

array directions[2] = ['forward', 'from_input']
array titles[2] = ['y = '.op.'(x)', 'gradient dx, for grad = 1']
set xrange [-around:around]
set xtics 2
set yrange [*:*]
do for [d = 1:2] {
    set title titles[d] noenhanced textcolor rgb ink
    plot data skip 1 using 3:(of(directions[d], column(5))) with lines ls 1
    unset label
    unset arrow
}

set logscale y
set mytics 1
set format y '10^{%T}'
set xtics autofreq
set xlabel 'x' textcolor rgb ink offset 0,0.6
array errors[2] = ['largest error of y (ULP)', 'largest error of dx (ULP)']
do for [d = 1:2] {
    set xrange [*:*] # else only what is in it counts
    set yrange [*:*]
    stats data skip 1 using (left(directions[d])):(right(directions[d])) nooutput
    room = 0.02 * (STATS_max_y - STATS_min_x)
    set xrange [STATS_min_x - room:STATS_max_y + room]
    stats data skip 1 using (highest(directions[d])) nooutput
    set yrange [bottom:STATS_max > 100 ? 10 ** ceil(log10(STATS_max)) : 100]
    set ytics autofreq
    if (STATS_max == top) { set ytics add ('more' top) }
    set title errors[d] textcolor rgb ink
    plot data skip 1 using (@middle):(of(directions[d], error(7))) with lines ls 2, \
         '' skip 1 using (@middle):(of(directions[d], error(6))) with lines ls 1
}
unset multiplot
