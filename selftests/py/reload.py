# SPDX-License-Identifier: GPL-2.0
"""reload.py: programs that configure a, dump it and listen while the module comes and goes,
until SIGTERM.  Prints as JSON how often each went through, and how often it found no
module; exit status 1 when anything else was refused.
"""
import collections
import errno
import ipaddress
import json
import os
import random
import signal
import sys
import time
import traceback

import t2_netlink as nl

A, B = (ipaddress.ip_address(a).packed for a in ('10.0.0.1', '10.0.0.2'))
# no family, none any more, no more policies, no more dumps
AWAY = errno.ENOENT, errno.EOPNOTSUPP, errno.ENODEV, errno.EPROTONOSUPPORT
stop = []


def change(seed):
    """An SA and a policy that keeps the module, for a moment each."""
    sock, spi = nl.Socket(), 0x3000 + seed
    name = {'dir': 2, 'selector': {'src': A, 'src-len': 32, 'dst': B, 'dst-len': 32}, 'priority': 1000 + seed}
    tmpl = {'src': A, 'dst': B, 'proto': 50, 'mode': 1, 'reqid': spi}
    while not stop:
        sock.call('sa-new', {'src': A, 'dst': B, 'proto': 50, 'mode': 1, 'reqid': spi, 'owner': 7, 'spi': spi,
                             'lifetime': {'add-soft': 1, 'add-hard': 2},
                             'aead': {'name': 'rfc4106(gcm(aes))', 'key': bytes(20), 'icv-bits': 128}})
        sock.call('policy-new', name | {'action': 1, 'tmpl': tmpl, 'owner': 7})
        sock.call('policy-flush', {'owner': 7})
        sock.call('sa-flush', {'owner': 7})
        yield


def dump(_):
    """All there is."""
    sock = nl.Socket()
    while not stop:
        sock.dump('sa-get')
        sock.dump('policy-get')
        sock.call('stats-get')
        yield


def listen(_):
    """To all groups, and not for long."""
    sock = nl.Socket()
    for group in sock.groups:
        sock.join(group)
    time.sleep(0.05)
    yield


def run(program, seed):
    """As a process of its own; its end says what came of it."""
    counts, late = collections.Counter(), (errno.EEXIST, errno.ESRCH)
    while not stop:
        try:
            for _ in program(seed):
                counts['through'] += 1
                time.sleep(random.random() / 50)
        except (nl.Refused, OSError) as error:
            if error.errno not in AWAY + late:
                raise
            counts[errno.errorcode[error.errno]] += 1
            time.sleep(random.random() / 5)
    print(json.dumps({'program': program.__name__, 'away': sum(counts.values()) - counts['through']} | counts), flush=True)


def main():
    """All of them."""
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    pids = []
    for seed, program in enumerate((change, change, dump, listen)):
        pids.append(os.fork())
        if not pids[-1]:
            try:
                run(program, seed)
            except BaseException:  # pylint: disable=broad-except
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
    signal.sigwait([signal.SIGTERM])
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    sys.exit(any(os.waitpid(pid, 0)[1] for pid in pids))


main()
