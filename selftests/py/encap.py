#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The UDP sockets of an IKE daemon.

usage: encap.py xfrm|plain PORT
       encap.py send SRC SPORT DST DPORT HEX

xfrm gives ESP in UDP to the kernel (UDP_ENCAP), and passes by its policies, as daemons do;
plain does not.  Prints what comes, in
hexadecimal: one line a datagram.  send sends one.
"""
import select
import socket
import struct
import sys

UDP_ENCAP, UDP_ENCAP_ESPINUDP = 100, 2
IP_XFRM_POLICY, IPV6_XFRM_POLICY = 17, 35
NETLINK_XFRM = 6


def bypass(sock, family):
    """struct xfrm_userpolicy_info: allow, for each direction."""
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM).close()  # loads who reads it
    for direction in range(2):
        policy = bytearray(168)
        struct.pack_into("=H", policy, 40, family)
        policy[160] = direction
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, IP_XFRM_POLICY, policy)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_XFRM_POLICY, policy)


def listen(family, port, encap):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if encap:
        sock.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP)
        bypass(sock, family)
    sock.bind(("", port))
    return sock


def main():
    if sys.argv[1] == "send":
        src, sport, dst, dport, data = sys.argv[2:]
        sock = socket.socket(socket.AF_INET6 if ":" in src else socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((src, int(sport)))
        sock.sendto(bytes.fromhex(data), (dst, int(dport)))
        return
    socks = [listen(f, int(sys.argv[2]), sys.argv[1] == "xfrm") for f in (socket.AF_INET, socket.AF_INET6)]
    while True:
        for sock in select.select(socks, [], [])[0]:
            print(sock.recv(65536).hex(), flush=True)


if __name__ == "__main__":
    main()
