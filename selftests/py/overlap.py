#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Pieces of UDP datagrams that are tiny, that overlap, or that say two things.

usage: overlap.py SOURCE DESTINATION ID

Of the datagrams that can be put together, 3 are to port 7000 with "canary" in each
piece, and 3 to port 7001; where pieces overlap, none can.
"""
import struct
import sys

import t2_packet as packet

UDP = 17
P, O = (7000, b'canary  '), (7001, b'another ')

# Of a datagram of 48 octets: whose piece, from, to
CASES = [
    [(P, 0, 8), (P, 8, 48)],                            # whole
    [(P, 16, 48), (P, 8, 16), (P, 0, 8)],
    [(P, 0, 16), (O, 0, 16), (P, 16, 48)],              # the same twice: the first counts
    [(O, 0, 8), (O, 8, 48)],
    [(O, 0, 16), (P, 0, 16), (O, 16, 48)],
    [(O, 0, 16), (P, 0, 8), (O, 16, 48)],
    [(O, 0, 8), (P, 0, 16), (O, 16, 48)],               # overlaps
    [(O, 0, 16), (P, 8, 48)],
    [(P, 8, 48), (O, 0, 16)],
    [(O, 0, 8), (P, 0, 40), (P, 40, 48)],
    [(O, 0, 16), (P, 8, 32), (P, 32, 48)],
    [(P, 0, 8)],                                        # not all
    [(P, 8, 48)],
    [(P, 0, 8), (P, 16, 48)],
]


def piece(src, dst, ident, whose, start, end):
    """One fragment."""
    port, text = whose
    data = packet.udp(src, dst, 4000, port, text * 5)
    more = end < len(data)
    if ':' in src:
        head = struct.pack('>BBHI', UDP, 0, start | more, ident)
        return packet.ip(src, dst, 44, head + data[start:end])
    return packet.ip(src, dst, UDP, data[start:end], ident=ident, frag=start // 8 | more << 13)


def main():
    src, dst, ident = sys.argv[1:]
    for number, case in enumerate(CASES):
        packet.send([piece(src, dst, int(ident) + number, *one) for one in case], True)


main()
