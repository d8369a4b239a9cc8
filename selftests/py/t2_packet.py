# SPDX-License-Identifier: GPL-2.0
"""Packets made by hand, sent by raw sockets: a fraction of the time that scapy needs."""
import ipaddress
import socket
import struct

IP_NODEFRAG = 22
ETH_P = {4: 0x0800, 6: 0x86dd}


def checksum(data):
    """RFC 1071."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def upper_checksum(src, dst, proto, data):
    """With the pseudo header of either family."""
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if src.version == 4:
        pseudo = src.packed + dst.packed + struct.pack('>BBH', 0, proto, len(data))
    else:
        pseudo = src.packed + dst.packed + struct.pack('>II', len(data), proto)
    return checksum(pseudo + data) or 0xffff


def ip(src, dst, proto, data, hops=64, ident=0, frag=0):
    """An IPv4 packet (FRAG: flags and offset) or an IPv6 packet."""
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if src.version == 6:
        return struct.pack('>IHBB', 6 << 28, len(data), proto, hops) + src.packed + dst.packed + data
    head = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(data), ident, frag, hops, proto, 0) + src.packed + dst.packed
    return head[:10] + struct.pack('>H', checksum(head)) + head[12:] + data


def udp(src, dst, sport, dport, text):
    """A UDP datagram."""
    head = struct.pack('>HHH', sport, dport, 8 + len(text))
    return head + struct.pack('>H', upper_checksum(src, dst, 17, head + bytes(2) + text)) + text


def fragments(src, dst, proto, data, ident, cut):
    """Two fragments, the first of CUT octets."""
    if ipaddress.ip_address(src).version == 4:
        return [ip(src, dst, proto, data[:cut], ident=ident, frag=0x2000),
                ip(src, dst, proto, data[cut:], ident=ident, frag=cut // 8)]
    return [ip(src, dst, 44, struct.pack('>BBHI', proto, 0, 1, ident) + data[:cut]),
            ip(src, dst, 44, struct.pack('>BBHI', proto, 0, cut, ident) + data[cut:])]


def send(packets, nodefrag=False):
    """By this host's stack."""
    version = packets[0][0] >> 4
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    if nodefrag and version == 4:
        sock.setsockopt(socket.IPPROTO_IP, IP_NODEFRAG, 1)
    for packet in packets:
        at = 16 if version == 4 else 24
        dst = packet[at:at + (4 if version == 4 else 16)]
        sock.sendto(packet, (str(ipaddress.ip_address(dst)), 0))


def send_frames(packets, device, mac):
    """As frames of a device, past this host's own stack."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((device, 0))
    own = sock.getsockname()[4]
    for packet in packets:
        sock.send(bytes.fromhex(mac.replace(':', '')) + own + struct.pack('>H', ETH_P[packet[0] >> 4]) + packet)
