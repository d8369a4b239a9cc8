#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Datagrams that ordinary tools do not send.

usage: udp.py DST PORT COUNT [gso | options | dstopts | fragments | cut | long | strange]

  gso        COUNT datagrams of 100 octets in one super-packet (UDP_SEGMENT)
  options    with IPv4 options
  dstopts    with a destination options header
  fragments  COUNT first fragments of IPv4, which the host does not put together
  cut        with an option (IPv4) or an extension header that is longer than what is there
  long       with a routing header of 232 octets
  strange    with a routing header of an unknown type that has segments left
"""
import socket
import struct
import sys

UDP_SEGMENT, IP_OPTIONS, IP_NODEFRAG = 103, 4, 22

dst, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
how = sys.argv[4] if len(sys.argv) > 4 else ""
family = socket.AF_INET6 if ":" in dst else socket.AF_INET

if how == "fragments":
    sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    sock.setsockopt(socket.IPPROTO_IP, IP_NODEFRAG, 1)
    for i in range(count):
        # length, checksum, and source are filled in
        head = struct.pack("!BBHHHBBH4x4s", 0x45, 0, 0, i + 1, 0x2000, 64, 17, 0, socket.inet_aton(dst))
        sock.sendto(head + struct.pack("!HHHH", port, port, 1000, 0) + bytes(56), (dst, 0))
    sys.exit()

if how in ("cut", "long", "strange"):
    sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    udp = struct.pack("!HHHH", port, port, 64, 0) + bytes(56)
    if family == socket.AF_INET:
        pkt = struct.pack("!BBHHHBBH4x4s4B", 0x46, 0, 0, 1, 0, 64, 17, 0, socket.inet_aton(dst), 1, 1, 7, 8) + udp
    else:
        route = {"cut": bytes([17, 255, 253, 0]) + bytes(4), "long": bytes([17, 28, 253, 0]) + bytes(228),
                 "strange": bytes([17, 2, 253, 1]) + bytes(20)}[how]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((dst, port))
            src = socket.inet_pton(family, probe.getsockname()[0])
        pkt = struct.pack("!IHBB16s16s", 0x60000000, len(route + udp), 43, 64, src, socket.inet_pton(family, dst)) + route + udp
    for _ in range(count):
        sock.sendto(pkt, (dst, 0))
    sys.exit()

sock = socket.socket(family, socket.SOCK_DGRAM)
if how == "gso":
    sock.sendmsg([bytes(100 * count)], [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", 100))], 0, (dst, port))
    sys.exit()
if how == "options":
    sock.setsockopt(socket.IPPROTO_IP, IP_OPTIONS, bytes([1, 1, 1, 1]))
if how == "dstopts":
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, bytes([0, 0, 1, 4, 0, 0, 0, 0]))
for _ in range(count):
    sock.sendto(bytes(100), (dst, port))
