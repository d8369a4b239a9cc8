#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Makes ESP and AH packets with scapy, right ones and wrong ones, and sends them.

usage: forge.py DEVICE MAC

Reads orders, one a line, and answers each with the number of packets that it sent:

  sa NAME proto=esp|ah spi=N mode=tunnel|transport|beet src=ADDR dst=ADDR
     [isrc=ADDR idst=ADDR] [alg=gcm|cbc|null key=HEX] [auth=HEX] [esn=1]
  send NAME [WORD=VALUE...]

The inner packet is UDP to port 7777 with the line text=TEXT.  Of an SA, numbers go up
from 1.

  seq=N      this number; later packets go on behind the highest one
  hi=N       with ESN, that high half in place of the number's own
  bare=1     the inner packet as it is, without protection; with whole=1, IP in IP
  badkey=1   with another key
  spi=N      with another SPI
  again=N    the same packet N times
  count=N    N packets that differ in their numbers
  inner=HEX  these octets in place of the inner packet
  pseudo=HEX these octets in front of it, with the next header of the pseudo header of
             mode beet
  whole=1    the inner packet whole, also in transport mode
  zeros=N    N zero octets in place of the inner packet
  comp=CPI   it is compressed, behind a header of IPComp
  edit=OFFSET:HEX[,...]   octets of the inner packet replaced, checksums left alone
  innercut=N the first N octets of the inner packet; all: one packet for each length
  tfc=N      N octets behind the inner packet
  next=N     next header
  pad=N      at least N octets of padding, up to 255
  padlen=N   what the pad length says
  padbytes=HEX            these octets of padding
  front=NAME[+NAME...]    extension headers or IPv4 options of py/headers.py before ESP or
             AH; at the end of a route, with the ICV of its beginning
  stay=1     a route has not come to its end
  wire=OFFSET:HEX[,...]   octets of the protected packet replaced
  trunc=N    the first N octets of the protected packet
  isrc=ADDR, idst=ADDR    other inner addresses
  in=NAME[,NAME...]       the protected packet is protected again by these SAs in turn
  from=ADDR  another source address of the outer packet
  udp=SPORT:DPORT         ESP in UDP with these ports
  ulen=N     the length of the datagram is off by N
  behind=N   N octets behind the datagram
  batch=ike|esp           all datagrams in one packet (UDP_SEGMENT), before or behind each
             an IKE message as long
  fragment=1|2            that fragment of the inner packet, which is cut behind 24 octets
  id=N       identification of the inner packet
  tos=N, itos=N           traffic class of the outer and of the inner packet
  ecn=all    one packet for each pair of ECN fields, both with a DSCP; their text is
             TEXT, the inner and the outer traffic class
  flip=all   one packet for each bit of ESP or AH and what follows, that bit inverted
  flip=OFFSET[-OFFSET]    one for each bit of these octets of the packet
  cut=all    one for each length, ESP or AH and what follows shortened
"""
import ipaddress
import os
import shlex
import socket
import struct
import sys
import zlib

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.layers.ipsec import AH, ESP, SecurityAssociation, _ESPPlain, zero_mutable_fields
from scapy.packet import Raw

import headers

PORT = 7777
UDP_SEGMENT = 103
CRYPT = {"gcm": "AES-GCM", "cbc": "AES-CBC", "null": None}
ALIGN = {"gcm": 4, "cbc": 16, "null": 4}


def version(address):
    return ipaddress.ip_address(address).version


def header(src, dst, proto, tos=0):
    tos = int(tos)
    if version(src) == 4:
        return IP(src=src, dst=dst, proto=proto, id=0x1234, ttl=64, tos=tos)
    return IPv6(src=src, dst=dst, nh=proto, hlim=64, tc=tos)


def fragment(head, data, words):
    first = words["fragment"] == "1"
    data = Raw(data[:24] if first else data[24:])
    number = int(words.get("id", 0x1234))
    if head.version == 4:
        head.id, head.flags, head.frag = number, "MF" if first else 0, 0 if first else 3
        return head / data
    head.nh = 44
    return head / IPv6ExtHdrFragment(nh=17, m=int(first), offset=0 if first else 3, id=number) / data


def replace(data, edits):
    for edit in filter(None, edits.split(",")):
        offset, octets = edit.split(":")
        octets = bytes.fromhex(octets)
        data[int(offset):int(offset) + len(octets)] = octets


class Association:
    """One SA: what scapy knows of it, and its next number."""

    def __init__(self, words):
        self.esp = words["proto"] == "esp"
        self.spi = int(words["spi"], 0)
        self.src, self.dst = words["src"], words["dst"]
        self.tunnel = words["mode"] == "tunnel"
        self.isrc = words.get("isrc", self.src)
        self.idst = words.get("idst", self.dst)
        self.alg = words.get("alg", "null")
        self.key = bytes.fromhex(words.get("key", "").removeprefix("0x"))
        self.auth = bytes.fromhex(words.get("auth", "").removeprefix("0x"))
        self.esn = "esn" in words
        self.seq = 0

    def scapy(self, bad=False):
        key, auth = self.key, self.auth
        if bad:
            key, auth = os.urandom(len(key)), os.urandom(len(auth))
        return SecurityAssociation(ESP if self.esp else AH, spi=self.spi,
                                   crypt_algo=CRYPT[self.alg], crypt_key=key,
                                   auth_algo="SHA2-256-128" if auth else None, auth_key=auth)

    def sign(self, sa, pkt, high):
        """An ESP packet with its ICV, from which scapy leaves the high half out."""
        if not self.esn or not sa.auth_key:
            return sa.auth_algo.sign(pkt, sa.auth_key)
        mac = sa.auth_algo.new_mac(sa.auth_key)
        mac.update(bytes(pkt) + struct.pack("!I", high))
        pkt.data += mac.finalize()[:sa.auth_algo.icv_size]
        return pkt

    def inner(self, words):
        """The inner packet: octets, next header of it in tunnel mode, the same of what is in it."""
        src, dst = words.get("isrc", self.isrc), words.get("idst", self.idst)
        pkt = header(src, dst, 17, words.get("itos", 0)) / UDP(sport=7000, dport=PORT) / Raw((words.get("text", "") + "\n").encode())
        upper = bytes(type(pkt)(bytes(pkt)).payload)
        if "fragment" in words:
            pkt = fragment(header(src, dst, 17), upper, words)
        return bytes(pkt), 4 if version(src) == 4 else 41, upper

    def plain(self, words):
        """What is protected, and its next header."""
        whole, nxt, upper = self.inner(words)
        tunnel = self.tunnel or "whole" in words
        data = bytearray(whole if tunnel else upper)
        nxt = nxt if tunnel else 17
        if "wrap" in words:
            return self.wrapped(words["wrap"])
        if "inner" in words:
            data = bytearray.fromhex(words["inner"])
        if "zeros" in words:
            data = bytearray(int(words["zeros"]))
        if "comp" in words:
            packed = zlib.compressobj(wbits=-15)
            data = bytearray(struct.pack("!BBH", nxt, 0, int(words["comp"], 0)) + packed.compress(bytes(data)) + packed.flush())
            nxt = 108
        if "pseudo" in words:
            data, nxt = bytearray.fromhex(words["pseudo"]) + data, 94
        replace(data, words.get("edit", ""))
        if "innercut" in words:
            data = data[:int(words["innercut"])]
        data += os.urandom(int(words.get("tfc", 0)))
        return bytes(data), int(words.get("next", nxt))

    def wrapped(self, pkt):
        """A packet as what is protected, and its next header."""
        v4 = pkt[0] >> 4 == 4
        if self.tunnel:
            return pkt, 4 if v4 else 41
        return (pkt[20:], pkt[9]) if v4 else (pkt[40:], pkt[6])

    def protect(self, words, seq):
        return (self.protect_esp if self.esp else self.protect_ah)(words, seq)

    def wrap(self, pkt):
        self.seq += 1
        return self.protect({"wrap": pkt}, self.seq)

    def front(self, words):
        proto = 50 if self.esp else 51
        return headers.stack(header(words.get("from", self.src), self.dst, proto, words.get("tos", 0)), words.get("front", ""), proto)

    def protect_esp(self, words, seq):
        sa = self.scapy("badkey" in words)
        data, nxt = self.plain(words)
        align = ALIGN[self.alg]
        padlen = -(len(data) + 2) % align
        while padlen < int(words.get("pad", 0)):
            padlen += align
        padding = bytes(range(1, padlen + 1))
        if "padbytes" in words:
            padding = bytes.fromhex(words["padbytes"])
        high = int(words.get("hi", seq >> 32))
        plain = _ESPPlain(spi=int(words.get("spi", str(self.spi)), 0), seq=seq & 0xffffffff, iv=sa.crypt_algo.generate_iv(),
                          data=Raw(data), padding=padding, padlen=int(words.get("padlen", padlen)), nh=nxt)
        esp = sa.crypt_algo.encrypt(sa, plain, sa.crypt_key, esn_en=self.esn, esn=high)
        return self.carry(self.front(words), bytes(self.sign(sa, esp, high)), words)

    def carry(self, head, esp, words):
        if "udp" not in words:
            return bytes(head / Raw(esp))
        sport, dport = map(int, words["udp"].split(":"))
        udp = UDP(sport=sport, dport=dport, len=8 + len(esp) + int(words.get("ulen", 0)))
        if head.version == 4:
            head.proto, udp.chksum = 17, 0
        else:
            head.nh = 17
        return bytes(head / udp / Raw(esp + os.urandom(int(words.get("behind", 0)))))

    def protect_ah(self, words, seq):
        sa = self.scapy("badkey" in words)
        data, nxt = self.plain(words)
        length = 12 + 16
        padding = -length % (4 if version(self.src) == 4 else 8)
        ah = AH(nh=nxt, payloadlen=(length + padding) // 4 - 2, spi=int(words.get("spi", str(self.spi)), 0),
                seq=seq & 0xffffffff, icv=bytes(16), padding=bytes(padding))
        front = self.front(words)
        if front.version == 4:
            front.dst = self.dst  # scapy does not know where a source route ends
        pkt = front / ah / Raw(data)
        # scapy takes each routing header for one whose addresses are all to be visited
        mac = sa.auth_algo.new_mac(sa.auth_key)
        mac.update(bytes(zero_mutable_fields(pkt.copy(), sending=headers.on_the_way(words.get("front", "")))))
        if self.esn:
            mac.update(struct.pack("!I", int(words.get("hi", seq >> 32))))
        pkt[AH].icv = mac.finalize()[:sa.auth_algo.icv_size]
        return bytes(pkt)

    def packets(self, words):
        return [pkt for _ in range(int(words.get("count", 1))) for pkt in self.one(words)]

    def one(self, words):
        seq = int(words["seq"], 0) if "seq" in words else self.seq + 1
        if "badkey" not in words and "hi" not in words:
            self.seq = max(self.seq, seq)
        if words.get("innercut") == "all":
            packets = []
            for n in range(len(self.plain(words | {"innercut": 65535})[0])):
                packets += self.one(words | {"innercut": n, "seq": str(seq + n)})
            return packets
        if words.get("ecn") == "all":
            pairs = [(inner, outer) for inner in range(0xb8, 0xbc) for outer in range(0x48, 0x4c)]
            return [pkt for i, (inner, outer) in enumerate(pairs) for pkt in self.one(words | {
                "ecn": "", "seq": str(seq + i), "itos": inner, "tos": outer,
                "text": f"{words['text']} {inner} {outer}"})]
        if "bare" in words:
            pkt, nxt, _ = self.inner(words)
            if "whole" in words:
                pkt = bytes(header(self.src, self.dst, nxt) / Raw(pkt))
        else:
            pkt = self.protect(words, seq)
            if "front" in words and "stay" not in words:
                pkt = headers.arrive(pkt)
        if "wire" in words:
            pkt = bytearray(pkt)
            replace(pkt, words["wire"])
            pkt = fix(pkt)
        if "trunc" in words:
            pkt = fix(pkt[:int(words["trunc"])])
        start = 20 if version(self.src) == 4 else 40
        if words.get("flip") == "all":
            return flip(pkt, start, len(pkt))
        if "flip" in words:
            first, _, last = words["flip"].partition("-")
            return flip(pkt, int(first), int(last or first) + 1)
        if words.get("cut") == "all":
            return [fix(pkt[:n]) for n in range(start, len(pkt))]
        return [pkt] * int(words.get("again", 1))


def checksum(head):
    total = sum(struct.unpack("!%dH" % (len(head) // 2), head))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def fix(pkt):
    """Length and checksum of the header, as they should be."""
    pkt = bytearray(pkt)
    if pkt[0] >> 4 == 4:
        head = (pkt[0] & 15) * 4
        struct.pack_into("!H", pkt, 2, len(pkt))
        struct.pack_into("!H", pkt, 10, 0)
        struct.pack_into("!H", pkt, 10, checksum(bytes(pkt[:head])))
    else:
        head = 40
        struct.pack_into("!H", pkt, 4, len(pkt) - 40)
    if pkt[9 if head < 40 else 6] == 17 and len(pkt) >= head + 8:
        struct.pack_into("!H", pkt, head + 4, len(pkt) - head)
    return bytes(pkt)


def send_batch(packets, words):
    """IKE messages and ESP by turns, all of one length, handed to the stack at once."""
    head = 28 if packets[0][0] >> 4 == 4 else 48
    src, dst = packets[0][head - 16:head - 12], packets[0][head - 12:head - 8]
    family = socket.AF_INET
    if head == 48:
        src, dst, family = packets[0][8:24], packets[0][24:40], socket.AF_INET6
    sport, dport = map(int, words["udp"].split(":"))
    size = len(packets[0]) - head
    ike = bytes(4) + b"IKE" + bytes(size - 7)
    out = socket.socket(family, socket.SOCK_DGRAM)
    out.bind((socket.inet_ntop(family, src), sport))
    out.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
    pairs = [(ike, pkt[head:]) if words["batch"] == "ike" else (pkt[head:], ike) for pkt in packets]
    out.sendto(b"".join(sum(pairs, ())), (socket.inet_ntop(family, dst), dport))
    out.close()


def flip(pkt, first, last):
    packets = []
    for offset in range(first, last):
        for bit in range(8):
            bad = bytearray(pkt)
            bad[offset] ^= 1 << bit
            packets.append(fix(bad))
    return packets


def main():
    device, mac = sys.argv[1:]
    mac = bytes.fromhex(mac.replace(":", ""))
    out = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    sas = {}
    print("ready", flush=True)
    for line in sys.stdin:
        order, name, *words = shlex.split(line)
        words = dict(word.split("=", 1) for word in words)
        sent = 0
        if order == "sa":
            sas[name] = Association(words)
        else:
            packets = sas[name].packets(words)
            if "batch" in words:
                send_batch(packets, words)
                print(len(packets), flush=True)
                continue
            for pkt in packets:
                for outer in filter(None, words.get("in", "").split(",")):
                    pkt = sas[outer].wrap(pkt)
                out.sendto(pkt, (device, 0x0800 if pkt[0] >> 4 == 4 else 0x86dd, 0, 0, mac))
                sent += 1
        print(sent, flush=True)


if __name__ == "__main__":
    main()
