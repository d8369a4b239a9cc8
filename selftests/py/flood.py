#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send packets of which each is something new to the receiver or the host.

usage: flood.py udp NETWORK COUNT SECONDS        datagrams, each to another host of a /10
       flood.py inner ADDRESS COUNT SECONDS      first halves of datagrams, each of another one
       flood.py esp ADDRESS COUNT SECONDS DEVICE MAC    ESP with another SPI each, as frames
       flood.py halves ADDRESS COUNT SECONDS DEVICE MAC first halves of UDP and of ESP, as frames

Ends when so many were sent and so much time has passed; prints how many.
"""
import ctypes
import errno
import itertools
import os
import socket
import struct
import sys
import time

SNDBUFFORCE, IP_NODEFRAG, SOL_PACKET, PACKET_QDISC_BYPASS = 32, 22, 263, 20
UDP, ESP, MORE, BATCH = 17, 50, 0x2000, 512


class Vector(ctypes.Structure):
    """struct iovec"""
    _fields_ = [('base', ctypes.c_void_p), ('len', ctypes.c_size_t)]


class Message(ctypes.Structure):
    """struct mmsghdr"""
    _fields_ = [('name', ctypes.c_void_p), ('namelen', ctypes.c_uint), ('vector', ctypes.POINTER(Vector)),
                ('vectors', ctypes.c_size_t), ('control', ctypes.c_void_p), ('controllen', ctypes.c_size_t),
                ('flags', ctypes.c_int), ('sent', ctypes.c_uint)]


def header(proto, src, dst, size, frag):
    """Of IPv4, without a checksum."""
    return struct.pack('!BBHHHBBHII', 0x45, 0, 20 + size, 0, frag, 64, proto, 0, src, dst)


def number(address):
    """An address as a number."""
    return struct.unpack('!I', socket.inet_aton(address))[0]


def checksum(head, more=0):
    """Of a header, as if that were in it too."""
    total = sum(struct.unpack('!10H', head)) + more
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def frames(kind, device, mac, to):
    """A function that sends the next BATCH of them."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
    sock.bind((device, 0x800))
    link = bytes.fromhex(mac.replace(':', '')) + sock.getsockname()[4] + b'\x08\0'
    src, dst = number('10.128.0.0'), number(to)
    if kind == 'esp':
        heads = [header(ESP, src, dst, 40, 0)]
        heads = [heads[0][:10] + struct.pack('!H', checksum(heads[0])) + heads[0][12:]]
    else:
        heads = [header(proto, src, dst, 40, MORE) for proto in (UDP, ESP)]
    one = [link + head + struct.pack('!II', 0, 1) + bytes(32) for head in heads]
    size = len(one[0])
    data = bytearray(b''.join(one) * (BATCH // len(one)))
    at = ctypes.addressof(ctypes.c_char.from_buffer(data))
    vectors = (Vector * BATCH)(*((at + i * size, size) for i in range(BATCH)))
    messages = (Message * BATCH)(*((None, 0, ctypes.pointer(v), 1) for v in vectors))
    libc = ctypes.CDLL(None, use_errno=True)
    spi = itertools.count(int.from_bytes(os.urandom(3), 'big') | 1 << 24)
    count = itertools.count()

    def send():
        for i in range(0, BATCH):
            if kind == 'esp':
                struct.pack_into('!I', data, i * size + 34, next(spi))
                continue
            host, piece = divmod(next(count), 1 << 16)
            struct.pack_into('!H', data, i * size + 18, piece)
            struct.pack_into('!HHH', data, i * size + 24, checksum(heads[i % 2], piece + host), src >> 16, host)
        sent = 0
        while sent < BATCH:
            rest = ctypes.byref(messages, sent * ctypes.sizeof(Message))
            n = libc.sendmmsg(sock.fileno(), rest, BATCH - sent, 0)
            if n >= 0:
                sent += n
            elif ctypes.get_errno() == errno.ENOBUFS:   # it has no place for the next one
                time.sleep(0.001)
            else:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return sent
    return send


def packets(kind, to):
    """The same through a socket, one at a time."""
    base, count = number(to), itertools.count(1)
    if kind == 'udp':
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    else:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        sock.setsockopt(socket.SOL_IP, IP_NODEFRAG, 1)
    sock.setsockopt(socket.SOL_SOCKET, SNDBUFFORCE, 1 << 26)

    def send():
        n = next(count)
        try:
            if kind == 'udp':
                sock.sendto(bytes(32), (socket.inet_ntoa(struct.pack('!I', base + n % (1 << 22))), 9))
            else:
                head = header(UDP, 0, base, 40, MORE)
                sock.sendto(head[:4] + struct.pack('!H', n & 0xffff or 1) + head[6:] + bytes(40), (to, 0))
        except OSError:     # refused: it was dropped
            pass
        return 1
    return send


def main(kind, to, count, seconds, *link):
    """See above."""
    send = frames(kind, *link, to) if link else packets(kind, to)
    end, sent = time.monotonic() + float(seconds), 0
    while sent < int(count) or time.monotonic() < end:
        sent += send()
    print(sent)


main(*sys.argv[1:])
