# SPDX-License-Identifier: GPL-2.0
"""What may stand between an IP header and ESP or AH, by name, for scapy."""
import ipaddress
import struct

HOP, ROUTING, DEST = 0, 43, 60

# Options of IPv4; those behind the line break routers may change (RFC 4302 appendix A1).
V4 = {
    "nop": "01010101",
    "end": "01000000",
    "security": "820b000000000000000000",
    "alert": "94040000",
    "delivery": "95060a000003",

    "record": "070b040000000000000000",
    "stamp": "440c05000000000000000000",
    "stream": "88040001",
    "mtu": "0b0405dc",
    "traceroute": "520c00000000000000000000",
    "unknown": "1e06cafebabe",
}

# Extension headers of IPv6: number, options.  3e may change, 1e must not, and 9e wants
# to be known.
V6 = {
    "hbh": (HOP, "010400000000"),
    "alert": (HOP, "050200000100"),
    "hbh-mutable": (HOP, "3e04cafebabe"),
    "hbh-fixed": (HOP, "1e04cafebabe"),
    "hbh-several": (HOP, "00003e02cafe1e05cafe0102033e00010100"),
    "dst": (DEST, "010400000000"),
    "dst-mutable": (DEST, "3e04cafebabe"),
    "dst-fixed": (DEST, "1e04cafebabe"),
    "dst-insists": (DEST, "9e04cafebabe"),
}


def packed(address):
    return ipaddress.ip_address(address).packed


def extension(name, src, dst):
    """Number and octets of an extension header; the first one is left to the caller.

    route-TYPE-LEFT-N: a routing header with N addresses, of which LEFT are to be visited.
    """
    if name.startswith("route-"):
        kind, left, n = map(int, name.split("-")[1:])
        hops = [packed(f"fd00::{i + 4:x}") for i in range(n)]
        return ROUTING, bytes([0, 2 * n, kind, left, 0, 0, 0, 0]) + b"".join(hops[:-1] + [packed(dst)] if left else hops)
    number, options = V6[name]
    options = bytes.fromhex(options)
    options += bytes(-(len(options) + 2) % 8)
    return number, bytes([0, (len(options) + 2) // 8 - 1]) + options


def options_v4(names, dst):
    """route-KIND-LEFT: a source route over one hop, or over none any more."""
    options = b""
    for name in names:
        if name.startswith("route-"):
            kind, left = map(int, name.split("-")[1:])
            options += bytes([kind, 7, 4 if left else 8]) + packed(dst if left else "10.0.0.3")
        else:
            options += bytes.fromhex(V4[name])
    return options + bytes(-len(options) % 4)


def on_the_way(names):
    """Has the route among them addresses that are to be visited?"""
    return any(name.startswith("route-") and int(name.split("-")[2]) for name in names.split("+"))


def stack(head, names, proto):
    """The headers of these names (with + between them) behind a header of scapy."""
    names = list(filter(None, names.split("+")))
    if not names:
        return head
    raw = bytearray(bytes(head))
    if head.version == 4:
        options = options_v4(names, head.dst)
        raw[0] += len(options) // 4
        pkt = type(head)(bytes(raw[:20]) + options)
        del pkt.len
        del pkt.chksum
        pkt.proto = proto
    else:
        at = 6
        for name in names:
            raw[at], more = extension(name, head.src, head.dst)
            at = len(raw)
            raw += more
        raw[at] = proto
        struct.pack_into("!H", raw, 4, len(raw) - 40)
        pkt = type(head)(bytes(raw))
        del pkt.plen
    if on_the_way("+".join(names)):
        pkt.dst = "10.0.0.3" if head.version == 4 else "fd00::3"
    return pkt


def chain(pkt):
    """(number, offset) of each extension header of an IPv6 packet, and what follows."""
    number, off = pkt[6], 40
    while number in (HOP, ROUTING, DEST):
        yield number, off
        number, off = pkt[off], off + (pkt[off + 1] + 1) * 8
    yield number, off


def front(pkt):
    """Octets of an IPv6 packet that stay in front of ESP and AH (RFC 4303 section 3.1.1)."""
    headers = list(chain(pkt))
    end = 40
    for (number, _), (_, behind) in zip(headers, headers[1:]):
        if number != DEST:
            end = behind
    return end


def bare(pkt, end):
    """An IPv6 packet without the headers up to there, and those headers but for what follows."""
    last = 6
    for _, off in chain(pkt):
        if off < end:
            last = off
    upper = struct.pack("!4sHB", pkt[:4], len(pkt) - end, pkt[last]) + pkt[7:40] + pkt[end:]
    return upper, pkt[40:last] + b"?" + pkt[last + 1:end] if end > 40 else b""


def arrive(pkt):
    """The packet as it is at the end of its route."""
    pkt = bytearray(pkt)
    if pkt[0] >> 4 == 4:
        size, off = (pkt[0] & 15) * 4, 20
        while off < size and pkt[off]:
            if pkt[off] in (131, 137) and pkt[off + 2] < pkt[off + 1]:
                pkt[16:20] = pkt[off + pkt[off + 1] - 4:off + pkt[off + 1]]
                pkt[off + 2] = pkt[off + 1] + 1
            off += 1 if pkt[off] == 1 else pkt[off + 1]
        struct.pack_into("!H", pkt, 10, 0)
        total = sum(struct.unpack("!%dH" % (size // 2), pkt[:size]))
        total = (total & 0xffff) + (total >> 16)
        struct.pack_into("!H", pkt, 10, ~(total + (total >> 16)) & 0xffff)
        return bytes(pkt)
    for number, off in chain(pkt):
        if number != ROUTING:
            continue
        n = pkt[off + 1] // 2
        while pkt[off + 3]:
            at = off + 8 + (n - pkt[off + 3]) * 16
            pkt[24:40], pkt[at:at + 16] = pkt[at:at + 16], pkt[24:40]
            pkt[off + 3] -= 1
    return bytes(pkt)
