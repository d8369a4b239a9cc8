#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send ICMPv6 that only looks like neighbour discovery.

usage: t2_nd.py SOURCE DESTINATION HOP_LIMIT
"""
import sys

from scapy.layers.inet6 import ICMPv6Unknown, IPv6
from scapy.sendrecv import send

for kind in range(133, 138):
    send(IPv6(src=sys.argv[1], dst=sys.argv[2], hlim=int(sys.argv[3])) /
         ICMPv6Unknown(type=kind, msgbody=b'covert text'), verbose=0)
