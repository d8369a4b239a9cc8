#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Datagrams of many flows, compared at both ends.

matrix.py serve         answers each datagram, from the address that it came for, with
                        the same octets turned round and inverted
matrix.py talk FILE     FILE has lines "NAME SRC DST LEAST", of which the last is the size of the
                        smallest; prints "NAME ok" or what is wrong
"""
import os
import socket
import sys

PORT = 7000
PADDINGS = 17  # of a block of 16 octets, all
LARGE = 1300  # fills a cable
PKTINFO = 20  # struct in6_pktinfo

if sys.argv[1] == "serve":
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    sock.bind(("", PORT))
    while True:
        data, anc, _, peer = sock.recvmsg(2000, socket.CMSG_SPACE(PKTINFO))
        info = anc[0][2][:16] + bytes(4)  # the address, and no device
        answer = bytes(b ^ 255 for b in reversed(data))
        sock.sendmsg([answer], [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, info)], 0, peer)


def exchange(src, dst, least):
    """One flow: nothing may be lost, doubled or changed."""
    sent = {size: os.urandom(size) for size in [*range(least, least + PADDINGS), LARGE]}
    with socket.socket(socket.AF_INET6 if ":" in dst else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        sock.bind((src, 0))
        sock.connect((dst, PORT))
        for data in sent.values():
            sock.send(data)
        while sent:
            got = sock.recv(2000)
            want = sent.pop(len(got), None)
            if want is None:
                return f"{len(got)} octets came twice or were never sent"
            if bytes(b ^ 255 for b in reversed(want)) != got:
                return f"{len(got)} octets are not what was sent"
    return "ok"


lost = 0
for line in open(sys.argv[2], encoding="ascii"):
    name, src, dst, least = line.split()
    try:
        print(name, exchange(src, dst, int(least)) if lost < 5 else "not tried after so many", flush=True)
    except OSError as error:
        print(name, error, flush=True)
        lost += 1
