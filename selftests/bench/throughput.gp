# SPDX-License-Identifier: GPL-2.0
# gnuplot -e "data='...'; svg='...'; machine='...'" throughput.gp
set terminal svg size 860,440 dynamic background rgb "white" font "sans-serif,13"
set output svg
set multiplot layout 1,2 title "Throughput in relation to XFRM with the same cipher (median; lowest and highest round)\n".machine font ",13"
set pointintervalbox 0
set style fill solid 0.8 noborder
set boxwidth 0.6
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror out
set xtics rotate by -35
set yrange [0:*]
unset key
colour(v) = v[1:7] eq "postern" ? 0x2166ac : v[1:12] eq "xfrm-postern" ? 0x92c5de : v[1:4] eq "xfrm" ? 0x999999 : 0xd6a35c
# plain would hide all the others
shown(v, y) = v eq "plain" ? NaN : y
do for [i = 0:1] {
	set title i ? "UDP, 64 octets of payload, forwarded" : "TCP, one stream"
	plot 1 lc rgb "#999999" dt 2, \
	     data index i using 0:(shown(strcol(1), $2)):(colour(strcol(1))):xtic(1) every ::1 with boxes lc rgb variable, \
	     "" index i using 0:(shown(strcol(1), $2)):3:4 every ::1 with yerrorbars pt 7 ps 0.3 lc rgb "#333333"
}
unset multiplot
