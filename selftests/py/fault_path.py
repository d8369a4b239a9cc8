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
import time

import fault
import t2_netlink as nl
import t2_packet as packet

A, B, A6, B6 = (ipaddress.ip_address(a).packed for a in ('10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2'))
ESP, AH, COMP = 50, 51, 108
TRANSPORT, TUNNEL, BEET = 0, 1, 2
IN, OUT = 1, 2
PROTECT = 1
TCP_MSS = 1
GROUP = '239.1.1.1'
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
    'tunnel, GCM, MSS in a copy': ([GCM], 4, 0, {'to': GROUP}),
}


def readable(file):
    """Something waits there."""
    return select.select([file], [], [], 0)[0]


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
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)

    def configure(self, sas, version, direction, want=(), to=None):
        """The SAs from a to b, and a policy that wants them, or others, for b or somebody else."""
        src, dst = (A, B) if version == 4 else (A6, B6)
        bits = len(src) * 8
        ends = {'src': src, 'dst': dst}
        tmpls = []
        for sa in sas:
            self.sock.call('sa-new', ends | {'dir': direction} | (
                {'selector': ends | {'src-len': bits, 'dst-len': bits}} if sa['mode'] == BEET else {}) | sa)
        for sa in want or sas:
            tmpls.append(ends | {k: sa[k] for k in ('proto', 'mode', 'reqid')})
        self.sock.call('policy-new', {'dir': direction, 'action': PROTECT, 'tmpl': tmpls, 'flags': TCP_MSS,
                                      'selector': {'dst': to or dst, 'dst-len': bits}})

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
        while readable(self.tun):
            packets.append(os.read(self.tun, 1 << 17))
        return packets


# What is dropped of one packet for want of one allocation.
ONCE = {'out-': ({'out-memory': 1}, {'out-stack': 1}), 'in-': ({'in-memory': 1},)}


def reasons_of(stats, prefix):
    """The drops of one direction, by reason."""
    return {name: n for name, n in stats.items() if n and name.startswith(prefix) and
            name not in ('in-packets', 'in-delivered', 'in-fragments', 'in-ecn-unused', 'in-keepalives',
                         'out-packets', 'out-sent', 'out-keepalives')}


def drops(stats, prefix):
    """How many they are."""
    return sum(reasons_of(stats, prefix).values())


def in_clear(packet):
    """AH, which all can read, is IPv4 here."""
    return TEXT[:16] in packet and (packet[0] >> 4 != 4 or packet[9] != AH)


class Datagrams:
    """What a says itself."""

    def __init__(self, a, b, version, size):
        self.out, self.into, self.size = a.udp[version], b.udp[version], size
        self.text = (TEXT * (size // len(TEXT) + 1))[:size]

    def send(self):
        """A function and its arguments."""
        return self.out.send, self.text

    def arrived(self):
        """All of it?"""
        got = 0
        while readable(self.into):
            got += len(self.into.recv(1 << 17))
        return got == self.size


class Segments:
    """The beginning of a connection to a group that a is in, too, so that it shares its buffer."""

    def __init__(self, a, b):
        self.out, self.into = a.tcp, b.tcp
        for host, own in (a, A), (b, B):
            host.tcp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + own)
            host.tcp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
        head = struct.pack('>HHIIBBHHHHH', 4000, PORT, 0, 0, 6 << 4, 2, 8192, 0, 0, 0x204, 1460) + TEXT
        check = packet.upper_checksum('10.0.0.1', GROUP, socket.IPPROTO_TCP, head)
        self.syn = head[:16] + struct.pack('>H', check) + head[18:]

    def send(self):
        """A function and its arguments."""
        return self.out.sendto, self.syn, (GROUP, 0)

    def arrived(self):
        """It is there, and asks for no more than fits."""
        while readable(self.out):
            self.out.recv(1 << 17)
        got = False
        while readable(self.into):
            mss, = struct.unpack_from('>H', self.into.recv(1 << 17), 20 + 22)
            assert mss < 1460, mss
            got = True
        return got


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

    def shot(self, what, nth_out, nth_in):
        """One packet; what is wrong with what became of it, was there such an allocation, did it arrive?"""
        before = self.a.stats(), self.b.stats()
        fail.arm(nth_out)
        error = self.attempt(*what.send())
        hit = fail.hit
        packets = self.a.sent()
        wrong = ['in clear'] if any(in_clear(p) for p in packets) else []
        fail.arm(nth_in)
        for one in packets:
            error = self.attempt(os.write, self.b.tun, one) or error
        hit = fail.hit if nth_in else hit
        fail.arm(0)
        out, inside = (h.stats() - s for h, s in zip((self.a, self.b), before))
        arrived = what.arrived()
        self.b.sent()
        lost = drops(out, 'out-'), drops(inside, 'in-') + inside['unknown-spi']
        for prefix, stats in ('out-', out), ('in-', inside):
            if stats[f'{prefix}packets'] == 1 and (reasons := reasons_of(stats, prefix)) and reasons not in ONCE[prefix]:
                wrong.append(f'one packet: {reasons}')
        if out['out-packets'] != out['out-sent'] + out['held'] + lost[0]:
            wrong.append(f'out: {dict(out)}')
        if inside['in-packets'] != inside['in-delivered'] + inside['in-fragments'] + lost[1]:
            wrong.append(f'in: {dict(inside)}')
        if not arrived and not error and not lost[0] + lost[1]:
            self.seen['lost by the stack'] += 1
        for name, n in (out + inside).items():
            self.seen[name] += n
        return wrong, hit, arrived

    def walk(self, probe, way):
        """All allocations of one way; what is wrong, how many there are, how many packets arrived."""
        wrong, nth, misses, arrived = [], 0, 0, 0
        while misses < MISSES and not wrong:
            nth += 1
            what, hit, all_there = self.shot(probe, *((nth, 0) if way == 'out' else (0, nth)))
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
    group = socket.inet_aton(options['to']) if 'to' in options else None
    road.a.configure(sas, version, OUT, to=group)
    road.b.configure(sas, version, IN, to=group)
    sender = road.a.udp[version]
    sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, options.get('segment', 0))
    probe = Segments(road.a, road.b) if group else Datagrams(road.a, road.b, version, size)
    wrong = road.shot(probe, 0, 0)
    fault.result(not wrong[0] and wrong[2], f'{name}: arrives', wrong)
    for way in 'out', 'in':
        stack = road.seen['lost by the stack']
        wrong, allocations, arrived = road.walk(probe, way)
        stack = road.seen['lost by the stack'] - stack
        fault.result(not wrong and allocations, f'{name}, {way}: {allocations} allocations, {arrived} arrived, '
                     f'{stack} lost by the stack', wrong)
    left = struct.unpack('i', fcntl.ioctl(sender, 0x5411, bytes(4)))[0]
    fault.result(not left, f'{name}: the sender is charged for nothing', left)
    road.a.clear()
    road.b.clear()


def wait_for(condition):
    """In time."""
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.005)


class Held:
    """Packets of a for which there is no SA yet."""

    def __init__(self, road):
        self.road, self.a = road, road.a
        self.probe = Datagrams(road.a, road.b, 4, 100)
        self.a.configure([], 4, OUT, [GCM])
        road.b.configure([GCM], 4, IN)

    def asked(self):
        """Was somebody asked, or told that there was no memory to do so?"""
        asked = False
        while readable(self.a.listener.sock):
            asked = True
            try:
                self.a.listener.sock.recv(1 << 16)
            except OSError as failure:
                assert failure.errno == errno.ENOBUFS
        return asked

    def send(self, nth):
        """One; does it wait, why does it not, was there such an allocation, what is wrong?"""
        before = self.a.stats()
        fail.arm(nth)
        self.road.attempt(*self.probe.send())
        hit = fail.hit
        fail.arm(0)
        asked = self.asked()
        got = self.a.stats() - before
        why = {name for name in got if drops({name: 1}, 'out-')}
        fine = got['out-packets'] == got['held'] + drops(got, 'out-') and (asked or not got['held']) and \
            not any(in_clear(p) for p in self.a.sent())
        return got['held'], why, hit, [] if fine else [f'held: {dict(got)}']

    def try_call(self, op, attrs=()):
        """Is it done?"""
        try:
            self.a.sock.call(op, attrs)
        except (nl.Refused, OSError) as error:
            assert error.errno in (errno.ENOMEM, errno.ENOBUFS, errno.EEXIST), error
            return error.errno == errno.EEXIST
        return True

    def settled(self):
        """All is accounted for, and nobody waits."""
        try:
            stats = self.a.stats()
        except (nl.Refused, OSError):
            return False
        return not stats['held'] and stats['out-packets'] == stats['out-sent'] + drops(stats, 'out-')

    def release(self, chance=0):
        """There is an SA, while some allocations fail; does what waited arrive, what is wrong?"""
        fault.chance(chance)
        wait_for(lambda: self.try_call('sa-new', {'src': A, 'dst': B, 'dir': OUT} | GCM))
        wait_for(self.settled)
        fault.chance(0)
        packets = self.a.sent()
        for one in packets:
            os.write(self.road.b.tun, one)
        self.a.sock.call('sa-flush')
        return self.probe.arrived(), ['released: in clear'] if any(in_clear(p) for p in packets) else []


def walk_held(held):
    """All allocations until it waits."""
    wrong, nth, misses, reasons = [], 0, 0, set()
    while misses < MISSES and not wrong:
        nth += 1
        waits, why, hit, wrong = held.send(nth)
        reasons |= why
        misses = 0 if hit else misses + 1
        if not waits and not held.send(0)[0]:
            wrong.append('the next does not wait')
        arrived, more = held.release()
        wrong += more if arrived else ['does not arrive']
    wrong += reasons - {'out-memory'}
    fault.result(not wrong and nth > MISSES, f'waits for an SA: {nth - misses} allocations', wrong)


def walk_released(held):
    """It goes on in another thread, where any allocation may fail."""
    wrong, arrived = [], 0
    for _ in range(40):
        if not held.send(0)[0]:
            wrong.append('does not wait')
        came, more = held.release(5)
        arrived += came
        wrong += more
    fault.result(not wrong and 0 < arrived < 40, f'goes on when there is one: {arrived} of 40 arrived', wrong)


def main():
    """All paths."""
    fault.setup()
    os.sched_setaffinity(0, {0})    # each has caches
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
    reasons = set(reasons_of(road.seen, ('in-', 'out-')))
    # a route that is looked up anew needs memory as well
    fault.result(reasons <= {'in-memory', 'out-memory', 'out-stack', 'out-no-route'}, 'all was for want of memory', reasons)
    held = Held(road)
    walk_held(held)
    fault.only_modules()
    walk_released(held)
    sys.exit(fault.failed > 0)


main()
