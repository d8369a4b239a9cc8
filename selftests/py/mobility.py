#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""mobility.py SRC DST TYPE [HEADER]: an IPv6 Mobility Header (RFC 6275) of that type,
behind an extension header of py/headers.py if one is named."""
import socket
import struct
import sys

import headers

src, dst, kind = sys.argv[1:4]
names = sys.argv[4:]
last = 6
packet = bytearray(40)
for name in names:
    packet[last], more = headers.extension(name, src, dst)
    last = len(packet)
    packet += more
packet[last] = 135
packet += bytes([59, 0, int(kind), 0, 0, 0, 0, 0])
packet[:6] = struct.pack("!IH", 0x60000000, len(packet) - 40)
packet[7:40] = bytes([64]) + headers.packed(src) + headers.packed(dst)
sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
sock.sendto(bytes(packet), (dst, 0))
