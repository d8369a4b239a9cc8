#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send packets in every way that a gateway has, and look for their contents on its links.

usage: leak.py REGEX [TUNNEL=ADDRESS...] [helper] [sip] [copies]

Topology and policies are those of tests/leak_hunt.sh, which has made the tunnels, helpers, and
rules that send a copy of what is for ports 7100 and 7101 by another link, in its stead. Scenarios
are those whose names match. Reads orders, a line each, and answers each with lines and one
with a dot (a line "N packets lost" tells that not all was seen, without the word short):

  hunt [met]     each scenario once; a line "NAME WHAT", WHAT being clear (its contents were
                 seen on a link), hidden (they were not), or idle (they were not, and with
                 "met" no counter of Postern's tells that any policy met it)
  flow           a stream of datagrams from host and gateway, while the caller changes
                 things, until the next order; a line "clear" or "hidden"

Contents are 8 random octets of each scenario, again and again, so that 8 octets of any
place of it tell where they are from, whatever was cut off or put in front. What has no room
for contents (a reset, a report of a group) has a number of its own in its header.

A packet in clear for another network follows each scenario along the same way: when it has
come, what was before it has come, too, or will not.
"""
import contextlib
import ctypes
import json
import os
import random
import re
import select
import socket
import struct
import subprocess
import sys
import time

AF = {4: socket.AF_INET, 6: socket.AF_INET6}
HOST = {4: '10.1.0.2', 6: 'fd01::2'}        # behind the gateway
GATE = {4: '10.1.0.1', 6: 'fd01::1'}        # the gateway, inside
FAR = {4: '10.2.0.2', 6: 'fd02::2'}         # what policies protect
FENCE = {4: '203.0.113.2', 6: 'fd03::2'}    # what no policy is about
ALIAS = '203.0.113.77'                      # what the gateway translates to FAR
IP_NODEFRAG, IP_PKTINFO, UDP_SEGMENT, IP_MTU_DISCOVER, SO_ZEROCOPY, MSG_ZEROCOPY = 22, 8, 103, 10, 60, 0x4000000
IPV6_HDRINCL, IPV6_MTU_DISCOVER, SO_MARK, SO_RCVBUFFORCE, PACKET_OUTGOING = 36, 23, 36, 33, 4
SOL_PACKET, PACKET_STATISTICS = 263, 6
LIBC = ctypes.CDLL(None, use_errno=True)
HOME = os.open('/proc/self/ns/net', os.O_RDONLY)


@contextlib.contextmanager
def inside(name):
    """Sockets and programs made here belong to a network namespace."""
    fd = os.open(f'/run/netns/{name}', os.O_RDONLY)
    try:
        if LIBC.setns(fd, 0x40000000):
            raise OSError(ctypes.get_errno(), name)
        yield
    finally:
        LIBC.setns(HOME, 0x40000000)
        os.close(fd)


def ip(ns, *words):
    subprocess.run(['ip', '-n', ns, *words], check=True)


def packed(addr):
    return socket.inet_pton(AF[6 if ':' in addr else 4], addr)


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data[:len(data) & ~1])) + (data[-1] << 8 if len(data) & 1 else 0)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Links:
    """What the other end receives on the links, and what is looked for."""

    RUN = re.compile(b'[bcdfghjklmnpqrstvwxz]{8,}')

    def __init__(self):
        self.socks, self.words, self.tokens, self.seen = [], {}, {}, set()
        with inside('peer'):
            for dev in 'pub', 'alt':
                sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
                sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
                sock.bind((dev, 3))
                sock.setblocking(False)
                self.socks.append(sock)

    def look_at(self, frame):
        for run in self.RUN.findall(frame):
            for i in range(min(len(run) - 7, 16)):  # octets in front may look like it
                if run[i:i + 8] in self.words:
                    self.seen.add(self.words[run[i:i + 8]])
        self.seen |= {name for token, name in self.tokens.items() if token in frame}

    def drain(self, wait):
        for sock in select.select(self.socks, [], [], wait)[0]:
            with contextlib.suppress(BlockingIOError):
                while True:
                    frame, source = sock.recvfrom(70000)
                    if source[2] != PACKET_OUTGOING:
                        self.look_at(frame)

    def lost(self):
        """How many packets there was no room for, since this was asked last."""
        return sum(struct.unpack('II', sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1] for sock in self.socks)

    def wait_for(self, name, seconds):
        end = time.monotonic() + seconds
        while name not in self.seen and time.monotonic() < end:
            self.drain(0.05)
        return name in self.seen


class Canary:
    """The contents of one scenario."""

    def __init__(self, links, name):
        self.links, self.name = links, name
        self.word = bytes(random.choices(b'bcdfghjklmnpqrstvwxz', k=8))
        for i in range(8):
            links.words[self.word[i:] + self.word[:i]] = name

    def fill(self, size=64):
        return (self.word * (size // 8 + 1))[:size]

    def token(self, data):
        self.links.tokens[data] = self.name


# The packets. A scenario is a function of the canary and, where it has some, words.

def udp(c, ns, v, dst=None, src=None, size=64, port=7000, opts=(), flags=0, anc=()):
    with inside(ns), socket.socket(AF[v], socket.SOCK_DGRAM) as sock:
        for opt in opts:
            sock.setsockopt(*opt)
        if ns == 'gw':
            sock.bind((src or GATE[v], 0))
        sock.sendmsg([c.fill(size)], list(anc), flags, (dst or FAR[v], port))


def fragments(c, ns, v):
    level, opt = (socket.IPPROTO_IP, IP_MTU_DISCOVER) if v == 4 else (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER)
    udp(c, ns, v, size=4000, opts=[(level, opt, 0)])


def super_packet(c, ns, v):
    udp(c, ns, v, size=1000, anc=[(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack('=H', 100))])


def zerocopy(c, ns, v):
    udp(c, ns, v, size=1200, opts=[(socket.SOL_SOCKET, SO_ZEROCOPY, 1)], flags=MSG_ZEROCOPY)


def raw(c, ns, v, proto, dst=None):
    with inside(ns), socket.socket(AF[v], socket.SOCK_RAW, proto) as sock:
        if ns == 'gw':
            sock.bind((GATE[v], 0))
        data = c.fill()
        if proto in (socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6):
            data = bytes([8 if v == 4 else 128, 0]) + bytes(2) + data
            data = data[:2] + struct.pack('!H', checksum(data)) + data[4:]
        sock.sendto(data, (dst or FAR[v], 0))


def whole(c, ns, v, packet, dst=None):
    """A packet with its IP header."""
    with inside(ns), socket.socket(AF[v], socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        if v == 4:
            sock.setsockopt(socket.IPPROTO_IP, IP_NODEFRAG, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
        sock.sendto(packet, (dst or FAR[v], 0))


def header4(src, dst, proto, size, first=0x45, frag=0, ttl=64, options=b''):
    head = struct.pack('!BBHHHBBH4s4s', first, 0, 20 + len(options) + size, 4711, frag, ttl, proto, 0, packed(src),
                       packed(dst)) + options
    return head[:10] + struct.pack('!H', checksum(head)) + head[12:]


def header6(src, dst, proto, size, first=0x60, hops=64):
    return struct.pack('!B3xHBB16s16s', first, size, proto, hops, packed(src), packed(dst))


def of(ns):
    return HOST if ns == 'hosta' else GATE


UDP = struct.pack('!HHHH', 7000, 7000, 72, 0)


def crafted4(c, ns, proto=17, size=None, lead=UDP, **words):
    data = lead + c.fill()
    whole(c, ns, 4, header4(of(ns)[4], FAR[4], proto, len(data) if size is None else size, **words) + data)


def crafted6(c, ns, proto=17, lead=UDP, chain=b'', size=None, **words):
    data = chain + lead + c.fill()
    whole(c, ns, 6, header6(of(ns)[6], FAR[6], proto, len(data) if size is None else size, **words) + data)


def group4(c, dst, device):
    with inside('gw'):
        index = socket.if_nametoindex(device)
    udp(c, 'gw', 4, dst=dst, src='192.0.2.1', opts=[
        (socket.SOL_SOCKET, socket.SO_BROADCAST, 1),
        (socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack('=4s4si', bytes(4), bytes(4), index))])


def group6(c, dst, device):
    with inside('gw'):
        index = socket.if_nametoindex(device)
    udp(c, 'gw', 6, dst=dst, src='2001:db8:1::1', opts=[(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)])


def bound(c, v):
    udp(c, 'gw', v, opts=[(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'alt')])


def marked(c, v):
    udp(c, 'gw', v, opts=[(socket.SOL_SOCKET, SO_MARK, 7)])


def moved(c, ns, v):
    """A connected socket whose route moves to another link, and back."""
    route = [f'{FAR[v]}/{32 if v == 4 else 128}', 'via', '198.51.100.2' if v == 4 else '2001:db8:2::2', 'dev', 'alt']
    with inside(ns), socket.socket(AF[v], socket.SOCK_DGRAM) as sock:
        if ns == 'gw':
            sock.bind((GATE[v], 0))
        sock.connect((FAR[v], 7000))
        for change in ('replace', route), ('del', route), None:
            with contextlib.suppress(OSError):  # what was too big before
                sock.send(c.fill())
            if change:
                ip('gw', 'route', change[0], *change[1])


# What others send makes the gateway's kernel answer; what is asked comes in clear.

def ask(c, v, proto, data, dst=None, hops=64):
    head = header4(FAR[4], dst or GATE[4], proto, len(data), ttl=hops) if v == 4 else \
        header6(FAR[6], dst or GATE[6], proto, len(data), hops=hops)
    whole(c, 'peer', v, head + data, dst or GATE[v])


def pseudo(v, proto, data, dst=None):
    return packed(FAR[v]) + packed(dst or GATE[v]) + struct.pack('!II', len(data), proto) + data


def echo(c, v):
    proto = 1 if v == 4 else 58
    data = bytes([8 if v == 4 else 128, 0, 0, 0, 0, 1, 0, 1]) + c.fill()
    total = checksum(data if v == 4 else pseudo(6, 58, data))
    ask(c, v, proto, data[:2] + struct.pack('!H', total) + data[4:])


def datagram(c, v, dst=None, hops=64, size=64, port=9):
    data = struct.pack('!HHHH', 7000, port, size + 8, 0) + c.fill(size)
    data = data[:6] + struct.pack('!H', checksum(pseudo(v, 17, data, dst))) + data[8:]
    ask(c, v, 17, data, dst, hops)


def too_big(c, v):
    """The host's link takes 1400 octets."""
    ip('peer', f'-{v}', 'route', 'flush', 'cache')
    data = struct.pack('!HHHH', 7000, 7000, 1450 - 20 * (v // 2 - 1), 0)
    data += c.fill(1442 - 20 * (v // 2 - 1))
    head = header4(FAR[4], HOST[4], 17, len(data), frag=0x4000) if v == 4 else header6(FAR[6], HOST[6], 17, len(data))
    whole(c, 'peer', v, head + data, HOST[v])


def reset(c, v, dst=None, port=9):
    """A connection is refused: the answer acknowledges a number that nobody else uses."""
    number = random.getrandbits(32)
    data = struct.pack('!HHIIBBHHH', 7000, port, number, 0, 0x50, 2, 1000, 0, 0)
    pre = pseudo(v, 6, data, dst)
    data = data[:16] + struct.pack('!H', checksum(pre)) + data[18:]
    c.token(struct.pack('!HHII', port, 7000, 0, (number + 1) & 0xffffffff))
    ask(c, v, 6, data, dst)


def report(c, v):
    """The gateway joins a group: its kernel tells the routers of the link."""
    if v == 4:
        group = bytes([239]) + random.randbytes(3)
        with inside('gw'), socket.socket(AF[4], socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                            struct.pack('=4s4si', group, bytes(4), socket.if_nametoindex('pub')))
            c.token(group)
            c.links.wait_for(c.name, 0.2)
    else:
        group = b'\xff\x05' + random.randbytes(14)
        with inside('gw'), socket.socket(AF[6], socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                            group + struct.pack('=I', socket.if_nametoindex('pub')))
            c.token(group)
            c.links.wait_for(c.name, 0.2)


class Connection:
    """TCP that was there before any policy; what is not acknowledged is sent again."""

    def __init__(self, ns, v):
        self.ns, self.v, self.sock = ns, v, None

    def __call__(self, c):
        if not self.sock:
            with inside('peer'):
                server = socket.create_server((FAR[self.v], 7000 + self.v), family=AF[self.v])
            with inside(self.ns):
                self.sock = socket.create_connection((FAR[self.v], 7000 + self.v), 5)
            self.other = server.accept()[0]
            server.close()
            for sock in self.sock, self.other:  # with them their namespaces can go
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('=ii', 1, 0))
        self.sock.setblocking(False)
        self.sock.send(c.fill(500))


def expected_by_helper(c):
    """FTP: the other end begins a connection that a helper expects; its data is the answer."""
    with inside('peer'):
        server = socket.create_server((FAR[4], 21))
    with inside('hosta'):
        data = socket.create_server((HOST[4], 0))
        ftp = socket.create_connection((FAR[4], 21), 5)
    other = server.accept()[0]
    ftp.send(b'PORT %s,%d,%d\r\n' % (HOST[4].replace('.', ',').encode(), *divmod(data.getsockname()[1], 256)))
    said = other.recv(100).decode().split()[1].split(',')
    with inside('peer'), socket.socket(AF[4]) as back:
        back.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        back.bind((FAR[4], 20))
        back.settimeout(2)
        with contextlib.suppress(OSError):
            back.connect(('.'.join(said[:4]), int(said[4]) * 256 + int(said[5])))
            data.accept()[0].send(c.fill())
            c.links.wait_for(c.name, 0.2)
    for sock in server, data, ftp, other:
        sock.close()


SDP = 'v=0\r\no=a 1 1 IN IP4 10.1.0.2\r\ns=-\r\nc=IN IP4 10.1.0.2\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\n'
INVITE = ('INVITE sip:b@10.2.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.0.2:{0};branch=z9hG4bK{0}\r\n'
          'From: <sip:a@10.1.0.2>;tag=1\r\nTo: <sip:b@10.2.0.2>\r\nCall-ID: {0}@10.1.0.2\r\nCSeq: 1 INVITE\r\n'
          'Contact: <sip:a@10.1.0.2:{0}>\r\nContent-Type: application/sdp\r\nContent-Length: {1}\r\n\r\n')


def called_by_helper(c):
    """SIP: the other end sends sound where a helper expects it; its data is the answer."""
    with contextlib.ExitStack() as stack:
        def datagrams(ns, addr, port):
            with inside(ns):
                sock = stack.enter_context(socket.socket(AF[4], socket.SOCK_DGRAM))
            sock.bind((addr, port))
            sock.settimeout(1)
            return sock

        phone, voice, sip = datagrams('peer', FAR[4], 5060), datagrams('peer', FAR[4], 0), datagrams('hosta', HOST[4], 0)
        sound = datagrams('hosta', HOST[4], random.randrange(20000, 30000, 2))
        sdp = SDP.format(sound.getsockname()[1])
        sip.sendto((INVITE.format(sip.getsockname()[1], len(sdp)) + sdp).encode(), (FAR[4], 5060))
        said = phone.recv(2000)
        voice.sendto(b'sound', (re.search(rb'c=IN IP4 (\S+)', said)[1], int(re.search(rb'm=audio (\d+)', said)[1])))
        sound.sendto(c.fill(), sound.recvfrom(100)[1])
        c.links.wait_for(c.name, 0.2)


OPTS = struct.pack('!BB6x', 17, 0)          # an empty header of IPv6 options before UDP
MORE = struct.pack('!BB6x', 60, 0)          # before another one


def both(name, function, *words, **more):
    return [(f'{name}, IPv{v}', function, [*words, v], more) for v in (4, 6)]


def scenarios():
    found = []
    for ns in 'hosta', 'gw':
        found += both(f'{ns}: UDP', udp, ns)
        found += both(f'{ns}: fragments', fragments, ns)
        found += [(f'{ns}: ping, IPv4', raw, [ns, 4, 1], {}), (f'{ns}: ping, IPv6', raw, [ns, 6, 58], {})]
        for proto, what in (4, 'IPv4 inside'), (41, 'IPv6 inside'), (47, 'GRE'), (50, 'what looks like ESP'), \
                (51, 'what looks like AH'), (132, 'SCTP'), (253, 'an unknown protocol'):
            found += [(f'{ns}: {what}, IPv{v}', raw, [ns, v, proto], {}) for v in (4, 6)]
        found += [
            (f'{ns}: TCP of no connection', crafted4, [ns], {'proto': 6, 'lead': struct.pack('!HHIIBBHHH', 1, 2, 3, 4, 0x50, 16, 9, 0, 0)}),
            (f'{ns}: an option of IPv4', crafted4, [ns], {'first': 0x46, 'options': b'\1\1\1\0'}),
            (f'{ns}: UDP of 4 octets in all', crafted4, [ns], {'lead': b''}),
            (f'{ns}: destination options', crafted6, [ns], {'proto': 60, 'chain': OPTS}),
            (f'{ns}: a route at its end', crafted6, [ns], {'proto': 43, 'chain': struct.pack('!BBBB4x16x', 17, 2, 0, 0)}),
            (f'{ns}: a fragment that is whole', crafted6, [ns], {'proto': 44, 'chain': struct.pack('!BBHI', 17, 0, 0, 4711)}),
            (f'{ns}: more headers than anybody follows', crafted6, [ns], {'proto': 60, 'chain': MORE * 19 + OPTS}),
            (f'{ns}: no next header', crafted6, [ns], {'proto': 59}),
        ]
        found += both(f'{ns}: a route that moves', moved, ns)
    found += both('gw: super-packet', super_packet, 'gw')
    found += both('gw: MSG_ZEROCOPY', zerocopy, 'gw')
    found += both('gw: bound to another link', bound)
    found += both('gw: a route by mark', marked)
    found += [
        ('gw: 40 octets of an unknown option', crafted4, ['gw'], {'first': 0x4f, 'lead': b'\x99\x28' + bytes(38) + UDP}),
        ('gw: IPv4 that says it is IPv6', crafted4, ['gw'], {'first': 0x65}),
        ('gw: a last fragment alone', crafted4, ['gw'], {'frag': 100}),
        ('gw: a first fragment alone', crafted4, ['gw'], {'frag': 0x2000}),
        ('gw: IPv6 that says it is IPv4', crafted6, ['gw'], {'first': 0x40}),
        ('gw: a length of 0', crafted6, ['gw'], {'size': 0}),
        ('gw: a header that is cut off', crafted6, ['gw'], {'proto': 60, 'lead': b'\x11\xff'}),
        ('gw: multicast, IPv4', group4, ['239.9.9.9', 'pub'], {}),
        ('gw: broadcast', group4, ['192.0.2.255', 'pub'], {}),
        ('gw: multicast, IPv6', group6, ['ff05::9999', 'pub'], {}),
    ]
    for ns in 'hosta', 'gw':
        for name, dst in TUNNELS.items():
            found.append((f'{ns}: through {name}', udp, [ns, 6 if ':' in dst else 4, dst, dst[:-1] + '1'], {}))
    found += [
        ('hosta: an address that is translated', udp, ['hosta', 4, ALIAS], {}),
        ('gw: an address that is translated', udp, ['gw', 4, ALIAS], {}),
        ('gw: its answer to TCP that a rule rejects, IPv4', reset, [4, HOST[4], 7], {}),
        ('gw: its answer to TCP that a rule rejects, IPv6', reset, [6, HOST[6], 7], {}),
        ('gw: its answer to UDP that a rule rejects, IPv4', datagram, [4, HOST[4]], {'port': 7}),
        ('gw: its answer to UDP that a rule rejects, IPv6', datagram, [6, HOST[6]], {'port': 7}),
    ]
    found += both('gw: its answer to a ping', echo)
    found += both('gw: its answer to UDP for a closed port', datagram)
    found += both('gw: its answer to TCP for a closed port', reset)
    for v in 4, 6:
        found.append((f'gw: time exceeded, IPv{v}', datagram, [v, HOST[v]], {'hops': 1}))
    found += both('gw: packet too big', too_big)
    found += both('gw: report of a group', report)
    for ns in 'hosta', 'gw':
        found += [(f'{ns}: a connection from before, IPv{v}', Connection(ns, v), [], {}) for v in (4, 6)]
    if COPIES:
        for ns in 'hosta', 'gw':
            found += both(f'{ns}: a copy that nftables makes', udp, ns, port=7100)
        found += both('hosta: a copy that TEE makes', udp, 'hosta', port=7101)
    if HELPER:
        found.append(('hosta: a connection that a helper expects', expected_by_helper, [], {}))
    if SIP:
        found.append(('hosta: a call that a helper expects', called_by_helper, [], {}))
    return [row for row in found if re.search(sys.argv[1], row[0])]


def met():
    """Packets that policies have met so far."""
    with inside('gw'):
        stats = json.loads(subprocess.run(['postern', '-j', 'stats'], stdout=subprocess.PIPE, check=True).stdout)
    return stats['out-packets'] + sum(drop['packets'] for drop in stats['drops'])


def fence(links, ns):
    """Has all that was sent before passed?"""
    for _ in range(20):
        name = object()
        c = Canary(links, name)
        with contextlib.suppress(OSError):
            udp(c, ns, 4, dst=FENCE[4])
        if links.wait_for(name, 0.3):
            return
    print('# nothing comes through', file=sys.stderr)


def hunt(links, table, words):
    results, before = {}, met()
    for name, function, args, more in table:
        c = Canary(links, name)
        links.seen.discard(name)
        try:
            function(c, *args, **more)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f'# {name}: {error}', file=sys.stderr)
        fence(links, 'hosta' if name.startswith('hosta') else 'gw')
        results[name] = 'hidden'
        if 'met' in words and not isinstance(function, Connection):     # whose timers decide when it sends
            after = met()
            results[name] = 'idle' if after == before else 'hidden'
            before = after
    links.drain(0.3)
    for name, what in results.items():
        print(name + '\t' + ('clear' if name in links.seen else what))


def flow(links):
    """A stream, of which each datagram may be lost."""
    name = object()
    c = Canary(links, name)
    while True:
        for v in 4, 6:
            for ns in 'hosta', 'gw':
                with contextlib.suppress(OSError):
                    udp(c, ns, v, size=random.choice((16, 200, 3000)))
        links.drain(0.002)
        if select.select([ORDERS], [], [], 0)[0]:
            break
    fence(links, 'hosta')
    links.drain(0.3)
    ORDERS.readline()
    print('clear' if name in links.seen else 'hidden')


TUNNELS = dict(word.split('=') for word in sys.argv[2:] if '=' in word)
ORDERS = open(0, 'rb', buffering=0)     # what select() is asked about nobody has read ahead
HELPER, SIP, COPIES = (word in sys.argv for word in ('helper', 'sip', 'copies'))


def main():
    os.sched_setaffinity(0, {0})    # one queue: what is sent later comes later
    links, table = Links(), scenarios()
    while line := ORDERS.readline():
        order, *words = line.decode().split()
        links.lost()
        if order == 'hunt':
            hunt(links, table, words)
        else:
            flow(links)
        if (lost := links.lost()) and 'short' not in words:
            print(f'{lost} packets\tlost')
        print('.', flush=True)


main()
