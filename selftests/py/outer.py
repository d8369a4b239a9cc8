#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Headers around packets: what RFC 4301 section 5.1.2 and RFC 6040 say of them.

usage: outer.py send MANIFEST FROM      send packets through the SAs of MANIFEST
       outer.py sent MANIFEST FROM PCAP compare the outer headers with what they must be
       outer.py received PCAP NAME...   compare traffic classes of inner packets

A line of MANIFEST is an SA of its own, of which the inner addresses tell:

    NAME FROM SPI SRC DST OUTER [WORD...]

FROM is who sends, b with XFRM, SRC and DST are inner addresses, OUTER is 4 or 6, and the words are
those of "postern state"; forwarded: the packets pass a router first.  For each line that
FROM sends "sent" prints NAME and "ok" or what is wrong.

What "received" reads are datagrams with the text "NAME INNER OUTER", traffic classes
before the receipt; a NAME with a + at its end takes DSCP from the outer one.
"""
import ipaddress
import socket
import struct
import sys

NOT_ECT, ECT_1, ECT_0, CE = range(4)
TOS = [dscp | ecn for dscp in (0, 0xb8) for ecn in range(4)]
TTL, LABEL, PORT = 33, 0x12345, 7777


def egress(inner, outer):
    """RFC 6040 figure 4, None for a drop."""
    if inner == NOT_ECT:
        return None if outer == CE else NOT_ECT
    severity = [NOT_ECT, ECT_0, ECT_1, CE]
    return max(inner, outer, key=severity.index)


class Line:
    def __init__(self, line):
        self.name, self.sender, spi, self.src, self.dst, outer, *self.words = line.split()
        self.spi, self.outer = int(spi, 0), int(outer)
        self.version = ipaddress.ip_address(self.src).version

    def value(self, word):
        return self.words[self.words.index(word) + 1] if word in self.words else None

    def packets(self):
        """Traffic class, DF, and the packet."""
        src, dst = ipaddress.ip_address(self.src).packed, ipaddress.ip_address(self.dst).packed
        udp = struct.pack("!HHHH", PORT, PORT, 12, 0) + bytes(4)
        for tos in TOS:
            if self.version == 4:
                for df in (0, 1):
                    yield tos, df, struct.pack("!BBHHHBBH", 0x45, tos, 32, 1, df << 14, TTL, 17, 0) + src + dst + udp
            else:
                head = struct.pack("!IHBB", 6 << 28 | tos << 20 | LABEL, 12, 17, TTL)
                yield tos, 1, head + src + dst + udp

    def header(self, tos, df):
        """What the outer header must say."""
        ds, ecn = tos & 0xfc, tos & 3
        if "dont-encap-dscp" in self.words:
            ds = 0
        ds = int(self.value("tos") or str(ds), 0)
        if "noecn" in self.words:
            ecn = NOT_ECT
        elif self.sender == "b" and ecn == CE:
            ecn = ECT_0  # XFRM follows RFC 3168 section 9.1.1
        want = {"traffic class": ds | ecn, "hop limit": 64}
        ttl = self.value("ttl")
        if ttl == "inherit":
            want["hop limit"] = TTL - ("forwarded" in self.words)
        elif ttl:
            want["hop limit"] = int(ttl)
        if self.outer == 4:
            if "nopmtudisc" in self.words:
                df = 0
            want["DF"] = df or "set-df" in self.words
        else:
            want["flow label"] = LABEL if self.version == 6 and "forwarded" not in self.words else 0
            if self.value("flowlabel"):
                want["flow label"] = int(self.value("flowlabel"), 0)
        return want


def packets(path):
    """IP packets of a capture of Ethernet."""
    with open(path, "rb") as pcap:
        data = pcap.read()
    assert struct.unpack_from("=I", data)[0] == 0xa1b2c3d4 and struct.unpack_from("=I", data, 20)[0] == 1
    at = 24
    while at < len(data):
        length = struct.unpack_from("=I", data, at + 8)[0]
        yield data[at + 16 + 14:at + 16 + length]
        at += 16 + length


def parse(pkt):
    """What is compared of a header, and what is behind it."""
    if pkt[0] >> 4 == 4:
        frag, = struct.unpack_from("!H", pkt, 6)
        ident, = struct.unpack_from("!H", pkt, 4)
        return {"traffic class": pkt[1], "hop limit": pkt[8], "DF": frag >> 14 & 1, "ID": ident}, pkt[9], pkt[20:]
    first, = struct.unpack_from("!I", pkt)
    return {"traffic class": first >> 20 & 0xff, "hop limit": pkt[7], "flow label": first & 0xfffff}, pkt[6], pkt[40:]


def manifest(path, sender):
    with open(path, encoding="ascii") as lines:
        return [line for line in map(Line, lines) if line.sender == sender]


def send(path, sender):
    for line in manifest(path, sender):
        family = socket.AF_INET if line.version == 4 else socket.AF_INET6
        with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as out:
            out.bind((line.src, 0))  # XFRM looks at this address, not at the packet's
            for *_, pkt in line.packets():
                out.sendto(pkt, (line.dst, 0))


def compare(line, got):
    want = [line.header(tos, df) for tos, df, _ in line.packets()]
    if len(want) != len(got):
        return f"{len(got)} packets, not {len(want)}"
    for number, (a, b) in enumerate(zip(want, got)):
        wrong = [f"{what} {b[what]:#x}, not {a[what]:#x}" for what in a if a[what] != b[what]]
        if b.get("DF") == 0 and b["ID"] == 0:
            wrong.append("no identification")
        if wrong:
            return f"packet {number}: " + ", ".join(wrong)
    return "ok"


def sent(path, sender, pcap):
    got = {}
    for pkt in packets(pcap):
        head, proto, rest = parse(pkt)
        spi, = struct.unpack_from("!I", rest, 0 if proto == 50 else 4)
        got.setdefault(spi, []).append(head)
    for line in manifest(path, sender):
        print(line.name, compare(line, got.get(line.spi, [])))


def received(pcap, *names):
    got = {}
    for pkt in packets(pcap):
        head, proto, rest = parse(pkt)
        if proto == 17:
            name, inner, outer = rest[8:].split()
            got[name.decode(), int(inner), int(outer)] = head["traffic class"]
    for name in names:
        wrong = []
        for inner in range(0xb8, 0xbc):
            for outer in range(0x48, 0x4c):
                want = egress(inner & 3, outer & 3)
                if want is not None:
                    want |= (outer if name.endswith("+") else inner) & 0xfc
                if want != got.get((name, inner, outer)):
                    wrong.append(f"{inner:#x} in {outer:#x}: {got.get((name, inner, outer))}, not {want}")
        print(name, ", ".join(wrong) or "ok")


if __name__ == "__main__":
    {"send": send, "sent": sent, "received": received}[sys.argv[1]](*sys.argv[2:])
