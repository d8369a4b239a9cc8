#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send a UDP datagram through a packet socket, past the IP stack.

usage: frame.py DEVICE MAC SRC DST TEXT [HOW...]

  dgram     the kernel writes the header of the link
  bypass    past the queues (PACKET_QDISC_BYPASS)
  vlan      with a VLAN tag; twice for two, 9 times for more than anybody sends
  cut       of the IP header only 12 octets
  port N    to port N (7000)
  srv6 MAC  the frame in IPv6 for fd05::1, by the router that has this address
"""
import socket
import struct
import sys

PACKET_QDISC_BYPASS, SOL_PACKET = 20, 263

dev, mac, src, dst, text = sys.argv[1:6]
how = sys.argv[6:]
port = int(how[how.index('port') + 1]) if 'port' in how else 7000
family = socket.AF_INET6 if ':' in dst else socket.AF_INET
ends = socket.inet_pton(family, src) + socket.inet_pton(family, dst)
data = text.encode() * 4
udp = struct.pack('!HHHH', port, port, 8 + len(data), 0) + data
if family == socket.AF_INET:
    kind = 0x800
    head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + ends
    total = sum(struct.unpack('!10H', head))
    total = (total & 0xffff) + (total >> 16)
    head = head[:10] + struct.pack('!H', ~(total + (total >> 16)) & 0xffff) + head[12:]
else:
    kind = 0x86dd
    total = sum(struct.unpack(f'!{len(ends + udp) // 2}H', ends + udp)) + len(udp) + 17
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    udp = udp[:6] + struct.pack('!H', ~total & 0xffff) + udp[8:]
    head = struct.pack('!IHBB', 6 << 28, len(udp), 17, 64) + ends
packet = head[:12] if 'cut' in how else head + udp
mac = bytes.fromhex(mac.replace(':', ''))
if 'srv6' in how:
    packet = mac + mac + struct.pack('!H', kind) + packet
    packet = struct.pack('!IHBB', 6 << 28, len(packet), 143, 64) + socket.inet_pton(socket.AF_INET6, 'fd00::3') + \
        socket.inet_pton(socket.AF_INET6, 'fd05::1') + packet
    mac, kind = bytes.fromhex(how[how.index('srv6') + 1].replace(':', '')), 0x86dd

sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM if 'dgram' in how else socket.SOCK_RAW)
if 'bypass' in how:
    sock.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
sock.bind((dev, 0))
try:
    if 'dgram' in how:
        sock.sendto(packet, (dev, kind, 0, 0, mac))
    else:
        tags = struct.pack('!HH', 0x8100, 5) * how.count('vlan')
        sock.send(mac + sock.getsockname()[4] + tags + struct.pack('!H', kind) + packet)
except OSError as error:
    sys.exit(f'{error}')
