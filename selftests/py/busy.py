#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A user who keeps the work and the configuration lock of his own namespace busy: more SAs
with keepalives than works run at a time, and programs that change a port for ever or, with
an argument, one that holds the lock while the kernel looks for a cipher of which there is no
SA yet.  Says "busy" when all of that goes on.
"""
import ctypes
import ipaddress
import os
import signal
import sys

import t2_netlink as nl

SAS, PROGRAMS = 1100, 16
A, B = (ipaddress.ip_address(a).packed for a in ('10.0.0.1', '10.0.0.2'))
KEY = {'dst': B, 'proto': 50}


def ports(sport):
    """UDP around ESP."""
    return {'encap': {'sport': sport, 'dport': 4500}}


def main():
    sock = nl.Socket()
    for i in range(SAS):
        sock.call('sa-new', KEY | ports(4500) | {
            'spi': 0x1000 + i, 'src': A, 'mode': 1, 'dir': 2, 'nat-keepalive-interval': 1,
            'aead': {'name': 'rfc4106(gcm(aes))', 'key': bytes(16) + i.to_bytes(4, 'big')}})
    if sys.argv[1:]:
        print('busy', flush=True)
        sock.call('sa-new', KEY | {'spi': 1 << 20, 'src': A, 'mode': 1, 'dir': 2, 'aead': {
            'name': 'rfc4543(gcm(aes))', 'key': bytes(20)}})
        return
    for i in range(PROGRAMS):
        if not os.fork():
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)    # PR_SET_PDEATHSIG
            sock = nl.Socket()
            for n in range(1 << 30):
                sock.call('sa-update', KEY | ports(4501 + n % 2) | {'spi': 0x1000 + i})
    print('busy', flush=True)
    os.wait()


main()
