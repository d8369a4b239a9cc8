#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send numbered UDP datagrams from one socket.

usage: t2_datagrams.py ADDRESS PORT FIRST LAST
"""
import socket
import sys

sock = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
sock.connect((sys.argv[1], int(sys.argv[2])))
for number in range(int(sys.argv[3]), int(sys.argv[4]) + 1):
    sock.send(b'%d\n' % number)
