#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Segments that begin TCP connections, with options of all kinds.

usage: syn.py send SOURCE DESTINATION
       syn.py check FILE MSS4 MSS6
  send   one segment for each case, its source port 1000 and the number of the case
  check  a capture of them: all arrived, once, their checksums right; and as they were
         sent, but that no SYN asks for more than MSS
"""
import struct
import sys

import t2_packet as packet

FIN, SYN, ACK = 1, 2, 16
MSS, BIG = b'\x02\x04', b'\x02\x04\xff\xff'

# flags, octets behind the fixed header, header length in words (None: as it is)
CASES = [
    (SYN, BIG, None),
    (SYN | ACK, BIG, None),
    (ACK, BIG, None),                                   # no SYN
    (SYN | FIN, BIG, None),
    (SYN, MSS + b'\x01\xf4', None),                     # 500, less than fits
    (SYN, MSS + b'\0\0', None),
    (SYN, b'', None),                                   # none
    (SYN, b'\x01' + BIG + b'\x01\x01\x01', None),       # at odd places
    (SYN, b'\x01\x01' + BIG + b'\x04\x02', None),
    (SYN, b'\x03\x03\x07' + BIG + b'\0', None),
    (SYN, BIG + BIG, None),                             # twice
    (SYN, b'\x08\x0a' + bytes(8) + BIG + b'\x01' * 26, None),
    (SYN, b'\x01' * 36 + BIG, None),                    # the last four
    (SYN, b'\0\0\0\0' + BIG, None),                     # behind the end of the list
    (SYN, b'\x02\x03\xff\xff', None),                   # lengths that an MSS has not
    (SYN, b'\x02\x05\xff\xff\xff\0\0\0', None),
    (SYN, b'\x02\x00\xff\xff', None),
    (SYN, b'\x02\x01\xff\xff', None),
    (SYN, b'\x03\x00' + BIG + b'\0\0', None),           # a length of 0, 1, and too long
    (SYN, b'\x03\x01' + BIG + b'\0\0', None),
    (SYN, b'\x03\x28' + BIG + b'\0\0', None),
    (SYN, b'\x01\x01\x02\x04', None),                   # cut off by the end of the list
    (SYN, b'\x01\x01\x01\x02', None),
    (SYN, b'\x01\x02\x04\xff', None),
    (SYN, BIG, 5),                                      # is no option, but data
    (SYN, BIG, 4),
    (SYN, BIG, 0),
    (SYN, BIG, 15),                                     # more header than packet
]


def segment(src, dst, number, mss=None):
    """As sent, or as it may arrive."""
    flags, options, words = CASES[number]
    if mss and flags & SYN:
        options = lowered(options, words, mss)
    head = struct.pack('>HHIIBBHHH', 1000 + number, 9, number, 0,
                       (5 + len(options) // 4 if words is None else words) << 4, flags, 8192, 0, 0) + options
    return head[:16] + struct.pack('>H', packet.upper_checksum(src, dst, 6, head)) + head[18:]


def lowered(options, words, mss):
    """Option by option (RFC 9293 section 3.1)."""
    out, left = b'', options
    if words is not None:
        return options
    while left and left[0]:
        size = 1 if left[0] == 1 else left[1] if len(left) > 1 else 0
        if size > len(left) or (size < 2 and left[0] != 1):
            break
        one, left = left[:size], left[size:]
        if one[:2] == MSS and struct.unpack('>H', one[2:])[0] > mss:
            one = MSS + struct.pack('>H', mss)
        out += one
    return out + left


def frames(name):
    """Packets of a capture of Ethernet."""
    with open(name, 'rb') as file:
        data = file.read()
    order = '<' if data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
    at = 24
    while at < len(data):
        size = struct.unpack_from(order + 'I', data, at + 8)[0]
        yield data[at + 30:at + 16 + size]
        at += 16 + size


def check(name, mss):
    """Returns what is wrong."""
    seen, wrong = {}, []
    for frame in frames(name):
        if frame[0] >> 4 == 4:
            size, src, dst, tcp = frame[2:4], frame[12:16], frame[16:20], frame[20:]
            tcp = tcp[:struct.unpack('>H', size)[0] - 20]
            text = ['.'.join(map(str, a)) for a in (src, dst)]
        else:
            tcp = frame[40:40 + struct.unpack('>H', frame[4:6])[0]]
            text = [':'.join(a[i:i + 2].hex() for i in range(0, 16, 2)) for a in (frame[8:24], frame[24:40])]
        number = struct.unpack('>H', tcp[:2])[0] - 1000
        if not 0 <= number < len(CASES):
            continue
        version = frame[0] >> 4
        seen[version, number] = seen.get((version, number), 0) + 1
        wanted = segment(*text, number, mss[version])
        if tcp != wanted:
            wrong.append(f'IPv{version} case {number}: wanted {wanted.hex()}, got {tcp.hex()}')
    for version in mss:
        wrong += [f'IPv{version} case {n}: came {seen.get((version, n), 0)} times'
                  for n in range(len(CASES)) if seen.get((version, n)) != 1]
    return wrong


def main():
    if sys.argv[1] == 'send':
        src, dst = sys.argv[2:]
        packet.send([packet.ip(src, dst, 6, segment(src, dst, n)) for n in range(len(CASES))])
        return
    wrong = check(sys.argv[2], {4: int(sys.argv[3]), 6: int(sys.argv[4])})
    print('\n'.join(wrong))
    sys.exit(bool(wrong))


main()
