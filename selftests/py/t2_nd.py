#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send ICMPv6 that only looks like neighbour discovery.

usage: t2_nd.py SOURCE DESTINATION HOP_LIMIT
"""
import struct
import sys

import t2_packet as packet

ICMPV6 = 58


def main():
    src, dst, hops = sys.argv[1], sys.argv[2], int(sys.argv[3])
    for kind in range(133, 138):
        text = b'covert text'
        check = packet.upper_checksum(src, dst, ICMPV6, struct.pack('>BBH', kind, 0, 0) + text)
        packet.send([packet.ip(src, dst, ICMPV6, struct.pack('>BBH', kind, 0, check) + text, hops)])


main()
