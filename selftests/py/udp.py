#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Datagrams that ordinary tools do not send.

usage: udp.py DST PORT COUNT [gso | options | dstopts | fragments]

  gso        COUNT datagrams of 100 octets in one super-packet (UDP_SEGMENT)
  options    with IPv4 options
  dstopts    with a destination options header
  fragments  COUNT first fragments of IPv4, which the host does not put together
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
