#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What newer kernels have for an SA of XFRM, and iproute2 here has not.

	xfrm.py again DST SPI [DIR]	delete it and add it with what was read, as a daemon does
	xfrm.py move DST SPI SRC DST	give it other addresses, by MIGRATE_STATE
"""
import socket
import struct
import sys

NEWSA, DELSA, GETSA, MIGRATE_STATE = 0x10, 0x11, 0x12, 0x29
INFO = 224  # octets of struct xfrm_usersa_info
REQID = 208  # in it
SELECTOR = bytes(56)  # of any packet
SA_DIR = 33


def addr(text):
    """As XFRM has it: 16 octets."""
    return socket.inet_pton(socket.AF_INET, text).ljust(16, b"\0")


def ask(kind, payload):
    """Return what the kernel answers to a request that must not fail."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 6)
    flags = 1 if kind == GETSA else 5  # an acknowledgement where there is no other answer
    sock.send(struct.pack("=IHHII", 16 + len(payload), kind, flags, 1, 0) + payload)
    answer = sock.recv(65536)
    size, kind = struct.unpack_from("=IH", answer)
    if kind == 2 and (error := -struct.unpack_from("=i", answer, 16)[0]):
        sys.exit(f"refused: error {error}")
    return answer[16:size]


name = addr(sys.argv[2]) + struct.pack("!I", int(sys.argv[3], 0)) + struct.pack("=HBx", socket.AF_INET, 50)
sa = ask(GETSA, name)
if sys.argv[1] == "again":
    if len(sys.argv) > 4:
        sa += struct.pack("=HHB3x", 5, SA_DIR, int(sys.argv[4]))
    ask(DELSA, name)
    ask(NEWSA, sa)
else:
    src, dst = sys.argv[4:]
    ask(MIGRATE_STATE, name + addr(dst) + addr(src) + bytes(8) + SELECTOR + sa[REQID:REQID + 4]
        + struct.pack("=IHH", 0, socket.AF_INET, 0))
