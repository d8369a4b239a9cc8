#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""lifetimes.py COUNT: that many SAs of a whose lifetimes end in one second, soft and hard.
64 dumps that began before are read on a piece at a time meanwhile, a listener hears of
each end, and another one never reads.  Prints what came of it, as JSON.
"""
import collections
import errno
import ipaddress
import json
import math
import select
import socket
import struct
import sys
import time

import t2_netlink as nl

COUNT, DUMPS, OWNER = int(sys.argv[1]), 64, 8
STAYS = 30      # of so many one has no limits
FIRST = STAYS * 10000
RCVBUFFORCE = 33
A, B = (ipaddress.ip_address(a).packed for a in ('10.0.0.1', '10.0.0.2'))
SPI, HARD = nl.NUMBERS['sa']['spi'], nl.NUMBERS['sa']['hard']
EXPIRED = nl.OPS['sa-expire-ntf']['value']


def many(sock, op, requests):
    """Requests without an answer, hundreds at a time; what was wrong shows in the end."""
    data = [nl.encode('sa', request) for request in requests]
    head = nl.OPS[op]['value'], 1, 0
    data = [struct.pack('=IHHIIBBH', 20 + len(d), sock.family, nl.NLM_F_REQUEST, 0, 0, *head) + d for d in data]
    for i in range(0, len(data), 200):
        sock.sock.send(b''.join(data[i:i + 200]))


def messages(data):
    """(type, command, attributes as they are) of each."""
    while data:
        size, kind = struct.unpack_from('=IH', data)
        yield kind, data[16], data[20:size]
        data = data[(size + 3) & ~3:]


def get(data, *names):
    """The values of attributes of an SA."""
    found = {n: p for _, n, p in nl.walk(data) if n in names}
    return [int.from_bytes(found[name], 'big') for name in names]


class Dump:
    """All SAs, a piece at a time."""

    def __init__(self, family):
        # whoever has never asked for much gets little at a time
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, nl.NETLINK_GENERIC)
        self.seen, self.over = collections.Counter(), False
        self.sock.send(struct.pack('=IHHIIBBH', 20, family, nl.NLM_F_REQUEST | nl.NLM_F_DUMP, 1, 0,
                                   nl.OPS['sa-get']['value'], 1, 0))

    def piece(self):
        """The next one."""
        for kind, _, data in messages(self.sock.recv(1 << 12)):
            if kind == nl.NLMSG_DONE:
                self.over = True
            else:
                self.seen[get(data, SPI)[0]] += 1


def main():
    """See above."""
    sock, listener, deaf = nl.Socket(), nl.Socket(), nl.Socket()
    begun = time.monotonic()
    tunnel = {'src': A, 'dst': B, 'proto': 50, 'mode': 1, 'reqid': 8}
    wanted = [spi for spi in range(FIRST, FIRST + STAYS * 100 + COUNT) if spi % STAYS][:COUNT]
    stays = range(FIRST, FIRST + STAYS * 100, STAYS)
    # all of one age
    sa = tunnel | {'owner': OWNER, 'usage': {'add-time': int(time.time())},
                   'aead': {'name': 'rfc4106(gcm(aes))', 'key': bytes(20), 'icv-bits': 128}}
    many(sock, 'sa-new', [sa | {'spi': spi} for spi in sorted([*wanted, *stays])])
    took = time.monotonic() - begun
    # when all of them have it, and so far away that timers end by the dozen
    hard = math.ceil(2 * took) + 8
    limits = {'lifetime': {'add-soft': hard - 4, 'add-hard': hard}}
    many(sock, 'sa-update', [tunnel | {'spi': spi} | limits for spi in wanted])
    listener.sock.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, 1 << 27)
    listener.join('sa')
    deaf.join('sa')
    out = {'all': len(sock.dump('sa-get', {'owner': OWNER})) == COUNT + len(stays)}
    dumps = [Dump(sock.family) for _ in range(DUMPS)]
    ends, lost, late, rounds, first = (collections.Counter(), collections.Counter()), 0, 0, 0, None
    poll = select.poll()
    poll.register(listener.sock, select.POLLIN)
    while ends[1].total() < COUNT and poll.poll(1000 * hard + 60000):
        try:
            data = listener.sock.recv(1 << 16)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            lost += 1
            continue
        for _, command, sa in messages(data):
            if command == EXPIRED:
                spi, past = get(sa, SPI, HARD)
                late += not past and spi in ends[1]
                ends[past][spi] += 1
        if ends[1]:
            first = first or time.monotonic()
        while rounds < ends[1].total() * 20 // COUNT:
            rounds += 1
            for dump in dumps:
                if not dump.over:
                    dump.piece()
    out['seconds'] = round(time.monotonic() - first, 2)
    for dump in dumps:
        while not dump.over:
            dump.piece()
    once = collections.Counter(wanted)
    out |= {'softs': ends[0].total(), 'soft': not late and all(n == 1 for n in ends[0].values()),
            'hard': ends[1] == once, 'lost': lost,
            'deaf': deaf.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ENOBUFS,
            'left': len(sock.dump('sa-get', {'owner': OWNER})),
            'dumps': sum(dump.seen.total() == len(dump.seen) > len(stays) and all(spi in dump.seen for spi in stays)
                         for dump in dumps),
            'shown': sum(len(dump.seen) for dump in dumps)}
    print(json.dumps(out))


main()
