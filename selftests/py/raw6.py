#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""raw6.py DEVICE SRC DST HEADERS COUNT: send IPv6 packets with that many empty
destination options headers in front of a UDP datagram, as the local stack
would never make them."""
import ipaddress
import socket
import struct
import sys

dev, src, dst = sys.argv[1:4]
headers, count = int(sys.argv[4]), int(sys.argv[5])
UDP, DSTOPTS = 17, 60

udp = struct.pack('>HHHH', 7000, 7000, 16, 0xffff) + b'in clear'
options = b''.join(struct.pack('>BBBB4x', DSTOPTS if i + 1 < headers else UDP, 0, 1, 4) for i in range(headers))
packet = struct.pack('>IHBB', 0x60000000, len(options + udp), DSTOPTS if headers else UDP, 64)
packet += ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed + options + udp
sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, dev.encode())
for _ in range(count):
    sock.sendto(packet, (dst, 0))
