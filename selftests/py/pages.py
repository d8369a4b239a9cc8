#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send from pages that stay the sender's, and keep packets that a tap has seen.

usage: pages.py send HOW tcp|udp ADDRESS PORT FILE [SOURCE]	HOW: see SENDERS
       pages.py receive tcp|udp ADDRESS PORT FILE		until all of FILE came
       pages.py esp ADDRESS FILE SPI...				FILE as ESP in UDP, spliced
       pages.py tap DEVICE KEPT					until it is terminated

"send" and "esp" fail when FILE is another after that, "receive" when it got another.  A tap
reads nothing from its socket before its end: what it then reads are the packets' own octets.
"""
import ctypes
import mmap
import os
import signal
import socket
import struct
import sys

CHUNK = 1200		# of a datagram, so that some reach into a second page
ZEROCOPY, MSG_ZEROCOPY, RCVBUFFORCE, NO_CHECK = 60, 0x4000000, 33, 11
libc = ctypes.CDLL(None, use_errno=True)


class Pages:
    """A file in the page cache, mapped, and what it holds."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR)
        self.size = os.fstat(self.fd).st_size
        self.map = mmap.mmap(self.fd, self.size)
        self.before = self.map[:]

    def check(self, what="the file"):
        if self.map[:] != self.before or os.pread(self.fd, self.size, 0) != self.before:
            sys.exit(what + " was changed")


def splice_out(reader, sock, count):
    while count:
        count -= os.splice(reader, sock.fileno(), count)


def by_sendfile(pages, sock, off, count):
    while count:
        sent = os.sendfile(sock.fileno(), pages.fd, off, count)
        off += sent
        count -= sent


def by_splice(pages, sock, off, count):
    reader, writer = os.pipe()
    while count:
        n = os.splice(pages.fd, writer, min(count, 16384), offset_src=off)
        splice_out(reader, sock, n)
        off += n
        count -= n
    os.close(reader)
    os.close(writer)


def by_tee(pages, sock, off, count):
    """The pipe that the pages came from is read after they were sent from another."""
    reader, writer = os.pipe()
    twin_reader, twin_writer = os.pipe()
    while count:
        n = os.splice(pages.fd, writer, min(count, 16384), offset_src=off)
        if libc.tee(reader, twin_writer, ctypes.c_size_t(n), 0) != n:
            sys.exit("tee: %s" % os.strerror(ctypes.get_errno()))
        splice_out(twin_reader, sock, n)
        if os.read(reader, n) != pages.before[off:off + n]:
            sys.exit("the pipe was changed")
        off += n
        count -= n
    for fd in (reader, writer, twin_reader, twin_writer):
        os.close(fd)


def by_vmsplice(pages, sock, off, count):
    base = ctypes.addressof(ctypes.c_char.from_buffer(pages.map))
    reader, writer = os.pipe()
    while count:
        iov = struct.pack("PN", base + off, min(count, 16384))
        n = libc.vmsplice(writer, iov, ctypes.c_size_t(1), 0)
        if n <= 0:
            sys.exit("vmsplice: %s" % os.strerror(ctypes.get_errno()))
        splice_out(reader, sock, n)
        off += n
        count -= n
    os.close(reader)
    os.close(writer)


def by_zerocopy(pages, sock, off, count):
    sock.setsockopt(socket.SOL_SOCKET, ZEROCOPY, 1)
    view = memoryview(pages.map)
    while count:
        try:
            n = sock.send(view[off:off + count], MSG_ZEROCOPY)
        except OSError:		# the notes of what was sent use up the socket's memory
            drain_errors(sock)
            continue
        off += n
        count -= n
    view.release()


def drain_errors(sock):
    sock.setblocking(False)
    try:
        while True:
            sock.recvmsg(1, 512, socket.MSG_ERRQUEUE)
    except BlockingIOError:
        sock.setblocking(True)


SENDERS = {"sendfile": by_sendfile, "splice": by_splice, "tee": by_tee,
           "vmsplice": by_vmsplice, "zerocopy": by_zerocopy}


def send(how, proto, address, port, path, source=""):
    pages = Pages(path)
    kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as sock:
        if proto == "udp":	# who computes a checksum copies such pages first
            sock.setsockopt(socket.SOL_SOCKET, NO_CHECK, 1)
        sock.bind((source, 0))
        sock.connect((address, int(port)))
        step = pages.size if proto == "tcp" else CHUNK
        for off in range(0, pages.size, step):
            SENDERS[how](pages, sock, off, min(step, pages.size - off))
        if proto == "tcp":	# all of it was acknowledged when the peer has closed
            sock.shutdown(socket.SHUT_WR)
            sock.settimeout(60)
            if sock.recv(1) != b"k":
                sys.exit("the peer is not content")
        drain_errors(sock)
    pages.check()


def receive(proto, address, port, path):
    with open(path, "rb") as f:
        want = f.read()
    got = b""
    if proto == "tcp":
        with socket.create_server((address, int(port))) as server:
            conn, _ = server.accept()
            conn.settimeout(60)
            while data := conn.recv(65536):
                got += data
            conn.sendall(b"k" if got == want else b"n")
            conn.close()
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, 1 << 22)
            sock.bind((address, int(port)))
            sock.settimeout(60)
            while len(got) < len(want):
                got += sock.recv(65536)
    if got != want:
        sys.exit("received %d octets that are others than sent" % len(got))


def esp(address, path, *spis):
    """Numbers from 1 on; what stands behind them is nothing that the receiver's key made."""
    pages = Pages(path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", 4500))
        sock.connect((address, 4500))
        for n, spi in enumerate(spis):
            pages.map[:8] = struct.pack("!II", int(spi, 0), n + 1)
            pages.before = pages.map[:]
            by_splice(pages, sock, 0, pages.size)
            pages.check("the file with SPI " + spi)


def tap(device, kept):
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, 1 << 24)
        sock.bind((device, 3))
        with open(kept, "w", encoding="ascii") as f:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            print("listening", file=f, flush=True)
            signal.sigwait({signal.SIGTERM})
            sock.setblocking(False)
            try:
                while True:
                    print(sock.recv(65536).hex(), file=f)
            except BlockingIOError:
                pass


if __name__ == "__main__":
    {"send": send, "receive": receive, "esp": esp, "tap": tap}[sys.argv[1]](*sys.argv[2:])
