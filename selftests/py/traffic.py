#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Traffic between network namespaces by one process: to start programs for each connection
takes most of the time of an emulated machine.

Orders, a line each, from standard input; "ok" or what went wrong to standard output:

    ping NS DST SIZE...     echo requests of these sizes, one after the other; each is
                            answered with the data that it had
    tcp NS PEER DST OCTETS  a connection from NS to PEER, by which each sends that many
                            octets at the same time
    udp NS PEER DST OCTETS SIZE...
                            that many octets in datagrams of each size, which arrive in order

Times are limits in seconds.
"""
import base64
import ctypes
import os
import selectors
import socket
import struct
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
PORT = 5000


def namespace(name):
    """Sockets made from now on belong to it."""
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
    if libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"namespace {name}")
    os.close(fd)


def make(name, dst, *kind):
    namespace(name)
    return socket.socket(socket.AF_INET6 if ":" in dst else socket.AF_INET, *kind)


def remaining(sock, end):
    """What arrives, or nothing when the time is over."""
    left = end - time.monotonic()
    if left <= 0:
        return b""
    sock.settimeout(left)
    try:
        return sock.recv(1 << 16)
    except socket.timeout:
        return b""


def some(size):
    """Parts of it can be compressed: a little, and well."""
    data = os.urandom(size - size // 2)
    data += base64.b64encode(data)
    return data[:size - size // 5] + bytes(size // 5)


def ping(name, dst, *sizes):
    six = ":" in dst
    request, reply = (128, 129) if six else (8, 0)
    with make(name, dst, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP) as sock:
        for seq, size in enumerate(map(int, sizes), 1):
            data = some(size)
            sock.sendto(struct.pack("!BBHHH", request, 0, 0, 0, seq) + data, (dst, 0))
            end = time.monotonic() + 10
            # late answers to requests before are passed over
            while got := remaining(sock, end):
                if len(got) >= 8 and got[0] == reply and struct.unpack("!H", got[6:8])[0] == seq:
                    break
            if got[8:] != data or not got:
                return f"{dst} did not answer {size} octets as they were"
    return "ok"


def tcp(name, peer, dst, octets):
    end = time.monotonic() + 240
    with make(peer, dst, socket.SOCK_STREAM) as listener, make(name, dst, socket.SOCK_STREAM) as client:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", PORT))
        listener.listen()
        client.settimeout(60)
        client.connect((dst, PORT))
        server, _ = listener.accept()
        with server, selectors.DefaultSelector() as select:
            left, got, wanted = {}, {}, {}
            for at, other in (client, server), (server, client):
                data = some(int(octets))
                at.setblocking(False)
                left[at], got[at], wanted[other] = memoryview(data), bytearray(), data
                select.register(at, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while select.get_map():
                events = select.select(end - time.monotonic())
                if not events:
                    return "the connection took too long"
                for key, event in events:
                    at, mask = key.fileobj, key.events
                    if event & selectors.EVENT_WRITE:
                        left[at] = left[at][at.send(left[at]):]
                        if not left[at]:
                            at.shutdown(socket.SHUT_WR)
                            mask &= ~selectors.EVENT_WRITE
                    if event & selectors.EVENT_READ:
                        data = at.recv(1 << 16)
                        got[at] += data
                        if not data:
                            mask &= ~selectors.EVENT_READ
                    if not mask:
                        select.unregister(at)
                    elif mask != key.events:
                        select.modify(at, mask)
            if got != wanted:
                return "other data arrived than was sent"
    return "ok"


def udp(name, peer, dst, octets, *sizes):
    # a cable has a queue for each CPU, and what overtakes is not what is tested
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {0})
    try:
        with make(peer, dst, socket.SOCK_DGRAM) as receiver, make(name, dst, socket.SOCK_DGRAM) as sender:
            receiver.bind(("", PORT + 1))
            for size in map(int, sizes):
                data = some(int(octets))
                for at in range(0, len(data), size):
                    sender.sendto(data[at:at + size], (dst, PORT + 1))
                end = time.monotonic() + 40
                for at in range(0, len(data), size):
                    if remaining(receiver, end) != data[at:at + size]:
                        return f"of {size} octets the datagram at {at} did not arrive, or not as it was"
    finally:
        os.sched_setaffinity(0, cpus)
    return "ok"


for line in sys.stdin:
    order, *words = line.split()
    try:
        verdict = {"ping": ping, "tcp": tcp, "udp": udp}[order](*words)
    except OSError as error:
        verdict = f"{order}: {error}"
    print(verdict, flush=True)
