#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Echo requests of several sizes, one after the other: ping.py DST SIZE...

Each is answered, with the data that it had, or the exit status is 1.  A process for
each of them, as ping needs it, takes most of the time of an emulated machine.
"""
import os
import socket
import struct
import sys
import time

WAIT = 10.0  # seconds

dst = sys.argv[1]
six = ":" in dst
request, reply = (128, 129) if six else (8, 0)
sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM,
                     socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP)


def answered(seq, data):
    """Whether the answer came; others, late ones of requests before, are passed over."""
    sock.sendto(struct.pack("!BBHHH", request, 0, 0, 0, seq) + data, (dst, 0))
    end = time.monotonic() + WAIT
    while (left := end - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            got = sock.recv(1 << 16)
        except socket.timeout:
            break
        if len(got) >= 8 and got[0] == reply and struct.unpack("!H", got[6:8])[0] == seq:
            return got[8:] == data
    return False


for n, size in enumerate(map(int, sys.argv[2:]), 1):
    # half of it can be compressed
    if not answered(n, os.urandom(size - size // 2) + bytes(size // 2)):
        sys.exit(f"{dst} did not answer {size} octets as they were")
