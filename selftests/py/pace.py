# SPDX-License-Identifier: GPL-2.0
"""pace.py COUNT ALIVE [postern]: that many network namespaces come and go, of which so many
at most are there at once, the dying ones included; in each an SA and a policy if told so.
Prints the seconds.
"""
import ctypes
import errno
import ipaddress
import os
import pathlib
import sys
import time

CLONE_NEWNET = 0x40000000
A, B = (ipaddress.ip_address(a).packed for a in ('10.0.0.1', '10.0.0.2'))
COUNT, ALIVE = (int(arg) for arg in sys.argv[1:3])
LIMIT = pathlib.Path('/proc/sys/user/max_net_namespaces')
libc = ctypes.CDLL(None, use_errno=True)


def come():
    """Another one in the stead of the one that only this process was in."""
    while libc.unshare(CLONE_NEWNET):
        if ctypes.get_errno() != errno.ENOSPC:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        time.sleep(0.001)


def nothing():
    """It stays empty."""


def configure():
    """As a host with one tunnel is."""
    tunnel = {'src': A, 'dst': B, 'proto': 50, 'mode': 1, 'reqid': 1}
    sock = nl.Socket()
    sock.call('sa-new', tunnel | {'spi': 0x1001, 'aead': {'name': 'rfc4106(gcm(aes))', 'key': bytes(20), 'icv-bits': 128}})
    sock.call('policy-new', {'dir': 2, 'selector': {'src': A, 'src-len': 32, 'dst': B, 'dst-len': 32},
                             'action': 1, 'tmpl': tunnel})
    sock.sock.close()


use = nothing
if sys.argv[3:]:
    import t2_netlink as nl
    use = configure
was = LIMIT.read_text()
LIMIT.write_text(str(ALIVE))
begun = time.monotonic()
for _ in range(COUNT):
    come()
    use()
print(time.monotonic() - begun)
LIMIT.write_text(was)
