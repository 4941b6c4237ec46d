# SPDX-License-Identifier: MIT
# Draws docs/sigmoid-error.svg from bench/results/sigmoid-error.csv. In the repository's root:
#   gnuplot bench/error_curve.gp

data = 'bench/results/sigmoid-error.csv'
set terminal svg size 900,440 background rgb 'white' font 'Helvetica,Arial,sans-serif,13'
set output 'docs/sigmoid-error.svg'
set datafile separator ','

ink = '#303030'
clact = '#0b5fa5'
builtin = '#d9772b'
plain = '#303030'
set style line 1 lc rgb clact lw 3
set style line 2 lc rgb builtin lw 5
set style line 3 lc rgb plain lw 1.2
set border 3 lc rgb '#808080'
set tics nomirror out textcolor rgb ink
set grid ytics lc rgb '#e4e4e4' lw 1 lt 1
set logscale y
set mytics 1
set format y '10^{%T}'
set xrange [-105:20]
set yrange [0.1:1e8]
set xtics -100,20,20
set xlabel 'x' textcolor rgb ink offset 0,0.4
unset key

# A rounding that happens to be exact is drawn on the axis.
at_least(e) = e < 0.1 ? 0.1 : e
of(direction, error) = strcol(2) eq direction ? at_least(error) : 1/0
x(direction) = strcol(2) eq direction ? (column(3) + column(4)) / 2 : 1/0

set label 1 'Largest error of the sigmoid and its gradient in float32' at screen 0.012,0.952 \
    font ',18' textcolor rgb ink
set label 2 'in units in the last place (ULP), in each interval of x of length 1/4, on a CPU;' \
    .' a perfectly rounded result has at most 0.5' at screen 0.012,0.89 textcolor rgb '#606060'

set multiplot layout 1,2 margins 0.085,0.985,0.125,0.775 spacing 0.07

set title 'y = sigmoid(x)' textcolor rgb ink
set ylabel 'largest error (ULP)' textcolor rgb ink offset 1.2,0
set label 3 'clact' at -40,0.2 center textcolor rgb clact font ',14'
set label 4 '1 / (1 + exp(-x))' at -62,1e4 left textcolor rgb ink font ',14'
set label 5 'as an OpenCL kernel (orange)' at -62,2e3 left textcolor rgb '#b85a14'
set label 6 'and in plain C (black)' at -62,4e2 left textcolor rgb plain
set label 7 'below -88.7 exp(-x) is infinite and y is 0' at -85,2e6 left \
    textcolor rgb ink font ',12'
plot data skip 1 using (x('forward')):(of('forward', column(6))) with lines ls 2, \
     '' skip 1 using (x('forward')):(of('forward', column(7))) with lines ls 3, \
     '' skip 1 using (x('forward')):(of('forward', column(5))) with lines ls 1

unset label 1
unset label 2
set title 'gradient dx = s (1 - s), s = sigmoid(x)' textcolor rgb ink
unset ylabel
set label 4 's * (1 - s)'
set label 7 'below -88.7 s is 0'
set label 8 '1 - s cancels;' at 8,3e7 right textcolor rgb ink font ',12'
set label 9 'from 17 on it is 0' at 8,8e6 right textcolor rgb ink font ',12'
plot data skip 1 using (x('from_input')):(of('from_input', column(6))) with lines ls 2, \
     '' skip 1 using (x('from_input')):(of('from_input', column(7))) with lines ls 3, \
     '' skip 1 using (x('from_input')):(of('from_input', column(5))) with lines ls 1
unset multiplot
