#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Data over sockets whose packets have options or extension headers.

usage: options.py serve FAMILY PORT            answer each datagram, and each connection's
                                               octets, by a digest of what came
       options.py talk ADDRESS PORT HEADERS    datagrams of many sizes and 200000 octets
                                               over TCP; 0 when the answers say the same

HEADERS are names with + between them:

  IPv4: record (route), stamp, alert, nop
  IPv6: hbh (router alert), hbh-mutable, dst, dst-mutable
"""
import hashlib
import os
import socket
import sys
import threading

SIZES = [0, 1, 2, 3, 100, 1200, 1350, 1400, 1500, 5000]
OPTIONS_V4 = {
    "record": "070f04000000000000000000000000",
    "stamp": "440c05000000000000000000",
    "alert": "94040000",
    "nop": "01010101",
}
OPTIONS_V6 = {
    "hbh": (socket.IPV6_HOPOPTS, "0000050200000100"),
    "hbh-mutable": (socket.IPV6_HOPOPTS, "00003e04cafebabe"),
    "dst": (socket.IPV6_DSTOPTS, "0000010400000000"),
    "dst-mutable": (socket.IPV6_DSTOPTS, "00003e04cafebabe"),
}


def with_headers(sock, names):
    names = names.split("+")
    if sock.family == socket.AF_INET:
        options = b"".join(bytes.fromhex(OPTIONS_V4[name]) for name in names)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, options + bytes(-len(options) % 4))
        return sock
    for name in names:
        which, octets = OPTIONS_V6[name]
        sock.setsockopt(socket.IPPROTO_IPV6, which, bytes.fromhex(octets))
    return sock


def digest(data):
    return hashlib.sha256(data).digest()


def read_all(conn):
    data = b""
    while chunk := conn.recv(65536):
        data += chunk
    return data


def serve(family, port):
    family = socket.AF_INET if family == "4" else socket.AF_INET6
    stream, datagrams = socket.socket(family, socket.SOCK_STREAM), socket.socket(family, socket.SOCK_DGRAM)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for sock in stream, datagrams:
        sock.bind(("", int(port)))
    stream.listen()

    def answer():
        while True:
            data, peer = datagrams.recvfrom(65536)
            datagrams.sendto(digest(data), peer)

    threading.Thread(target=answer, daemon=True).start()
    while True:
        conn, _ = stream.accept()
        with conn:
            conn.sendall(digest(read_all(conn)))


def talk(address, port, names):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with with_headers(socket.socket(family, socket.SOCK_DGRAM), names) as sock:
        sock.settimeout(10)
        sock.connect((address, int(port)))
        for size in SIZES:
            data = os.urandom(size)
            sock.send(data)
            if sock.recv(64) != digest(data):
                sys.exit(f"{size} octets in a datagram: other octets came")
    with with_headers(socket.socket(family, socket.SOCK_STREAM), names) as sock:
        sock.settimeout(60)
        sock.connect((address, int(port)))
        data = os.urandom(200000)
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        if read_all(sock) != digest(data):
            sys.exit("TCP: other octets came")


if __name__ == "__main__":
    {"serve": serve, "talk": talk}[sys.argv[1]](*sys.argv[2:])
