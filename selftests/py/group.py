#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Datagrams to a multicast group.

group.py listen GROUP DEV FILE          a line in FILE for each: sender, text
group.py send GROUP DEV FROM TEXT       one
"""
import socket
import struct
import sys

PORT = 7000


def opened(group, dev):
    """A socket, its level of options, and the number of the device."""
    if ':' in group:
        return socket.socket(socket.AF_INET6, socket.SOCK_DGRAM), socket.if_nametoindex(dev)
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.if_nametoindex(dev)


def listen(group, dev, path):
    """Until killed."""
    sock, index = opened(group, dev)
    sock.bind(('', PORT))
    if sock.family == socket.AF_INET6:
        request = socket.inet_pton(socket.AF_INET6, group) + struct.pack('=I', index)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
    else:
        request = socket.inet_aton(group) + struct.pack('=4si', bytes(4), index)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    with open(path, 'a', encoding='ascii') as out:
        while True:
            data, sender = sock.recvfrom(2000)
            print(sender[0], data.decode(), file=out, flush=True)


def send(group, dev, source, text):
    """From an address of this host."""
    sock, index = opened(group, dev)
    sock.bind((source, 0))
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    else:
        request = struct.pack('=4s4si', bytes(4), socket.inet_aton(source), index)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
    sock.sendto(text.encode(), (group, PORT))


if __name__ == '__main__':
    {'listen': listen, 'send': send}[sys.argv[1]](*sys.argv[2:])
