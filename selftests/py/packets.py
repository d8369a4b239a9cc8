#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Packets for Postern to protect, and what scapy finds in the protected ones.

usage: packets.py make FILE SRC DST     make packets, as lines of hexadecimal digits
       packets.py fronts FILE SRC DST   the same, with options and extension headers
       packets.py send FILE [SKIP]      send them as they are, but those that have a name
                                        in SKIP: options, fragments
       packets.py open PCAP MANIFEST    undo the protection and compare

A line of FILE is a name and a packet.  A line of MANIFEST is

    NAME proto=esp|ah spi=N mode=tunnel|transport src=ADDR dst=ADDR
         [alg=gcm|ccm|chacha|cbc|ctr|3des|null key=HEX] [auth=HEX [authalg=NAME OF SCAPY]]
         [icv=OCTETS] sent=FILE [skip=NAMES]

For each NAME "open" prints NAME and "ok" or what is wrong.  Lines of one NAME are SAs
that each packet went through, the outermost first; the first packets of that one are
those of FILE.
"""
import ipaddress
import itertools
import os
import socket
import struct
import sys

import headers

IP_NODEFRAG = 22
CRYPT = {"gcm": "AES-GCM", "ccm": "AES-CCM", "chacha": "CHACHA20-POLY1305", "cbc": "AES-CBC",
         "ctr": "AES-CTR", "3des": "3DES", "null": None}
BLOCK = {"cbc": 16, "3des": 8}  # else 4


def make(path, src, dst):
    from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP
    from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt, PadN
    from scapy.packet import Raw

    def add(name, pkt):
        out.write(f"{name} {bytes(pkt).hex()}\n")

    def octets(n):
        return Raw(bytes((i * 7 + n) % 256 for i in range(n)))

    udp, other = UDP(sport=7000, dport=7777), UDP(sport=7001, dport=7777)
    with open(path, "w", encoding="ascii") as out:
        if ipaddress.ip_address(src).version == 4:
            head = IP(src=src, dst=dst, ttl=63)
            for n in [*range(40), 100, 512, 1200]:
                add("udp", head.copy() / udp / octets(n))
            for tos in (0x01, 0x02, 0x03, 0xb8, 0xff):
                add("tos", IP(src=src, dst=dst, id=tos, tos=tos) / other / octets(5))
            add("df", IP(src=src, dst=dst, id=7, flags="DF") / other / octets(5))
            add("icmp", IP(src=src, dst=dst, id=8) / ICMP() / octets(30))
            add("tcp", IP(src=src, dst=dst, id=9) / TCP(sport=7000, dport=7777, options=[("MSS", 1400)]))
            add("unknown", IP(src=src, dst=dst, id=10, proto=253) / octets(21))
            add("options", IP(src=src, dst=dst, id=11, options=[IPOption_NOP()] * 8) / other / octets(9))
            add("fragments", IP(src=src, dst=dst, id=12, flags="MF") / other / octets(56))
            add("fragments", IP(src=src, dst=dst, id=12, proto=17, frag=8) / octets(33))
        else:
            head = IPv6(src=src, dst=dst, hlim=63)
            for n in [*range(40), 100, 512, 1200]:
                add("udp", head.copy() / udp / octets(n))
            for tc in (0x01, 0x02, 0x03, 0xb8, 0xff):
                add("tos", IPv6(src=src, dst=dst, tc=tc, fl=0x12345) / other / octets(5))
            add("icmp", IPv6(src=src, dst=dst) / ICMPv6EchoRequest(data=bytes(30)))
            add("tcp", IPv6(src=src, dst=dst) / TCP(sport=7000, dport=7777, options=[("MSS", 1400)]))
            add("unknown", IPv6(src=src, dst=dst, nh=253) / octets(21))
            add("options", IPv6(src=src, dst=dst) / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))]) / other / octets(9))


# Several headers, and routes, whose beginning is not their end.
FRONTS_V4 = ["nop+record+stamp", "alert+stream+nop+security", "route-131-1", "route-137-1", "nop+route-131-1+record"]
FRONTS_V6 = ["hbh-mutable+dst-mutable", "dst-mutable+route-0-0-1", "hbh+dst-fixed+route-0-0-2+dst-mutable",
             "hbh-several+route-253-0-3", "route-0-1-1", "route-0-1-3", "hbh-mutable+dst+route-0-2-2+dst", "route-2-1-1"]


def fronts(path, src, dst):
    from scapy.layers.inet import IP, UDP
    from scapy.layers.inet6 import IPv6
    from scapy.packet import Raw

    v4 = ipaddress.ip_address(src).version == 4
    names = [name for name in [*headers.V4, *headers.V6] if (name in headers.V4) == v4]
    with open(path, "w", encoding="ascii") as out:
        for i, name in enumerate(names + (FRONTS_V4 if v4 else FRONTS_V6)):
            head = IP(src=src, dst=dst, id=i + 1, proto=17) if v4 else IPv6(src=src, dst=dst, nh=17)
            # the checksum is over the end of a route
            udp = bytes(type(head)(bytes(head / UDP(sport=7000, dport=7777) / Raw(name.encode()))).payload)
            out.write(f"{name} {bytes(headers.stack(head, name, 17) / Raw(udp)).hex()}\n")


def lines(path, skip):
    with open(path, encoding="ascii") as names:
        for name, pkt in map(str.split, names):
            if name not in skip.split(","):
                yield bytes.fromhex(pkt)


def send(path, skip=""):
    out = {
        4: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
        6: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW),
    }
    out[4].setsockopt(socket.IPPROTO_IP, IP_NODEFRAG, 1)
    # one queue of the cable, in order
    os.sched_setaffinity(0, {0})
    for pkt in lines(path, skip):
        version = pkt[0] >> 4
        dst = socket.inet_ntop(socket.AF_INET, pkt[16:20]) if version == 4 else \
            socket.inet_ntop(socket.AF_INET6, pkt[24:40])
        out[version].sendto(pkt, (dst, 0))


class Wrong(Exception):
    pass


def want(what, wanted, got):
    if wanted != got:
        raise Wrong(f"{what}: wanted {wanted}, got {got}")


class Opener:
    """The receiving end of an SA, in scapy."""

    def __init__(self, words):
        from scapy.layers.inet import IP
        from scapy.layers.inet6 import IPv6
        from scapy.layers.ipsec import AH, ESP, SecurityAssociation

        self.cls = ESP if words["proto"] == "esp" else AH
        self.spi = int(words["spi"], 0)
        self.src, self.dst = words["src"], words["dst"]
        self.tunnel = words["mode"] == "tunnel"
        self.alg = words.get("alg") or "null"
        ip = IP if ipaddress.ip_address(self.src).version == 4 else IPv6
        auth = bytes.fromhex(words.get("auth", "").removeprefix("0x"))
        self.icv = int(words.get("icv", 16))
        self.sa = SecurityAssociation(self.cls, spi=self.spi, crypt_algo=CRYPT[self.alg],
                                      crypt_key=bytes.fromhex(words.get("key", "").removeprefix("0x")),
                                      crypt_icv_size=self.icv if self.alg == "ccm" else None,
                                      auth_algo=words.get("authalg", "SHA2-256-128") if auth else None,
                                      auth_key=auth,
                                      tunnel_header=ip(src=self.src, dst=self.dst) if self.tunnel else None)
        self.ivs = set()

    def trailer(self, esp):
        """The padding is 1, 2, 3 ... and no longer than it must be (RFC 4303 section 2.4)."""
        data = bytes(esp.data)
        iv, data = data[:self.sa.crypt_algo.iv_size], data[self.sa.crypt_algo.iv_size:]
        if iv in self.ivs:
            raise Wrong(f"IV {iv.hex()} came twice")
        if iv:
            self.ivs.add(iv)
        crypt = self.sa.crypt_algo
        if crypt.is_aead:
            cipher = crypt.cipher(self.sa.crypt_key, *([self.icv] if self.alg == "ccm" else []))
            data = cipher.decrypt(crypt._format_mode_iv(sa=self.sa, iv=iv), data,
                                  struct.pack("!LL", esp.spi, esp.seq))
        else:
            data = data[:-self.icv]
            if crypt.cipher:
                data = crypt.new_cipher(self.sa.crypt_key, crypt._format_mode_iv(sa=self.sa, iv=iv)) \
                    .decryptor().update(data)
        padlen = data[-2]
        want("padding", bytes(range(1, padlen + 1)).hex(), data[len(data) - 2 - padlen:-2].hex())
        if padlen >= BLOCK.get(self.alg, 4):
            raise Wrong(f"{padlen} octets of padding")
        if len(data) % 4:
            raise Wrong(f"{len(data)} octets of plaintext")

    def outer(self, outer, inner):
        """What of the inner header the outer one has (RFC 4301 section 5.1.2, RFC 6040)."""
        v4, tos = inner[0] >> 4 == 4, inner[1]
        if not v4:
            tos = (inner[0] << 4 | inner[1] >> 4) & 0xff
        df = not v4 or bool(inner[6] & 0x40)
        if self.tunnel:
            want("hop limit", 64, outer.ttl if outer.version == 4 else outer.hlim)
        want("traffic class", tos, outer.tos if outer.version == 4 else outer.tc)
        if outer.version == 4 and self.tunnel:
            want("DF", df, outer.flags.DF)
            want("identification is there", not df, outer.id != 0)

    def placement(self, outer, inner):
        """What stands in front of ESP or AH in transport mode is what should."""
        if outer[0] >> 4 == 4:
            want("options", inner[20:(inner[0] & 15) * 4].hex(), outer[20:(outer[0] & 15) * 4].hex())
            return
        *ours, (proto, end) = headers.chain(outer)
        want("protocol", 50 if self.cls.__name__ == "ESP" else 51, proto)
        want("octets in front", headers.front(inner), end)
        want("headers in front", list(headers.chain(inner))[:len(ours)], ours)
        want("octets of them", headers.bare(inner, end)[1].hex(), headers.bare(outer, end)[1].hex())

    def unwrap(self, captured, count):
        """What is in the first packets of this SA."""
        mine = [pkt for pkt in captured if pkt.haslayer(self.cls) and pkt[self.cls].spi == self.spi][:count]
        want("numbers", list(range(1, count + 1)), [pkt[self.cls].seq for pkt in mine])
        want("addresses", {(self.src, self.dst)}, {(pkt.src, pkt.dst) for pkt in mine})
        return [self.sa.decrypt(pkt.copy()) for pkt in mine]

    def check(self, captured, sent):
        mine = [pkt for pkt in captured if pkt.haslayer(self.cls) and pkt[self.cls].spi == self.spi]
        want("packets", len(sent), len(mine))
        for number, (outer, inner) in enumerate(zip(mine, sent), 1):
            if not self.tunnel:
                self.placement(bytes(outer), inner)
                kind, outer, inner = type(outer), headers.arrive(bytes(outer)), headers.arrive(inner)
                if self.cls.__name__ == "ESP" and inner[0] >> 4 == 6:
                    # scapy takes what is in ESP for what is behind the IPv6 header
                    end = headers.front(inner)
                    outer, inner = headers.bare(outer, end)[0], headers.bare(inner, end)[0]
                outer = kind(outer)
            want("source", self.src, outer.src)
            want("destination", self.dst, outer.dst)
            want("number", number, outer[self.cls].seq)
            self.outer(outer, inner)
            if self.cls.__name__ == "ESP":
                self.trailer(outer[self.cls])
            opened = self.sa.decrypt(outer.copy())
            want(f"packet {number}", inner.hex(), bytes(opened).hex())


def open_all(pcap, manifest):
    from scapy.layers.inet import IP
    from scapy.layers.inet6 import IPv6
    from scapy.layers import ipsec  # before packets are read, so that it knows them
    from scapy.layers.l2 import Ether
    from scapy.utils import rdpcap

    assert ipsec
    captured = [pkt[IP if pkt[Ether].type == 0x0800 else IPv6] for pkt in rdpcap(pcap)]
    with open(manifest, encoding="ascii") as names:
        for name, group in itertools.groupby(map(str.split, names), lambda words: words[0]):
            *around, words = (dict(word.split("=", 1) for word in line[1:]) for line in group)
            try:
                sent, packets = list(lines(words["sent"], words.get("skip", ""))), captured
                for outer in around:
                    packets = Opener(outer).unwrap(packets, len(sent))
                Opener(words).check(packets, sent)
                print(name, "ok", flush=True)
            except Exception as why:  # scapy raises all kinds
                print(name, type(why).__name__, str(why)[:300], flush=True)


if __name__ == "__main__":
    {"make": make, "fronts": fronts, "send": send, "open": open_all}[sys.argv[1]](*sys.argv[2:])
