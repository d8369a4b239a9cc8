#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The ICV of AH with AES-GMAC (RFC 4543 section 4), in Python's cryptography.

gmac.py PCAP MANIFEST   prints a line for each SA: its name and "ok" or what is wrong

A line of MANIFEST: NAME SPI KEY ESN HEADER, of which ESN is 0 or 1 and HEADER the octets
of AH.  IP headers have no options.
"""
import struct
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ETHERNET, FIXED, IV, ICV, SALT = 14, 12, 8, 16, 4


def packets(path):
    with open(path, "rb") as pcap:
        data = pcap.read()
    at = 24
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16 + ETHERNET:at + 16 + length]
        at += 16 + length


def split(packet):
    """The header with its mutable fields zero (RFC 4302 appendix A), and what is behind it."""
    if packet[0] >> 4 == 4:
        end = struct.unpack_from("!H", packet, 2)[0]
        head = bytearray(packet[:20])
        head[1] = head[8] = 0
        head[6:8] = head[10:12] = bytes(2)
    else:
        end = 40 + struct.unpack_from("!H", packet, 4)[0]
        head = bytearray(packet[:40])
        head[0:4] = b"\x60\0\0\0"
        head[7] = 0
    return bytes(head), packet[len(head):end]


def wrong(head, ah, sa, highs):
    _, _, key, esn, length = sa
    key = bytes.fromhex(key.removeprefix("0x"))
    if (ah[1] + 2) * 4 != int(length):
        return f"{(ah[1] + 2) * 4} octets of AH"
    fields = FIXED + IV + ICV
    iv, icv = ah[FIXED:FIXED + IV], ah[FIXED + IV:fields]
    high, low = struct.unpack("!II", iv)
    if low != struct.unpack_from("!I", ah, 8)[0]:
        return "the IV is not the number"
    highs.add(high)
    if any(ah[fields:int(length)]):
        return "padding is not zero"
    covered = head + ah[:FIXED] + bytes(IV + ICV) + ah[fields:]
    if esn == "1":
        covered += struct.pack("!I", high)
    if AESGCM(key[:-SALT]).encrypt(key[-SALT:] + iv, b"", covered) != icv:
        return "another ICV"
    return None


def main():
    with open(sys.argv[2], encoding="ascii") as lines:
        sas = [line.split() for line in lines]
    mine = {}
    for packet in packets(sys.argv[1]):
        head, ah = split(packet)
        mine.setdefault(struct.unpack_from("!I", ah, 4)[0], []).append((head, ah))
    for sa in sas:
        highs = set()
        found = mine.get(int(sa[1], 0), [])
        faults = [fault for head, ah in found if (fault := wrong(head, ah, sa, highs))]
        wanted = {0, 1} if sa[3] == "1" else {0}
        if len(found) < 4:
            faults.append(f"{len(found)} packets only")
        elif highs != wanted:
            faults.append(f"high halves {highs}")
        print(sa[0], "; ".join(faults) or "ok")


main()
