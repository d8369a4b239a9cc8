#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send datagrams to a group or broadcast address, and listen for them on this host.

usage: t2_mcast.py DEVICE ADDRESS LOOP COUNT [HOPS]

Sends COUNT datagrams to port 7000 of ADDRESS with IP_MULTICAST_LOOP set to LOOP and
prints how many a member of the group on this host got; HOPS: hop limit, 4.
"""
import ipaddress
import socket
import struct
import sys

PORT = 7000


def join(sock, dev, addr):
    index = socket.if_nametoindex(dev)
    if addr.version == 6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                        addr.packed + struct.pack('@I', index))
    elif addr.is_multicast:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        addr.packed + struct.pack('=4si', bytes(4), index))


def sender(dev, addr, loop, hops, family):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, dev.encode())
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    if addr.version == 6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, loop)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, hops)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, loop)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, hops)
    return sock


def main():
    dev, addr = sys.argv[1], ipaddress.ip_address(sys.argv[2])
    loop, count, hops = map(int, (sys.argv[3:] + ['4'])[:3])
    family = socket.AF_INET6 if addr.version == 6 else socket.AF_INET

    listener = socket.socket(family, socket.SOCK_DGRAM)
    listener.bind(('', PORT))
    join(listener, dev, addr)
    out = sender(dev, addr, loop, hops, family)
    for i in range(count):
        out.sendto(b'in clear %d' % i, (str(addr), PORT))

    got = 0
    listener.settimeout(1)
    try:
        while True:
            listener.recv(100)
            got += 1
    except socket.timeout:   # a name of TimeoutError, since Python 3.10
        print(got)


main()
