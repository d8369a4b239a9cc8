#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Each allocation on the way of a packet fails once: it arrives, or is dropped for a
reason that is counted; nothing of it is ever seen in clear.

	a --- tun --- this program --- tun --- b

What a sends is read and what b gets is written here, so that both ways are walked in
system calls of this thread.  Prints KTAP lines without a plan; exit status 1 when
anything failed.
"""
import collections
import ctypes
import errno
import fcntl
import ipaddress
import os
import select
import socket
import struct
import subprocess
import sys

import fault
import t2_netlink as nl

A, B, A6, B6 = (ipaddress.ip_address(a).packed for a in ('10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2'))
ESP, AH, COMP = 50, 51, 108
TRANSPORT, TUNNEL, BEET = 0, 1, 2
IN, OUT = 1, 2
PROTECT = 1
PORT = 7000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000
UDP_SEGMENT = 103
MISSES = 3      # allocations differ by what caches have
libc = ctypes.CDLL(None, use_errno=True)
fail = fault.Fault()


def algo(name, bits, icv=None):
    """Name, length of the key, length of the ICV."""
    return {'name': name, 'key': bytes(range(bits // 8))} | ({'icv-bits': icv} if icv else {})


SHA = algo('hmac(sha256)', 256, 128)
GCM = {'proto': ESP, 'spi': 0x1001, 'reqid': 1, 'mode': TUNNEL, 'aead': algo('rfc4106(gcm(aes))', 160, 128)}
CBC = {'proto': ESP, 'spi': 0x1002, 'reqid': 2, 'mode': TRANSPORT, 'crypt': algo('cbc(aes)', 128), 'auth': SHA}
WITH_AH = {'proto': AH, 'spi': 0x1003, 'reqid': 3, 'mode': TUNNEL, 'auth': SHA}
DEFLATE = {'proto': COMP, 'spi': 0x1234, 'reqid': 4, 'mode': TUNNEL, 'comp': {'name': 'deflate'}}
TEXT = b'canary: must never be seen. '

# SAs, the innermost first; IP version, octets; size of segments, MTU of the link
PATHS = {
    'tunnel, GCM': ([GCM], 4, 100, {}),
    'tunnel, GCM, many pieces': ([GCM], 4, 50000, {'mtu': 65535}),
    'tunnel, GCM, fragments': ([GCM], 4, 3000, {}),
    'tunnel, GCM, IPv6 in fragments': ([GCM], 6, 3000, {}),
    'tunnel, GCM, TFC padding': ([GCM | {'tfcpad': 1000}], 4, 100, {}),
    'tunnel, GCM, segments': ([GCM], 4, 1500, {'segment': 500}),
    'transport, CBC': ([CBC], 4, 1000, {}),
    'transport, CBC, many pieces': ([CBC], 4, 50000, {'mtu': 65535}),
    'transport, CBC, IPv6': ([CBC], 6, 1000, {}),
    'transport, CBC, in UDP': ([CBC | {'encap': {'sport': 4500, 'dport': 4500}}], 4, 100, {}),
    'beet': ([GCM | {'mode': BEET}], 4, 100, {}),
    'AH': ([WITH_AH], 4, 1000, {}),
    'AH, many pieces': ([WITH_AH], 4, 50000, {'mtu': 65535}),
    'IPComp and ESP': ([DEFLATE, CBC], 4, 1000, {}),
    'ESP, ESP and AH': ([GCM, CBC, WITH_AH], 4, 100, {}),
}


class Host:
    """A namespace: its configuration, counters and outside link."""

    def __init__(self, name):
        with open(f'/run/netns/{name}', encoding='ascii') as file:
            libc.setns(file.fileno(), 0)
        self.sock = nl.Socket()
        self.listener = nl.Socket()
        for group in self.listener.groups:
            self.listener.join(group)
        self.tun = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.tun, TUNSETIFF, struct.pack('16sH22x', b'pub', IFF_TUN | IFF_NO_PI))
        self.udp = {v: socket.socket(f, socket.SOCK_DGRAM) for v, f in ((4, socket.AF_INET), (6, socket.AF_INET6))}

    def configure(self, sas, version, direction):
        """The SAs from a to b, and their policy."""
        src, dst = (A, B) if version == 4 else (A6, B6)
        bits = len(src) * 8
        ends = {'src': src, 'dst': dst}
        tmpls = []
        for sa in sas:
            self.sock.call('sa-new', ends | {'dir': direction} | (
                {'selector': ends | {'src-len': bits, 'dst-len': bits}} if sa['mode'] == BEET else {}) | sa)
            tmpls.append(ends | {k: sa[k] for k in ('proto', 'mode', 'reqid')})
        self.sock.call('policy-new', {'dir': direction, 'action': PROTECT, 'tmpl': tmpls,
                                      'selector': ends | {'src-len': bits, 'dst-len': bits}})

    def clear(self):
        """Nothing is left."""
        for op in 'policy-flush', 'sa-flush':
            self.sock.call(op)

    def stats(self):
        """All counters by name, drops by reason."""
        counts = collections.Counter()
        names = {n: name for name, n in nl.NUMBERS['stats'].items()}
        for _, number, payload in nl.walk(self.sock.call('stats-get')[0]):
            if names[number] == 'drop':
                drop = {n: p for _, n, p in nl.walk(payload)}
                counts[drop[2].rstrip(b'\0').decode()] = int.from_bytes(drop[4], sys.byteorder)
            elif names[number] != 'version':
                counts[names[number]] = int.from_bytes(payload, sys.byteorder)
        return counts

    def sent(self):
        """What leaves by the outside link."""
        packets = []
        while select.select([self.tun], [], [], 0)[0]:
            packets.append(os.read(self.tun, 1 << 17))
        return packets


def drops(stats, prefix):
    """Those of one direction."""
    return sum(n for name, n in stats.items() if name.startswith(prefix) and
               name not in ('in-packets', 'in-delivered', 'in-fragments', 'in-ecn-unused', 'in-keepalives',
                            'out-packets', 'out-sent', 'out-keepalives'))


def in_clear(packet):
    """AH, which all can read, is IPv4 here."""
    return TEXT[:16] in packet and (packet[0] >> 4 != 4 or packet[9] != AH)


class Road:
    """From a to b by one path."""

    def __init__(self, a, b):
        self.a, self.b = a, b
        self.seen = collections.Counter()

    def attempt(self, function, *args):
        """A system call that may fail for want of memory."""
        try:
            fail.call(function, *args)
        except OSError as error:
            if error.errno not in (errno.ENOMEM, errno.ENOBUFS):
                raise
            return error.errno
        return 0

    def shot(self, version, size, nth_out, nth_in):
        """One datagram; what is wrong with what became of it, and was there such an allocation?"""
        text = (TEXT * (size // len(TEXT) + 1))[:size]
        before = self.a.stats(), self.b.stats()
        fail.arm(nth_out)
        error = self.attempt(self.a.udp[version].send, text)
        hit = fail.hit
        packets = self.a.sent()
        wrong = ['in clear'] if any(in_clear(p) for p in packets) else []
        fail.arm(nth_in)
        for packet in packets:
            error = self.attempt(os.write, self.b.tun, packet) or error
        hit = fail.hit if nth_in else hit
        fail.arm(0)
        out, inside = (h.stats() - s for h, s in zip((self.a, self.b), before))
        got = 0
        while select.select([self.b.udp[version]], [], [], 0)[0]:
            got += len(self.b.udp[version].recv(1 << 17))
        lost = drops(out, 'out-'), drops(inside, 'in-') + inside['unknown-spi']
        if out['out-packets'] != out['out-sent'] + out['held'] + lost[0]:
            wrong.append(f'out: {dict(out)}')
        if inside['in-packets'] != inside['in-delivered'] + inside['in-fragments'] + lost[1]:
            wrong.append(f'in: {dict(inside)}')
        if got != size and not error and not lost[0] + lost[1]:
            self.seen['lost by the stack'] += 1
        for name, n in (out + inside).items():
            self.seen[name] += n
        return wrong, hit, got == size

    def walk(self, version, size, way):
        """All allocations of one way; what is wrong, how many there are, how many packets arrived."""
        wrong, nth, misses, arrived = [], 0, 0, 0
        while misses < MISSES and not wrong:
            nth += 1
            what, hit, all_there = self.shot(version, size, *((nth, 0) if way == 'out' else (0, nth)))
            wrong += what
            misses = 0 if hit else misses + 1
            if not hit and not all_there:
                wrong.append('lost without a reason')
            arrived += hit and all_there
        return [f'allocation {nth}: {w}' for w in wrong], nth - misses, arrived


def walk_path(road, name, sas, version, size, options):
    """Both ways of one path."""
    for end in 'a', 'b':
        subprocess.run(['ip', '-n', end, 'link', 'set', 'pub', 'mtu', str(options.get('mtu', 1500))], check=True)
    road.a.configure(sas, version, OUT)
    road.b.configure(sas, version, IN)
    sender = road.a.udp[version]
    sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, options.get('segment', 0))
    wrong = road.shot(version, size, 0, 0)
    fault.result(not wrong[0] and wrong[2], f'{name}: arrives', wrong)
    for way in 'out', 'in':
        stack = road.seen['lost by the stack']
        wrong, allocations, arrived = road.walk(version, size, way)
        stack = road.seen['lost by the stack'] - stack
        fault.result(not wrong and allocations, f'{name}, {way}: {allocations} allocations, {arrived} arrived, '
                     f'{stack} lost by the stack', wrong)
    left = struct.unpack('i', fcntl.ioctl(sender, 0x5411, bytes(4)))[0]
    fault.result(not left, f'{name}: the sender is charged for nothing', left)
    road.a.clear()
    road.b.clear()


def main():
    """All paths."""
    fault.setup()
    a, b = Host('a'), Host('b')
    b.udp[4].bind(('10.0.0.2', PORT))
    b.udp[6].bind(('fd00::2', PORT))
    a.udp[4].connect(('10.0.0.2', PORT))
    a.udp[6].connect(('fd00::2', PORT))
    road = Road(a, b)
    for name, path in PATHS.items():
        walk_path(road, name, *path)
    print('#', dict(road.seen))
    for reason in 'in-memory', 'out-memory':
        fault.result(road.seen[reason], f'{reason} was seen')
    reasons = {name for name in road.seen if road.seen[name] and drops({name: 1}, ('in-', 'out-'))}
    fault.result(reasons <= {'in-memory', 'out-memory', 'out-stack'}, 'all was for want of memory', reasons)
    sys.exit(fault.failed > 0)


main()
