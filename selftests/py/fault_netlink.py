#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Each allocation of each command fails once: the caller is told, and all is as before;
or the change is there as a whole, and who listens knows of it.

Prints KTAP lines without a plan; exit status 1 when anything failed.
"""
import ctypes
import errno
import ipaddress
import os
import socket
import sys

import fault
import t2_netlink as nl

A, B, A6, B6 = (ipaddress.ip_address(a).packed for a in ('10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2'))
ESP, AH, COMP = 50, 51, 108
TRANSPORT, TUNNEL, BEET = 0, 1, 2
IN, OUT = 1, 2
PROTECT, BYPASS = 1, 2
ALLOW_WEAK, ESN = 0x20, 0x40
ECHO = 8
NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
fail = fault.Fault()

SEL = {'src': A, 'src-len': 24, 'dst': B, 'dst-len': 32}
LIFE = {'add-soft': 1000, 'add-hard': 2000, 'byte-hard': 1 << 40}
GCM = {'name': 'rfc4106(gcm(aes))', 'key': bytes(20), 'icv-bits': 128}
TMPL = {'src': A, 'dst': B, 'proto': ESP, 'mode': TUNNEL, 'reqid': 7}
BASE = {'dst': B, 'src': A, 'proto': ESP, 'spi': 0x1001, 'mode': TUNNEL, 'reqid': 7}
KEY = {k: BASE[k] for k in ('dst', 'proto', 'spi')}
SA = BASE | {'dir': OUT, 'aead': GCM}
POLICY = {'dir': OUT, 'action': PROTECT, 'selector': SEL, 'tmpl': [TMPL]}
NAME = {k: POLICY[k] for k in ('dir', 'selector')}
BYPASSED = {'dir': IN, 'action': BYPASS, 'selector': SEL}
DEVICE = {'ifindex': socket.if_nametoindex('eth0')}


def algo(name, bits, icv=None):
    """Name, length of the key, length of the ICV."""
    return {'name': name, 'key': bytes(range(bits // 8))} | ({'icv-bits': icv} if icv else {})


SHA, CBC = algo('hmac(sha256)', 256, 128), algo('cbc(aes)', 128)
SAS = {
    'gcm': SA,
    'ccm': BASE | {'aead': algo('rfc4309(ccm(aes))', 152, 128)},
    'chacha20': BASE | {'aead': algo('rfc7539esp(chacha20,poly1305)', 288, 128)},
    'gmac': BASE | {'dir': IN, 'aead': algo('rfc4543(gcm(aes))', 160, 128)},
    'cbc, sha256, ESN': BASE | {'flags': ESN, 'replay-window': 4096, 'crypt': CBC, 'auth': SHA},
    'ctr, cmac': BASE | {'crypt': algo('rfc3686(ctr(aes))', 160), 'auth': algo('cmac(aes)', 128, 96)},
    'null, sha1': BASE | {'crypt': {'name': 'ecb(cipher_null)'}, 'auth': algo('hmac(sha1)', 160, 96)},
    'AH': BASE | {'proto': AH, 'mode': TRANSPORT, 'auth': SHA},
    'AH, xcbc, ESN': BASE | {'proto': AH, 'flags': ESN, 'auth': algo('xcbc(aes)', 128, 96)},
    'IPComp': BASE | {'proto': COMP, 'spi': 0x1234, 'dir': IN, 'comp': {'name': 'deflate'}},
    'beet': BASE | {'mode': BEET, 'aead': GCM, 'selector': SEL | {'src-len': 32}},
    'IPv6, encap, selector, lifetime': SA | {
        'dst': B6, 'src': A6, 'dir': IN, 'encap': {'sport': 4501, 'dport': 4502}, 'selector': SEL, 'lifetime': LIFE},
}
LARVAL = ('sa-allocspi', {k: BASE[k] for k in ('dst', 'src', 'proto', 'mode', 'reqid')} |
          {'spi-min': 0x1001, 'spi-max': 0x1001})

# What is there before, the command, its flags
COMMANDS = {f'sa-new: {name}': ([], ('sa-new', sa), 0) for name, sa in SAS.items()} | {
    'sa-new, echo': ([], ('sa-new', SA), ECHO),
    'sa-new of a larval one': ([LARVAL], ('sa-new', SA), 0),
    'sa-update of a larval one': ([LARVAL], ('sa-update', SA), 0),
    'sa-update': ([('sa-new', SA)], ('sa-update', BASE | {'selector': SEL, 'lifetime': LIFE, 'owner': 3}), 0),
    'sa-allocspi': ([], LARVAL, 0),
    'sa-del': ([('sa-new', SA)], ('sa-del', KEY), 0),
    'sa-get': ([('sa-new', SA)], ('sa-get', KEY | {'with-keys': 1}), 0),
    'sa-dummy': ([('sa-new', SA)], ('sa-dummy', KEY | {'count': 2}), 0),
    'sa-flush': ([('sa-new', SA), ('sa-new', SAS['AH'])], ('sa-flush', {}), 0),
    'sa-get of all': ([('sa-new', SA | {'spi': 0x1000 + i}) for i in range(40)], ('sa-get', {}), nl.NLM_F_DUMP),
    'policy-new': ([], ('policy-new', POLICY), 0),
    'policy-new, 6 templates': ([], ('policy-new', POLICY | {'tmpl': [TMPL | {'reqid': i} for i in range(6)]}), 0),
    'policy-new of prefixes that are there': ([('policy-new', POLICY)], ('policy-new', POLICY | {'priority': 5}), 0),
    'policy-update, new': ([], ('policy-update', POLICY), ECHO),
    'policy-update': ([('policy-new', POLICY)], ('policy-update', POLICY | {'owner': 5}), 0),
    'policy-update, to bypass': ([('policy-new', POLICY)],
                                 ('policy-update', {k: v for k, v in POLICY.items() if k != 'tmpl'} | {'action': BYPASS}), 0),
    'policy-del': ([('policy-new', POLICY)], ('policy-del', NAME), 0),
    'policy-get': ([('policy-new', POLICY)], ('policy-get', NAME), 0),
    'policy-flush': ([('policy-new', POLICY), ('policy-new', BYPASSED)], ('policy-flush', {}), 0),
    'policy-get of all': ([('policy-new', POLICY | {'priority': i}) for i in range(40)],
                          ('policy-get', {}), nl.NLM_F_DUMP),
    'stats-get': ([], ('stats-get', {}), 0),
    'algorithm-get': ([], ('algorithm-get', {}), nl.NLM_F_DUMP),
    'guard-new': ([], ('guard-new', DEVICE), 0),
    'guard-new of one that is there': ([('guard-new', DEVICE)], ('guard-new', DEVICE), 0),
    'guard-del': ([('guard-new', DEVICE)], ('guard-del', DEVICE), 0),
    'guard-get of all': ([('guard-new', DEVICE)], ('guard-get', {}), nl.NLM_F_DUMP),
}
FIRST = {name: COMMANDS[name] for name in ('sa-new: gcm', 'policy-new')}
# What packets, sequence numbers and time change
VARY = {'id', 'index', 'usage', 'replay', 'drop'}
OBJECTS = 'sa', 'policy', 'guard'
# Events carry these
TOLD = {op['attribute-set'] for op in nl.OPS.values() if 'event' in op or 'notify' in op}


class Victim:
    """The system calls of a socket, under fault injection."""

    def __init__(self, sock):
        self.sock = sock

    def send(self, data):
        """As that of a socket."""
        return fail.call(self.sock.send, data)

    def recv(self, size):
        """As that of a socket."""
        return fail.call(self.sock.recv, size)


class Host:
    """What is configured in this namespace, and who hears of it."""

    def __init__(self):
        self.sock = nl.Socket()
        self.victim = nl.Socket()
        self.victim.sock = Victim(self.victim.sock)
        self.listener = nl.Socket()
        for group in self.listener.groups:
            self.listener.join(group)
        self.listener.sock.setblocking(False)

    @staticmethod
    def strip(kind, answers):
        """Attributes without those that differ each time, sorted."""
        vary = {number for name, number in nl.NUMBERS[kind].items() if name in VARY}
        return sorted(tuple((n, p) for _, n, p in nl.walk(a) if n not in vary) for a in answers)

    def state(self):
        """All there is, and the counts that must agree with it."""
        sas = self.strip('sa', self.sock.dump('sa-get', {'with-keys': 1}))
        policies = self.strip('policy', self.sock.dump('policy-get'))
        stats = {n: p for _, n, p in nl.walk(self.sock.call('stats-get')[0])}
        counts = tuple(int.from_bytes(stats[nl.NUMBERS['stats'][name]], sys.byteorder)
                       for name in ('sa-count', 'policy-count'))
        assert counts == (len(sas), len(policies)), counts
        return sas, policies, self.strip('guard', self.sock.dump('guard-get'))

    def prepare(self, requests):
        """These objects and no others."""
        self.sock.call('sa-flush')
        self.sock.call('policy-flush')
        for guard in self.sock.dump('guard-get'):
            self.sock.call('guard-del', guard)
        for request in requests:
            self.sock.call(*request)
        self.heard()

    def heard(self):
        """Was an event told since the last time, or that one was lost?"""
        heard = False
        try:
            while self.listener.sock.recv(1 << 16):
                heard = True
        except OSError as error:
            return heard or error.errno == errno.ENOBUFS
        return heard

    def run(self, request, flags):
        """'' or the error, what was answered."""
        try:
            return '', self.victim.call(request[0], request[1], flags)
        except nl.Refused as error:
            return f'refused: {error}', None
        except OSError as error:
            return os.strerror(error.errno), None


def compare(before, wanted, answer, error, got, after):
    """What is wrong with this outcome, or None."""
    if not error:
        if after != wanted:
            return 'no error, and not all is done'
        # the reply of a change may have got lost, which the kernel told by ENOBUFS
        return None if got == answer or wanted != before else 'no error, and another answer'
    if after == before:
        return None
    if after == wanted:
        # the change stood when there was no memory to say so
        return None if 'refused' not in error else f'done, but {error}'
    return f'half done, {error}'


def command(host, before, request, flags, wanted=None, answer=None):
    """One command, whose fault may be armed; what is wrong with its outcome."""
    kind = nl.OPS[request[0]]['attribute-set']
    error, got = host.run(request, flags)
    after = host.state()
    if got is not None:
        got = host.strip(kind, got) if kind in OBJECTS else len(got)
    heard = host.heard()
    if wanted is None:
        return error, after, got
    wrong = compare(before, wanted, answer, error, got, after)
    if not wrong and after != before and not heard and kind in TOLD:
        wrong = 'nobody was told'
    return wrong, after, got


def walk_command(host, name, requests, request, flags):
    """All allocations of one command."""
    host.prepare(requests)
    before = host.state()
    error, wanted, answer = command(host, before, request, flags)
    wrong = [error] if error else []
    refused = nth = 0
    while not wrong:
        host.prepare(requests)
        nth += 1
        fail.arm(nth)
        what, after, got = command(host, before, request, flags, wanted, answer)
        if not fail.hit:
            fail.arm(0)
            break
        refused += got is None
        if what:
            wrong.append(f'allocation {nth}: {what}')
    fault.result(not wrong and nth > 1, f'{name}: {nth - 1} allocations, {refused} errors', wrong[:3])


def walk_first(name, requests, request, flags):
    """The first command in a namespace registers hooks, too."""
    wrong = []
    nth = 0
    while not wrong:
        libc.unshare(NEWNET)
        host = Host()
        before = host.state()
        nth += 1
        fail.arm(nth)
        error, got = host.run(request, flags)
        hit, after = fail.hit, host.state()
        fail.arm(0)
        if not hit:
            break
        if error and 'refused' in error and after != before:
            wrong.append(f'allocation {nth}: {error}, and done')
        if not error and after == before:
            wrong.append(f'allocation {nth}: not done')
        host.prepare(requests)
        error, got = host.run(request, flags)
        if error:
            wrong.append(f'after allocation {nth}: {error}')
        host.prepare([])
    fault.result(not wrong and nth > 1, f'first of a namespace, {name}: {nth - 1} allocations', wrong[:3])


def walked_all():
    """What the spec has and no command above."""
    asked = {(op, kind) for op, spec in nl.OPS.items() for kind in ('do', 'dump') if kind in spec}
    walked = {(request[0], 'dump' if flags == nl.NLM_F_DUMP else 'do') for _, request, flags in COMMANDS.values()}
    fault.result(asked <= walked, 'each command of the spec is walked', sorted(asked - walked))


def walk_namespace():
    """What a namespace needs of the module; where that can do with less memory it does."""
    nth = 0
    fine = hit = True
    while fine and hit:
        nth += 1
        fail.arm(nth)
        fine = not fail.call(libc.unshare, NEWNET) or ctypes.get_errno() == errno.ENOMEM
        hit = fail.hit
        fail.arm(0)
    fault.result(fine and nth > 1, f'a namespace: {nth - 1} allocations')


def main():
    """All walks."""
    fault.setup()
    host = Host()
    for name, (requests, request, flags) in COMMANDS.items():
        walk_command(host, name, requests, request, flags)
    host.prepare([])
    fault.only_modules()
    for name, (requests, request, flags) in FIRST.items():
        walk_first(name, requests, request, flags)
    walk_namespace()
    walked_all()
    sys.exit(fault.failed > 0)


main()
