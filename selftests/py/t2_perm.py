#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Try every command and every multicast group, as whoever runs this.

Prints the errno of each, 0 when it was allowed, like "sa-new=EPERM".
"""
import errno
import ipaddress

import t2_netlink as nl

DST = ipaddress.ip_address('10.0.0.2').packed
SA = {'dst': DST, 'proto': 50, 'spi': 0x1001}
POLICY = {'dir': 2, 'action': 2, 'selector': {'dst': DST}}
REQUESTS = {
    'sa-new': dict(SA, src=DST, mode=1, aead={'name': 'rfc4106(gcm(aes))', 'key': bytes(20)}),
    'sa-update': SA, 'sa-get': SA, 'sa-del': SA, 'sa-flush': {}, 'sa-allocspi': {'dst': DST, 'proto': 50},
    'policy-new': POLICY, 'policy-update': POLICY, 'policy-get': {'index': 1}, 'policy-del': {'index': 1},
    'policy-flush': {}, 'stats-get': {}, 'sa-dummy': SA, 'guard-new': {'ifindex': 1}, 'guard-del': {'ifindex': 1},
}


def name(code):
    return errno.errorcode.get(code, code) if code else 0


def attempt(what, call):
    try:
        call()
        code = 0
    except nl.Refused as error:
        code = error.errno
    except OSError as error:
        code = error.errno
    print(f'{what}={name(code)}')


def main():
    sock = nl.Socket()
    for op, spec in nl.OPS.items():
        if 'do' in spec:
            attempt(op, lambda op=op: sock.call(op, REQUESTS[op]))
        if 'dump' in spec:
            attempt(f'{op}-dump', lambda op=op: sock.dump(op))
    for group in sock.groups:
        attempt(f'group-{group}', lambda group=group: sock.join(group))


main()
