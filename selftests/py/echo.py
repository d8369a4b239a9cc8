#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A flow of datagrams: echo.py serve PORT..., or echo.py talk DST PORT.

"talk" sends ten datagrams a second from the port that it sends to, "serve" answers and
prints the port of each that came.
"""
import selectors
import socket
import sys
import time

if sys.argv[1] == "talk":
    dst, port = sys.argv[2], int(sys.argv[3])
    sock = socket.socket(socket.AF_INET6 if ":" in dst else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", port))
    while True:
        try:
            sock.sendto(b"canary" * 10, (dst, port))
        except OSError:
            pass  # an ICMP error about one before
        time.sleep(0.1)

ready = selectors.DefaultSelector()
for port in sys.argv[2:]:
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.bind(("", int(port)))
    ready.register(sock, selectors.EVENT_READ, port)
while True:
    for key, _ in ready.select():
        data, peer = key.fileobj.recvfrom(2000)
        print(key.data, flush=True)
        key.fileobj.sendto(data, peer)
