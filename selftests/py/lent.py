#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Close a socket that packets were lent, while a cipher that works later has them.

usage: lent.py SPI

A connected user of port 4500 in namespace a is where early demultiplexing takes datagrams
from b for, which are ESP that no key fits.  No other thread gets this CPU until those are
with the cipher and the socket, which nobody holds, is no more.
"""
import ctypes
import os
import socket
import struct
import sys

CPU, OTHER_CPU, PACKETS = 0, 1, 32
A, B = '10.0.0.1', '10.0.0.2'
MEMBARRIER, GLOBAL, CLONE_NEWNET = 324, 1, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def user_of_4500(ns, ours, theirs):
    with open(f'/run/netns/{ns}', encoding='ascii') as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), ns)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((ours, 4500))
    sock.connect((theirs, 4500))
    return sock


def wait_for_rcu(fd):
    """Of several grace periods, one begins and one ends after the socket was closed."""
    os.sched_setaffinity(0, {OTHER_CPU})
    os.read(fd, 1)
    for _ in range(3):
        if libc.syscall(MEMBARRIER, GLOBAL, 0, 0):
            os._exit(1)
    os._exit(0)


def main():
    closed, tell = os.pipe()
    child = os.fork()
    if not child:
        wait_for_rcu(closed)
    os.sched_setaffinity(0, {CPU})
    user, peer = user_of_4500('a', A, B), user_of_4500('b', B, A)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    for number in range(PACKETS):
        peer.send(struct.pack('!II', int(sys.argv[1], 0), number + 1) + bytes(96))
    user.close()
    os.write(tell, b'.')
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        pass
    sys.exit(ended[1] != 0)


main()
