#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Sequence numbers of the ESP and AH packets of a capture, one a line, with the SPI.

usage: t2_numbers.py FILE
"""
import struct
import sys


def packets(data):
    """Ethernet frames of a pcap file, microsecond or nanosecond, our byte order."""
    pos = 24
    while pos + 16 <= len(data):
        size = struct.unpack_from('=IIII', data, pos)[2]
        yield data[pos + 16:pos + 16 + size]
        pos += 16 + size


def main():
    with open(sys.argv[1], 'rb') as file:
        data = file.read()
    for frame in packets(data):
        kind, = struct.unpack_from('>H', frame, 12)
        if kind == 0x0800:
            proto, off = frame[23], 14 + (frame[14] & 15) * 4
            if struct.unpack_from('>H', frame, 20)[0] & 0x1fff:
                continue
        elif kind == 0x86dd:
            proto, off = frame[20], 54
        else:
            continue
        if proto == 50:
            print('%08x %d' % struct.unpack_from('>II', frame, off))
        elif proto == 51:
            print('%08x %d' % struct.unpack_from('>II', frame, off + 4))


main()
