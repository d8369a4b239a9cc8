#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""An ICMP message that a packet is too big, as a router would send it, or not quite.

usage: toobig.py WORD=VALUE...

  mtu=N                 what it says
  router=ADDR           who says so
  src=ADDR dst=ADDR     of the packet that it quotes
  to=ADDR               of the message, "src" when left out
  proto=50|51 spi=N seq=N; proto=1 is an answer to a ping
  octets=N              quoted behind the IP header, 8 when left out
  offset=N              the packet quoted is a fragment, at 8 times N octets
  code=N                of the message
  checksum=bad
"""
import struct
import sys

import t2_packet as packet

o = {'octets': '8', 'offset': '0', 'code': '', 'checksum': ''}
o.update(word.split('=', 1) for word in sys.argv[1:])
six = ':' in o['src']
spi, seq, offset, to = int(o['spi'], 0), int(o['seq'], 0), int(o['offset']), o.get('to', o['src'])
data = {'50': struct.pack('>II', spi, seq), '51': struct.pack('>BBHII', 4, 5, 0, spi, seq),
        '1': struct.pack('>BBHI', 0, 0, 0xffff, 0)}[o['proto']]
data = data.ljust(1460, b'\0')
if six and offset:
    data = struct.pack('>BBHI', int(o['proto']), 0, offset << 3, 1) + data
    quoted = packet.ip(o['src'], o['dst'], 44, data)[:48 + int(o['octets'])]
else:
    quoted = packet.ip(o['src'], o['dst'], int(o['proto']), data, frag=0 if six else offset or 0x4000)
    quoted = quoted[:(40 if six else 20) + int(o['octets'])]
code = int(o['code'] or (0 if six else 4))
head = struct.pack('>BBHI', 2 if six else 3, code, 0, int(o['mtu'])) + quoted
total = packet.upper_checksum(o['router'], to, 58, head) if six else packet.checksum(head)
if o['checksum']:
    total ^= 0x1001
head = head[:2] + struct.pack('>H', total) + head[4:]
packet.send([packet.ip(o['router'], to, 58 if six else 1, head)])
