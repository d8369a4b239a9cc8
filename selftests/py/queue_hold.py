#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""queue_hold.py NUMBER FIFO: what the packet filter hands to this queue waits (NFNETLINK,
linux/netfilter/nfnetlink_queue.h), batches whole.  A line from the FIFO lets all go on that
waits by then, and is answered by how many.
"""
import os
import select
import socket
import struct
import sys

import t2_netlink as nl

NETLINK_NETFILTER = 12
QUEUE = 3 << 8
PACKET, VERDICT, CONFIG, VERDICT_BATCH = range(4)
CFG_CMD, CFG_PARAMS, CFG_MAXLEN, CFG_MASK, CFG_FLAGS = 1, 2, 3, 4, 5
F_GSO = struct.pack('>I', 4)
BIND, COPY_META = 1, 1
PACKET_HDR, VERDICT_HDR = 1, 2
NF_ACCEPT = 1
number = int(sys.argv[1])
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)     # SO_RCVBUFFORCE


def send(kind, flags, *attrs):
    """One message to the queue."""
    body = struct.pack('>BBH', socket.AF_UNSPEC, 0, number) + b''.join(nl.attr(n, data) for n, data in attrs)
    sock.send(struct.pack('=IHHII', 16 + len(body), QUEUE | kind, nl.NLM_F_REQUEST | flags, 1, 0) + body)


def configure(*attrs):
    """It must be done."""
    send(CONFIG, nl.NLM_F_ACK, *attrs)
    error = -struct.unpack_from('=i', sock.recv(4096), 16)[0]
    if error:
        sys.exit(f'queue {number}: {os.strerror(error)}')


def packet_ids():
    """Of what has come since the last time."""
    while select.select([sock], [], [], 0)[0]:
        data = sock.recv(1 << 16)
        attrs = {n: p for _, n, p in nl.walk(data[20:])}
        yield struct.unpack_from('>I', attrs[PACKET_HDR])[0]


configure((CFG_CMD, struct.pack('>BxH', BIND, 0)), (CFG_PARAMS, struct.pack('>IB', 0, COPY_META)),
          (CFG_MAXLEN, struct.pack('>I', 4096)), (CFG_MASK, F_GSO), (CFG_FLAGS, F_GSO))
with open(sys.argv[2], encoding='ascii') as file:
    for _ in file:
        ids = list(packet_ids())
        if ids:
            send(VERDICT_BATCH, 0, (VERDICT_HDR, struct.pack('>II', NF_ACCEPT, ids[-1])))
        print(len(ids), flush=True)
