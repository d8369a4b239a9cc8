#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Add an SA that is some seconds old: SPI ADDED_AGO USED_AGO [LIMIT=SECONDS]...

USED_AGO is 0 for an SA that was never used.
"""
import ipaddress
import sys
import time

import t2_netlink as nl

spi, added, used = (int(arg, 0) for arg in sys.argv[1:4])
limits = dict(arg.split('=') for arg in sys.argv[4:])
now = int(time.time())
nl.Socket().call('sa-new', {
    'dst': ipaddress.ip_address('10.0.0.2').packed,
    'src': ipaddress.ip_address('10.0.0.1').packed,
    'proto': 50, 'spi': spi, 'mode': 1, 'dir': 2, 'reqid': spi,
    'aead': {'name': 'rfc4106(gcm(aes))', 'key': spi.to_bytes(20, 'big'), 'icv-bits': 128},
    'lifetime': {name: int(value) for name, value in limits.items()},
    'usage': {'add-time': now - added, 'use-time': now - used if used else 0},
})
