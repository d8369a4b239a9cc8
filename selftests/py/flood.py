#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send packets of which each is something new to the receiver or the host.

usage: flood.py udp NETWORK COUNT SECONDS	datagrams, each to another host of a /10
       flood.py esp ADDRESS COUNT SECONDS	ESP with another SPI each

Ends when so many were sent and so much time has passed; prints how many.
"""
import os
import socket
import struct
import sys
import time

SNDBUFFORCE = 32


def main(kind, to, count, seconds):
    if kind == "udp":
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        base, = struct.unpack("!I", socket.inet_aton(to))
    else:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, 50)
    sock.setsockopt(socket.SOL_SOCKET, SNDBUFFORCE, 1 << 26)
    payload, first = bytes(32), int.from_bytes(os.urandom(3), "big") | 1 << 24
    end, sent = time.monotonic() + float(seconds), 0
    while sent < int(count) or time.monotonic() < end:
        for sent in range(sent + 1, sent + 257):
            try:
                if kind == "udp":
                    sock.sendto(payload, (socket.inet_ntoa(struct.pack("!I", base + sent % (1 << 22))), 9))
                else:
                    sock.sendto(struct.pack("!II", first + sent, 1) + payload, (to, 0))
            except OSError:	# refused: it was dropped
                pass
    print(sent)


main(*sys.argv[1:])
