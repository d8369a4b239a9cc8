#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send packets by someone who knows the keys, right and wrong ones.

What is inside of ESP, AH and IPComp is made from right packets, changed, protected with
an ICV that is right, changed again on the wire now and then, and written to a TUN device:
when the write returns, Postern has done its work.  After each batch, all packets that
came are accounted for, and through each SA a right packet is still delivered.

With the module of fuzz/cover beneath Postern, what reaches code that nothing reached
before is kept and changed further.
"""
import argparse
import collections
import copy
import fcntl
import hashlib
import hmac
import ipaddress
import json
import os
import pathlib
import random
import select
import socket
import struct
import subprocess
import sys
import time
import zlib

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'py'))
import t2_netlink as nl  # noqa: E402

TUNSETIFF, IFF_TUN, IFF_NAPI, IFF_NO_PI, IFF_VNET_HDR = 0x400454ca, 1, 0x10, 0x1000, 0x4000
DEVICES = (('tun0', 0), ('tun1', IFF_NAPI))
ESP, AH, COMP, UDP = 50, 51, 108, 17
PORT, BATCH, KEPT = 7777, 250, 4000
TRANSPORT, TUNNEL, BEET = 0, 1, 2
INTERESTING = (0, 1, 2, 3, 4, 7, 8, 15, 16, 20, 31, 32, 40, 63, 64, 127, 128, 254, 255)
COVER = '/sys/module/cover/parameters/'


def packed(address):
    return ipaddress.ip_address(address).packed


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data[:len(data) & ~1])) + (data[-1] << 8 if len(data) & 1 else 0)
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def header(src, dst, proto, size, front=b'', tos=0, ttl=64, number=1, fragment=0):
    """An IP header; front: options, or the length of what stands before proto."""
    if len(src) == 4:
        front = front[:40] + bytes(-len(front[:40]) % 4)
        head = struct.pack('!BBHHHBBH4s4s', 0x45 + len(front) // 4, tos, (20 + len(front) + size) & 0xffff, number, fragment,
                           ttl, proto, 0, src, dst) + front
        return head[:10] + struct.pack('!H', checksum(head)) + head[12:]
    return struct.pack('!IHBB16s16s', 0x60000000 | tos << 20, size & 0xffff, proto, ttl, src, dst)


def packet(src, dst, proto, data, **more):
    return header(src, dst, proto, len(data), **more) + data


def upper(src, dst, proto, data, at):
    """Its checksum, over the pseudo header, put at the offset."""
    if len(src) == 4 and proto == 1:
        value = checksum(data)
    else:
        value = checksum(src + dst + struct.pack('!II' if len(src) == 16 else '!HH', *((len(data), proto) if len(src) == 16 else (proto, len(data)))) + data)
    return data[:at] + struct.pack('!H', value or 0xffff) + data[at + 2:]


def udp(src, dst, data, sport=7000, dport=PORT):
    return upper(src, dst, UDP, struct.pack('!HHHH', sport, dport, 8 + len(data), 0) + data, 6)


def deflated(data):
    return zlib.compressobj(wbits=-15).compress(data) + b'' if not data else (
        lambda z: z.compress(data) + z.flush())(zlib.compressobj(wbits=-15))


class Sa:
    """An SA by which a peer of its own sends to this host, and the one back."""

    def __init__(self, number, family, proto, mode, alg, inner=None, encap=False, esn=False, comp=None):
        v4 = family == 4
        self.family, self.proto, self.mode, self.alg, self.encap, self.esn = family, proto, mode, alg, encap, esn
        self.inner, self.comp, self.number, self.seq = inner or family, comp, number, 0
        self.name = f'{number}'
        self.src = packed(f'10.0.0.{10 + number}' if v4 else f'fd00::{10 + number:x}')
        self.dst = packed('10.0.0.1' if v4 else 'fd00::1')
        self.isrc, self.idst = self.src, self.dst
        if mode != TRANSPORT or comp == TUNNEL:
            self.isrc = packed(f'10.9.{number}.2' if self.inner == 4 else f'fd09:{number:x}::2')
            self.idst = packed('10.9.0.1' if self.inner == 4 else 'fd09::1')
        self.spi, self.cpi = 0x1000 + number, 0x100 + number
        self.key = hashlib.sha512(b'%d' % number).digest()
        if alg == 'gcm':
            self.aead, self.salt = AESGCM(self.key[:32]), self.key[32:36]

    def attrs(self, back):
        """As the module shall have it."""
        ends = {'src': self.dst, 'dst': self.src} if back else {'src': self.src, 'dst': self.dst}
        sa = dict(ends, proto=self.proto, spi=self.spi, mode=self.mode, reqid=self.spi, dir=2 if back else 1)
        sa['replay-window'] = 64
        if self.alg == 'gcm':
            sa['aead'] = {'name': 'rfc4106(gcm(aes))', 'key': self.key[:36], 'icv-bits': 128}
        else:
            sa['auth'] = {'name': 'hmac(sha256)', 'key': self.key[:32], 'icv-bits': 128}
            if self.proto == ESP:
                sa['crypt'] = {'name': 'ecb(cipher_null)', 'key': b''}
        if self.esn:
            sa['flags'] = 1 << 6
        if self.encap:
            sa['encap'] = {'sport': 4500, 'dport': 4500}
        if self.mode == BEET:
            bits = 32 if self.inner == 4 else 128
            one, two = (self.idst, self.isrc) if back else (self.isrc, self.idst)
            sa['selector'] = {'src': one, 'src-len': bits, 'dst': two, 'dst-len': bits}
        return sa

    def policy(self, direction):
        back = direction == 2
        src, dst = (self.dst, self.src) if back else (self.src, self.dst)
        one, two = (self.idst, self.isrc) if back else (self.isrc, self.idst)
        bits = 32 if len(one) == 4 else 128
        tmpl = [{'src': src, 'dst': dst, 'proto': self.proto, 'mode': self.mode, 'reqid': self.spi}]
        if self.comp is not None:
            tmpl.insert(0, {'src': src, 'dst': dst, 'proto': COMP, 'mode': self.comp, 'level': 1 if self.comp == TRANSPORT else 0})
        selector = {'src': one, 'src-len': bits, 'dst': two, 'dst-len': bits}
        if direction == 3:
            del selector['dst'], selector['dst-len']
        if back and self.mode == TUNNEL:
            del selector['src'], selector['src-len']
        # flags: tcp-mss, icmp
        return {'dir': direction, 'action': 1, 'priority': 10, 'flags': 3, 'selector': selector, 'tmpl': tmpl}

    def carry(self, data, proto):
        """What the SA protects of a payload from isrc to idst, with its next header."""
        if self.mode == TUNNEL or self.comp == TUNNEL:
            return packet(self.isrc, self.idst, proto, data), 4 if self.inner == 4 else 41
        return data, proto

    def number_of(self, delta):
        seq = max(self.seq + 1 + delta, 0)
        self.seq = max(self.seq, seq)
        return seq & 0xffffffff, seq >> 32

    def protect(self, inp, data, nxt):
        seq, high = self.number_of(inp.delta)
        front = bytes.fromhex(inp.front)
        if self.proto == AH:
            size = 12 + 16
            size += -size % (8 if self.family == 6 else 4)
            ah = struct.pack('!BBHII', nxt, size // 4 - 2, 0, self.spi, seq)
            options = bytes(len(front) + -len(front) % 4) if self.family == 4 else b''
            head = header(self.src, self.dst, AH, size + len(data), front=options[:40], ttl=0)
            zeroed = head if self.family == 6 else head[:10] + bytes(2) + head[12:]
            text = zeroed + ah + bytes(size - 12) + data + (struct.pack('!I', high) if self.esn else b'')
            icv = hmac.digest(self.key[:32], text, 'sha256')[:16]
            return self.outer(AH, ah + icv + bytes(size - 28) + data, front)
        padlen = -(len(data) + 2) % 4
        padding = bytes(range(1, padlen + 1)) if inp.pad is None else bytes.fromhex(inp.pad)
        plain = data + padding + bytes([len(padding) & 255 if inp.padlen is None else inp.padlen, nxt])
        if self.alg == 'gcm':
            iv = struct.pack('!Q', random.getrandbits(64))
            head = struct.pack('!II', self.spi, seq)
            aad = struct.pack('!III', self.spi, high, seq) if self.esn else head
            esp = head + iv + self.aead.encrypt(self.salt + iv, plain, aad)
        else:
            esp = struct.pack('!II', self.spi, seq) + plain
            esp += hmac.digest(self.key[:32], esp + (struct.pack('!I', high) if self.esn else b''), 'sha256')[:16]
        if self.encap and not inp.bare:
            return self.outer(UDP, struct.pack('!HHHH', 4500, 4500, (8 + len(esp)) & 0xffff, 0) + esp, front)
        return self.outer(ESP, esp, front)

    def outer(self, proto, data, front):
        if self.family == 6 and front:
            # an extension header, whose next header is put right
            return packet(self.src, self.dst, front[0], bytes([proto]) + front[1:] + data)
        return packet(self.src, self.dst, proto, data, front=front)


SAS = [Sa(*args, **more) for args, more in (
    ((0, 4, ESP, TUNNEL, 'gcm'), {}), ((1, 4, ESP, TUNNEL, 'null'), {}), ((2, 4, ESP, TRANSPORT, 'gcm'), {}),
    ((3, 6, ESP, TUNNEL, 'gcm'), {}), ((4, 6, ESP, TRANSPORT, 'null'), {}), ((5, 4, ESP, TUNNEL, 'null'), {'inner': 6}),
    ((6, 6, ESP, TUNNEL, 'null'), {'inner': 4}), ((7, 4, ESP, BEET, 'null'), {}), ((8, 4, ESP, BEET, 'gcm'), {'inner': 6}),
    ((9, 6, ESP, BEET, 'null'), {'inner': 4}), ((10, 4, ESP, TUNNEL, 'gcm'), {'encap': True}),
    ((11, 4, ESP, TRANSPORT, 'null'), {'encap': True}), ((12, 6, ESP, TUNNEL, 'null'), {'encap': True}),
    ((13, 4, ESP, TUNNEL, 'gcm'), {'esn': True}), ((14, 4, AH, TUNNEL, 'null'), {}), ((15, 4, AH, TRANSPORT, 'null'), {}),
    ((16, 6, AH, TRANSPORT, 'null'), {}), ((17, 6, AH, TUNNEL, 'null'), {'esn': True}),
    ((18, 4, ESP, TRANSPORT, 'null'), {'comp': TRANSPORT}), ((19, 4, ESP, TRANSPORT, 'gcm'), {'comp': TUNNEL}),
    ((20, 6, ESP, TRANSPORT, 'null'), {'comp': TRANSPORT}), ((21, 6, ESP, TRANSPORT, 'gcm'), {'comp': TUNNEL}))]


class Input:
    """What becomes one packet or its fragments, in values that JSON holds."""

    def __init__(self, sa=None, data=b'', nxt=0, **more):
        self.sa, self.data, self.nxt = sa, data.hex() if isinstance(data, bytes) else data, nxt
        self.pad = self.padlen = None   # padding and its length, when they are not right
        self.delta = 0                  # from the next number
        self.front = ''                 # options, or an extension header, of the outer header
        self.chain = []                 # further SAs around it
        self.wire = []                  # edits of what is protected
        self.cuts = []                  # offsets at which it is cut into fragments
        self.order = 0                  # of the fragments
        self.vnet = ''                  # what the device says of it
        self.device = 0
        self.bare = False               # without UDP where the SA has it
        self.again = 1
        self.__dict__.update(more)

    def packets(self):
        data = bytes.fromhex(self.data)
        nxt = self.nxt
        for i, number in enumerate(([] if self.sa is None else [self.sa]) + self.chain):
            sa = SAS[number]
            if i:
                head = 40 if data[:1] and data[0] >> 4 == 6 else 20
                nxt = 41 if head == 40 else 4
                if sa.mode == TRANSPORT and len(data) >= head:
                    data, nxt = data[head:], data[6 if head == 40 else 9]
            data = sa.protect(self, data[:65000], nxt)
        for one in self.wire:
            data = edit(data, *one)
        parts = self.fragments(data)
        if self.order:
            random.Random(self.order).shuffle(parts)
        return [part[:65535] for part in parts] * self.again

    def fragments(self, data):
        """Cut at the offsets, which lie, overlap or are out of order as they please."""
        v4 = data[:1] and data[0] >> 4 == 4
        head = 20 if v4 else 40
        if not self.cuts or len(data) < head + 8:
            return [data]
        body = data[head:]
        parts = []
        for start, end, more in self.cuts:
            start, end = start & ~7, min(end, len(body))
            part = body[start:end]
            if v4:
                parts.append(packet(data[12:16], data[16:20], data[9], part, number=self.order & 0xffff, fragment=start >> 3 | (0x2000 if more else 0)))
            else:
                frag = struct.pack('!BBHI', data[6], 0, start | more, self.order)
                parts.append(packet(data[8:24], data[24:40], 44, frag + part))
        return parts


def edit(data, how, where, value):
    """One change; where is a part of 65536 of the length."""
    value = bytes.fromhex(value)
    at = len(data) * where >> 16
    if how == 'set':
        return data[:at] + value[:len(data) - at] + data[at + len(value):]
    if how == 'xor':
        return data[:at] + bytes(a ^ b for a, b in zip(data[at:], value)) + data[at + len(value):]
    if how == 'insert':
        return data[:at] + value + data[at:]
    if how == 'cut':
        return data[:at]
    if how == 'length':
        # shorter or longer, and its header says so
        data = data[:at] + value
        if len(data) >= 20 and data[0] >> 4 == 4:
            head = data[:2] + struct.pack('!H', len(data)) + data[4:10] + bytes(2) + data[12:]
            size = min((data[0] & 15) * 4, len(data)) or 20
            return head[:10] + struct.pack('!H', checksum(head[:size])) + head[12:]
        if len(data) >= 40:
            return data[:4] + struct.pack('!H', len(data) - 40) + data[6:]
        return data
    return data[:at] + data[at + len(value):]


def extension(kind, size, rest=b''):
    return bytes([kind, size]) + rest + bytes(max(8 * size + 8 - 2 - len(rest), 0))


def payloads(src, dst, sa):
    """(octets, next header) from src to dst of all kinds that the module tells apart."""
    v6 = len(src) == 16
    tcp = upper(src, dst, 6, struct.pack('!HHIIBBHHH', 7001, 22, 1, 0, 0x60, 2, 1000, 0, 0) + bytes([2, 4, 5, 0xb4]), 16)
    mine = packet(dst, src, UDP, udp(dst, src, b'mine')[:8])
    esp = packet(sa.dst, sa.src, ESP, struct.pack('!IIQ', sa.spi, 1, 0))
    ends = (src, dst, 58, ) if v6 else (src, dst, 1)

    def icmp(kind, code, word, body):
        return upper(*ends, struct.pack('!BBHI', kind, code, 0, word) + body, 2), ends[2]
    good = udp(src, dst, b'x' * 20)
    yield good, UDP
    yield udp(src, dst, b'x' * 1300), UDP
    yield udp(src, dst, b'', 4500, 4500), UDP
    yield udp(src, dst, bytes(4) + b'IKE', 4500, 4500), UDP
    yield udp(src, dst, b'\xff', 4500, 4500), UDP
    yield udp(src, dst, struct.pack('!II', sa.spi, 7) + bytes(40), 4500, 4500), UDP
    yield tcp, 6
    yield struct.pack('!BBHII', 4, 1, 0, sa.spi, 1) + bytes(16), 51
    yield struct.pack('!II', sa.spi, 9) + bytes(30), ESP
    yield b'', 59
    yield b'junk' * 4, 59
    yield b'', UDP
    yield b'\0' * 8, 47
    for body in good, b'', b'\0' * 300, b'\0' * 70000, b'\0' * 1000000:
        yield struct.pack('!BBH', UDP, 0, sa.cpi) + deflated(body), COMP
    yield struct.pack('!BBH', COMP, 0, sa.cpi) + deflated(struct.pack('!BBH', UDP, 0, sa.cpi) + deflated(good)), COMP
    yield packet(src, dst, UDP, good), 41 if v6 else 4
    if v6:
        yield icmp(128, 0, 1, b'ping')
        yield icmp(2, 0, 1280, mine)
        yield icmp(2, 0, 1300, esp)
        yield icmp(1, 4, 0, mine)
        yield icmp(135, 0, 0, dst + bytes([1, 1]) + bytes(6))
        yield icmp(134, 0, 0, bytes(8))
        yield icmp(130, 0, 0, bytes(16))
        yield extension(UDP, 0, bytes([1, 4])) + good, 0
        yield extension(UDP, 0, bytes([1, 4])) + good, 60
        yield extension(60, 0, bytes([4, 0])) + extension(UDP, 0, bytes([1, 4])) + good, 43
        yield extension(UDP, 2, bytes([0, 1]) + bytes(4) + src) + good, 43
        yield extension(UDP, 2, bytes([4, 1]) + bytes(4) + src) + good, 43
        yield struct.pack('!BBHI', UDP, 0, 0, 5) + good, 44
        yield struct.pack('!BBHI', UDP, 0, 1, 6) + good[:16], 44
        yield struct.pack('!BBHI', UDP, 0, 16, 6) + good[16:], 44
    else:
        yield icmp(8, 0, 1, b'ping')
        yield icmp(3, 4, 576, mine)
        yield icmp(3, 4, 1300, esp)
        yield icmp(3, 3, 0, mine)
        yield icmp(5, 1, 0, mine)
        yield icmp(11, 1, 0, esp)


def seeds():
    """Right packets, and wrong ones that random changes would not hit upon."""
    for sa in SAS:
        for data, nxt in payloads(sa.isrc, sa.idst, sa):
            whole, proto = sa.carry(data, nxt)
            yield Input(sa.number, whole, proto)
            if sa.comp is not None:
                yield Input(sa.number, struct.pack('!BBH', proto, 0, sa.cpi) + deflated(whole), COMP)
        good = udp(sa.isrc, sa.idst, b'x' * 40)
        if sa.mode == TUNNEL:
            for more in ({'front': b'\1' * 8}, {'fragment': 0x2000, 'number': 9}, {'fragment': 3, 'number': 9}, {'ttl': 1}, {'tos': 3}):
                if sa.inner == 6:
                    more = {k: v for k, v in more.items() if k in ('ttl', 'tos')}
                yield Input(sa.number, packet(sa.isrc, sa.idst, UDP, good, **more), 4 if sa.inner == 4 else 41)
            # for others
            other = packed('10.9.77.7' if sa.inner == 4 else 'fd09:77::7')
            yield Input(sa.number, packet(sa.isrc, other, UDP, good), 4 if sa.inner == 4 else 41)
            yield Input(sa.number, packet(sa.isrc, other, UDP, good, ttl=1), 4 if sa.inner == 4 else 41)
        if sa.mode == BEET:
            for front in '11000000' + '01' * 4, '11010400' + '01' * 12, '11050400' + '01' * 44, '11ff0000':
                yield Input(sa.number, bytes.fromhex(front) + good, 94)
        whole, proto = sa.carry(good, UDP)
        yield Input(sa.number, whole, proto, chain=[(sa.number + 1) % len(SAS)])
        yield Input(sa.number, whole, proto, chain=[2, 15, 14])
        yield Input(sa.number, whole, proto, again=2)
        yield Input(sa.number, whole, proto, pad='00' * 255, padlen=255)
        yield Input(sa.number, whole, proto, cuts=[[0, 48, 1], [48, 9999, 0]], order=7)
        yield Input(sa.number, whole, proto, vnet='0000000000000000' + '0000')
        yield Input(sa.number, whole, proto, front='01010101' if sa.family == 4 else '0000010400000000')
        yield Input(sa.number, whole, proto, front='8907040a00000100' if sa.family == 4 else '3c00010400000000')
        # as it is, in clear
        yield Input(None, packet(sa.isrc, sa.idst, UDP, good))
        for data, nxt in payloads(sa.src, sa.dst, sa):
            yield Input(None, packet(sa.src, sa.dst, nxt, data[:65000]))


def through():
    """What others send to who is behind the tunnels: the way out."""
    for sa in SAS:
        if sa.mode != TUNNEL:
            continue
        other = packed('10.7.0.1' if sa.inner == 4 else 'fd07::1')
        for data, nxt in payloads(other, sa.isrc, sa):
            yield Input(None, packet(other, sa.isrc, nxt, data[:65000]))
        head = 20 if sa.inner == 4 else 40
        for fragment in ({'fragment': 0x2000, 'number': 9}, {'fragment': 3, 'number': 9}, {'fragment': 0x4000}, {'ttl': 1}, {'front': b'\1' * 8}):
            if sa.inner == 4:
                yield Input(None, packet(other, sa.isrc, UDP, udp(other, sa.isrc, b'x' * 40), **fragment))
        # segments to be cut, as a device hands them over
        for kind, proto, body, at in ((1 if sa.inner == 4 else 4, 6, struct.pack('!HHIIBBHHH', 7001, 22, 1, 1, 0x50, 16, 1000, 0, 0), 16),
                                      (5, UDP, struct.pack('!HHHH', 7000, PORT, 8 + 5000, 0), 6)):
            for size in 536, 1400:
                yield Input(None, packet(other, sa.isrc, proto, body + b'x' * 5000), vnet=struct.pack(
                    '=BBHHHH', 1, kind, head + len(body), size, head, at).hex())
        yield Input(None, packet(other, sa.isrc, UDP, udp(other, sa.isrc, b'x' * 3000)))


class Mutator:
    def __init__(self, pool):
        self.pool = pool
        self.ops = [(fn, weight) for fn, weight in (
            (self.data, 16), (self.next, 4), (self.padding, 4), (self.seq, 2), (self.front, 3), (self.chain, 2), (self.wire, 6),
            (self.cut, 3), (self.vnet, 4), (self.device, 2), (self.sa, 3), (self.splice, 3), (self.bare, 1), (self.again, 1))]

    def input(self, rng):
        self.rng = rng
        inp = copy.deepcopy(rng.choice(self.pool[-200:] if rng.random() < 0.3 else self.pool))
        for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3, 5))):
            fn, = rng.choices([fn for fn, _ in self.ops], [weight for _, weight in self.ops])
            fn(inp)
        return inp

    def edit(self, front):
        """Where headers are, more often than elsewhere."""
        rng = self.rng
        how = rng.choice(('set', 'set', 'set', 'xor', 'xor', 'insert', 'delete', 'cut', 'length'))
        where = rng.randrange(65536)
        if rng.random() < 0.7 and front:
            where = min(rng.randrange(64) * 65536 // front + 1, 65535)
        value = rng.choice((bytes([rng.choice(INTERESTING)]), rng.randbytes(rng.choice((1, 2, 4))), bytes([1 << rng.randrange(8)]),
                            struct.pack('!H', rng.choice((0, 1, 7, 20, 40, 68, 576, 1280, 1500, 0x2000, 0x4000, 0x7fff, 0x8000, 0xfff8, 0xffff))),
                            bytes(rng.choice((8, 40, 300))), bytes([rng.choice((0, 4, 6, 17, 41, 43, 44, 50, 51, 58, 59, 60, 94, 108, 135))])))
        return [how, where, value.hex()]

    def data(self, inp):
        data = bytes.fromhex(inp.data)
        inp.data = edit(data, *self.edit(len(data)))[:66000].hex()

    def next(self, inp):
        inp.nxt = self.rng.choice((0, 1, 4, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60, 94, 108, 132, 135, 137, 255, self.rng.randrange(256)))

    def padding(self, inp):
        rng = self.rng
        inp.padlen = rng.choice((None, rng.randrange(256), 0, 255, len(inp.data) // 2 & 255))
        inp.pad = rng.choice((None, bytes(range(1, 1 + rng.choice((0, 1, 2, 3, 4, 7, 250, 255)))).hex(), rng.randbytes(rng.randrange(20)).hex()))

    def seq(self, inp):
        inp.delta = self.rng.choice((0, -1, -2, -63, -64, -65, -5000, 1, 2, 30, 63, 64, 65, 1000))

    def front(self, inp):
        rng = self.rng
        inp.front = rng.choice((b'', bytes([rng.choice((0, 43, 60, 44, 51, 135)), rng.choice((0, 0, 0, 1, 2, 255)), rng.randrange(8), rng.randrange(9)]) +
                                rng.randbytes(4), extension(60, 1, b'\1\4'), b'\x89\7\4' + packed('10.0.0.1') + b'\0', b'\x44\x08\5\0' + bytes(4),
                                rng.randbytes(rng.choice((1, 4, 8, 24, 40))))).hex()

    def chain(self, inp):
        inp.chain = [self.rng.randrange(len(SAS)) for _ in range(self.rng.choice((0, 1, 1, 2, 3, 9)))]

    def wire(self, inp):
        inp.wire = inp.wire[-3:] + [self.edit(len(inp.data) // 2 + 60)]

    def cut(self, inp):
        rng = self.rng
        points = sorted(rng.choice((0, 8, 16, 24, 40, 48, 1000, rng.randrange(1, 2000))) for _ in range(rng.randint(0, 4)))
        ends = points[1:] + [99999]
        inp.cuts = [[start, end + rng.choice((0, 0, 0, 8, 3)), int(end < 99999 or rng.random() < 0.1)] for start, end in zip(points, ends)]
        inp.order = rng.randrange(1, 1 << 16)

    def vnet(self, inp):
        """flags, GSO type, header length, GSO size, start and offset of a checksum"""
        rng = self.rng
        inp.vnet = rng.choice(('', struct.pack('=BBHHHH', rng.choice((0, 1, 1, 2)), rng.choice((0, 1, 4, 5, 0x81, 3)),
                                               rng.choice((0, 28, 42, 54, rng.randrange(200))), rng.choice((0, 1, 100, 536, 1400)),
                                               rng.choice((0, 20, 40, 20, 40, rng.randrange(100))), rng.choice((0, 6, 6, 16, rng.randrange(64)))).hex()))

    def device(self, inp):
        inp.device = self.rng.randrange(len(DEVICES))

    def sa(self, inp):
        inp.sa = self.rng.choice([None] + [sa.number for sa in SAS])

    def splice(self, inp):
        other = self.rng.choice(self.pool)
        inp.data, inp.nxt = self.rng.choice(((other.data, other.nxt), (inp.data[:80] + other.data[80:], inp.nxt),
                                             (inp.data[:40] + other.data, inp.nxt), (other.data[:8] + inp.data, other.nxt)))

    def bare(self, inp):
        inp.bare = not inp.bare

    def again(self, inp):
        inp.again = self.rng.choice((1, 1, 2, 3))


class Target:
    """This host: its devices, its SAs, and what it says about itself."""

    def __init__(self):
        self.tuns = []
        for name, flags in DEVICES:
            fd = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack('16sH22x', name.encode(), IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | flags))
            self.tuns.append(fd)
        for line in ('addr add 10.9.0.1 dev lo', 'addr add fd09::1 dev lo nodad', 'link set tun0 up', 'link set tun1 up',
                     'addr add 10.0.0.1/24 dev tun0', 'addr add fd00::1/64 dev tun0 nodad', 'route add 10.9.0.0/16 dev tun0',
                     'route add fd09::/16 dev tun0'):
            subprocess.run(['ip', *line.split()], check=True)
        self.nl = nl.Socket()
        for sa in SAS:
            for back in (False, True):
                self.nl.call('sa-new', sa.attrs(back))
                if sa.comp is not None:
                    ends = {'src': sa.dst, 'dst': sa.src} if back else {'src': sa.src, 'dst': sa.dst}
                    self.nl.call('sa-new', dict(ends, proto=COMP, spi=sa.cpi, mode=sa.comp, comp={'name': 'deflate'}))
            for direction in 1, 2, 3:
                self.nl.call('policy-new', sa.policy(direction))
        self.sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.sock.bind(('::', PORT))
        self.sock.setblocking(False)
        self.cover = None
        if os.path.exists(COVER + 'edges'):
            self.cover = os.open(COVER + 'edges', os.O_RDONLY)
        self.sent = self.refused = 0

    def send(self, inp):
        vnet = bytes.fromhex(inp.vnet)[:10].ljust(10, b'\0')
        for pkt in inp.packets():
            try:
                os.write(self.tuns[inp.device], vnet + pkt)
                self.sent += 1
            except OSError:
                # a length that the device refuses
                self.refused += 1

    def edges(self):
        return int(os.pread(self.cover, 32, 0)) if self.cover is not None else 0

    def drain(self):
        """What was sent here, and how much was sent from here."""
        got, left = set(), 0
        for fd in self.tuns:
            try:
                while os.read(fd, 70000):
                    left += 1
            except BlockingIOError:
                pass
        try:
            while True:
                got.add(self.sock.recv(1 << 16))
        except BlockingIOError:
            return got, left

    def stats(self):
        out = collections.Counter()
        data = self.nl.call('stats-get')[0]
        for _, number, payload in nl.walk(data):
            spec = nl.SETS['stats'][number - 1]
            if spec['name'] == 'drop':
                parts = {n: p for _, n, p in nl.walk(payload)}
                name = parts[nl.NUMBERS['drop']['name']].rstrip(b'\0').decode()
                out[name], = struct.unpack('=Q', parts[nl.NUMBERS['drop']['packets']])
            elif spec['type'] in ('u32', 'u64'):
                out['=' + spec['name']] = int.from_bytes(payload, sys.byteorder)
        return out

    def balanced(self, stats):
        """The same sums as in account.sh."""
        apart = {'in-cleartext', 'in-discard', 'in-malformed', 'out-discard', 'out-malformed', 'out-conntrack'}

        def drops(prefix):
            return sum(n for name, n in stats.items() if name.startswith(prefix) and name not in apart)
        return (stats['=in-packets'] == stats['=in-delivered'] + stats['=in-fragments'] + stats['unknown-spi'] + drops('in-') and
                stats['=out-packets'] == stats['=out-sent'] + stats['=held'] + drops('out-'))

    def settled(self):
        """Counters when what the kernel sends by itself, on another CPU, has left as well."""
        end = time.monotonic() + 10
        while not self.balanced(stats := self.stats()) and time.monotonic() < end:
            time.sleep(0.05)
        return stats

    def alive(self, mark):
        """SAs through which no right packet comes."""
        self.drain()
        want = {}
        for sa in SAS:
            want[f'{mark} {sa.name}'.encode()] = sa.name
            data, nxt = sa.carry(udp(sa.isrc, sa.idst, f'{mark} {sa.name}'.encode()), UDP)
            if sa.comp is not None:
                data, nxt = struct.pack('!BBH', nxt, 0, sa.cpi) + deflated(data), COMP
            self.send(Input(sa.number, data, nxt))
        end = time.monotonic() + 10
        while want and time.monotonic() < end:
            select.select([self.sock], [], [], 0.05)
            for text in self.drain()[0]:
                want.pop(text, None)
        return sorted(want.values())


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument('--seed', default='1')
    ask.add_argument('--time', type=float, default=0)
    ask.add_argument('--count', type=int, default=0)
    ask.add_argument('--results', default='/run/results')
    args = ask.parse_args()
    random.seed(args.seed)
    target = Target()
    pool = [*seeds(), *through()]
    kept = pathlib.Path(__file__).parent / 'packets.corpus'
    pool += [Input(**json.loads(line)) for line in kept.read_text().splitlines() if line.startswith('{')]
    mutator = Mutator(pool)
    began = told = time.monotonic()
    n, found, left = 0, 0, 0
    dead = target.alive('first')
    if dead:
        sys.exit(f'through SAs {dead} no right packet came: {+target.stats()}')
    todo = list(pool)
    while todo or ((not args.count or n < args.count) and (not args.time or time.monotonic() - began < args.time)):
        batch = todo[:BATCH]
        del todo[:BATCH]
        while len(batch) < BATCH:
            batch.append(mutator.input(random.Random(f'{args.seed}/{n + len(batch)}')))
        with open(f'{args.results}/batch', 'w', encoding='ascii') as file:
            file.writelines(json.dumps(vars(inp)) + '\n' for inp in batch)
        for inp in batch:
            before = target.edges()
            target.send(inp)
            if target.edges() > before and len(pool) < KEPT:
                found += 1
                pool.append(inp)
        n += len(batch)
        left += target.drain()[1]
        dead = target.alive(f'after {n}')
        stats = target.settled()
        if dead or not target.balanced(stats):
            again = target.alive(f'again {n}')
            print('again:', again, target.stats() - stats)
            print(f'seed {args.seed}, one of the {BATCH} inputs before {n} (file "batch"):',
                  f'SAs {dead} are dead' if dead else 'packets are not accounted for', +stats)
            sys.exit(1)
        if time.monotonic() - told > 20:
            told = time.monotonic()
            print(f'{told - began:.0f} s: {n} inputs, {found} kept', flush=True)
    print(f'seed {args.seed}: {n} inputs in {time.monotonic() - began:.0f} s: {target.sent} packets came, {target.refused} the device refused,',
          f'{left} left;', ', '.join(f'{count} {what}' for what, count in stats.most_common()))
    if target.cover is not None:
        with open(COVER + 'places', encoding='ascii') as file:
            print(f'places: {file.read().strip()}, edges: {target.edges()}; {found} inputs reached something new')


if __name__ == '__main__':
    main()
