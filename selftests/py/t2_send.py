#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send one packet of an IP protocol with the octets given.

usage: t2_send.py SOURCE DESTINATION PROTOCOL HEX
"""
import sys

import t2_packet as packet

packet.send([packet.ip(sys.argv[1], sys.argv[2], int(sys.argv[3]), bytes.fromhex(sys.argv[4]))])
