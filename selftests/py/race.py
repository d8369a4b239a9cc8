#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""race.py ROUNDS: programs that change the configuration of a all at once, and three that
only look; b is told of new keys, and says that its packets are too big.  Prints KTAP lines without a plan; exit status 1 when
anything failed.
"""
import ctypes
import errno
import ipaddress
import os
import random
import struct
import sys
import time
import traceback

import t2_netlink as nl
import t2_packet as packet

A, B = (ipaddress.ip_address(a).packed for a in ('10.0.0.1', '10.0.0.2'))
ESP, TUNNEL, IN, OUT, PROTECT, DISCARD = 50, 1, 1, 2, 1, 3
OWNER = 7       # of what the programs make; what the test made stays
LATE = errno.ESRCH, errno.ENOENT, errno.EEXIST
SEL = {'src': A, 'src-len': 32, 'dst': B, 'dst-len': 32}
ROUNDS = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)


def host(name):
    """A socket in a namespace."""
    with open(f'/run/netns/{name}', encoding='ascii') as file:
        libc.setns(file.fileno(), 0)
    return nl.Socket()


def sa(spi, **more):
    """One from a to b."""
    return {'src': A, 'dst': B, 'proto': ESP, 'mode': TUNNEL, 'reqid': 1, 'owner': OWNER, 'spi': spi,
            'aead': {'name': 'rfc4106(gcm(aes))', 'key': bytes(20), 'icv-bits': 128}} | more


def key(spi):
    """What names it."""
    return {'dst': B, 'proto': ESP, 'spi': spi}


def try_to(sock, op, attrs):
    """Somebody else may have been faster."""
    try:
        sock.call(op, attrs)
    except nl.Refused as error:
        if error.errno not in LATE:
            raise


def sas(dice):
    """SAs come, change and go, by name and by flush."""
    sock = host('a')
    for _ in range(ROUNDS):
        spi = 0x3000 + dice.randrange(16)
        what = dice.choice(('new', 'new', 'new', 'update', 'del', 'flush'))
        if what == 'flush':
            sock.call('sa-flush', {'owner': OWNER})
        elif what == 'del':
            try_to(sock, 'sa-del', key(spi))
        elif what == 'update':
            try_to(sock, 'sa-update', key(spi) | {'src': A, 'mode': TUNNEL, 'reqid': 1, 'selector': SEL,
                                                  'lifetime': {'packet-hard': dice.randrange(1, 100)}})
        else:
            try_to(sock, 'sa-new', sa(spi, dir=dice.choice((IN, OUT))))


def policies(dice):
    """So do policies, of which none lets anything pass in clear."""
    sock = host('a')
    tmpl = {'src': A, 'dst': B, 'proto': ESP, 'mode': TUNNEL, 'reqid': 1}
    for _ in range(ROUNDS):
        name = {'dir': OUT, 'selector': SEL, 'priority': dice.randrange(8)}
        what = dice.choice(('new', 'update', 'update', 'del', 'flush'))
        if what == 'flush':
            sock.call('policy-flush', {'owner': OWNER})
        elif what == 'del':
            try_to(sock, 'policy-del', name)
        else:
            action = {'action': PROTECT, 'tmpl': tmpl} if dice.randrange(3) else {'action': DISCARD}
            try_to(sock, f'policy-{what}', name | action | {'owner': OWNER})


def too_big(spi):
    """Of a packet of that SA from a, a router behind this host says it."""
    quoted = packet.ip('10.0.0.1', '10.0.0.2', ESP, struct.pack('>II', spi, 1), frag=0x4000)
    head = struct.pack('>BBHI', 3, 4, 0, 1400) + quoted
    head = head[:2] + struct.pack('>H', packet.checksum(head)) + head[4:]
    packet.send([packet.ip('10.0.0.254', '10.0.0.1', 1, head)])


def rekey(_):
    """New keys at the receiver first, then at the sender, then the old ones go."""
    a, b = host('a'), host('b')
    used = {'packet-soft': 2, 'packet-hard': 1 << 40}
    for i in range(ROUNDS):
        b.call('sa-new', sa(0x8000 + i, dir=IN, lifetime=used))
        try_to(a, 'sa-new', sa(0x8000 + i, dir=OUT, lifetime=used))
        too_big(0x8000 + i)
        if i:
            try_to(a, 'sa-del', key(0x7fff + i))
            b.call('sa-del', key(0x7fff + i))


def lifetimes(_):
    """Many that end in one second."""
    sock = host('a')
    for i in range(200):
        sock.call('sa-new', sa(0x10000 + i, reqid=9, owner=8, lifetime={'add-soft': 1, 'add-hard': 2}))
    end = time.monotonic() + 60
    while sock.dump('sa-get', {'owner': 8}):
        if time.monotonic() > end:
            raise TimeoutError('SAs outlive their lifetime')
        time.sleep(0.2)


def dumps(_):
    """64 dumps, each read a piece at a time, one after the other."""
    socks = [host('a') for _ in range(64)]
    for sock in socks:
        head = nl.struct.pack('=IHHIIBBH', 20, sock.family, nl.NLM_F_REQUEST | nl.NLM_F_DUMP, 1, 0,
                              nl.OPS['sa-get']['value'], 1, 0)
        sock.sock.send(head)
    while socks:
        for sock in socks[:]:
            data = sock.sock.recv(1 << 16)
            while data:
                size, kind = nl.struct.unpack_from('=IH', data)
                if kind == nl.NLMSG_DONE:
                    socks.remove(sock)
                data = data[(size + 3) & ~3:]


def counters(_):
    """All of them, while packets are counted."""
    socks = host('a'), host('b')
    for _ in range(ROUNDS):
        for sock in socks:
            sock.dump('sa-get')
            sock.dump('policy-get')
            sock.call('stats-get')


def run(function, seed):
    """As a process of its own."""
    pid = os.fork()
    if pid:
        return pid
    try:
        function(random.Random(seed))
    except BaseException:  # pylint: disable=broad-except
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main():
    """All of them, and a listener that never reads."""
    deaf = host('a')
    for group in deaf.groups:
        deaf.join(group)
    programs = [sas, sas, policies, policies, rekey, lifetimes, dumps, counters]
    pids = {run(function, seed): function.__name__ for seed, function in enumerate(programs)}
    failed = False
    for n in range(1, len(pids) + 1):
        pid, status = os.wait()
        failed |= bool(status)
        print(f"{'not ok' if status else 'ok'} {n} - {pids[pid]} goes through", flush=True)
    sys.exit(failed)


main()
