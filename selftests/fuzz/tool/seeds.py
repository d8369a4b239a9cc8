#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""seeds.py DIRECTORY: what the fuzzers of the tool begin with, a file each, in
DIRECTORY/command and DIRECTORY/bridge.

Lines of command.corpus, with answers made of the messages of ../netlink.corpus; messages
of XFRM and rtnetlink that are right, and what bridge.corpus keeps in hex.
"""
import ipaddress
import pathlib
import struct
import sys

import yaml

here = pathlib.Path(__file__).parent
sys.path[:0] = [str(here.parent), str(here.parents[1] / 'py')]
import netlink  # noqa: E402
import t2_netlink as nl  # noqa: E402

IF_ID = 77
NEWSA, DELSA, NEWPOLICY, DELPOLICY, EXPIRE, UPDPOLICY, UPDSA, FLUSHSA = 0x10, 0x11, 0x13, 0x14, 0x18, 0x19, 0x1a, 0x1c
ENDS = [(2, *(ipaddress.ip_address(a).packed.ljust(16, b'\0') for a in ('10.0.0.1', '10.0.0.2'))),
        (10, *(ipaddress.ip_address(a).packed for a in ('fd00::1', 'fd00::2')))]
KINDS = {'sa': 'sa-new', 'policy': 'policy-new'}


def sized(data):
    return struct.pack('<H', len(data)) + data


def answers():
    """Octets of attributes as the module would send them, by attribute set."""
    found = {'sa': [], 'policy': []}
    for entry in yaml.safe_load((here.parent / 'netlink.corpus').read_text()):
        (what, attrs), = entry.items()
        for name, op in KINDS.items():
            if what == op:
                found[name].append(b''.join(node.encode() for node in netlink.build(name, attrs)))
    drop = {'reason': 3, 'name': 'in-replay', 'text': 'a sentence', 'packets': 7}
    found['sa'].append(nl.encode('sa', {'id': 5, 'state': 2, 'dst': ENDS[0][1][:4], 'src': ENDS[0][2][:4], 'proto': 50, 'spi': 5,
                                        'owner': IF_ID, 'drop': [drop], 'path-mtu': 1300, 'path-mtu-expires': 10, 'hard': 1,
                                        'usage': {'bytes': 1, 'packets': 2, 'add-time': 3, 'use-time': 4, 'last-used': 5},
                                        'lifetime': {'byte-soft': 5, 'byte-hard': 2**64 - 1}, 'new-src': ENDS[0][1][:4], 'new-sport': 9}))
    found['stats'] = [nl.encode('stats', {'version': '1', 'drop': [drop], 'sa-count': 1, 'in-packets': 9, 'out-sent': 3})]
    found['algorithm'] = [nl.encode('algorithm', {'kind': 1, 'name': 'rfc4106(gcm(aes))', 'alias': 'gcm', 'key-bits': struct.pack('=3I', 160, 224, 288),
                                                  'icv-bits': struct.pack('=I', 128), 'salt-bits': 32, 'iv-bits': 64, 'status': 'MUST', 'lacks': 'X'})]
    return found


def attr(number, data):
    return nl.attr(number, data)


def selector(family, src, dst, bits, proto=17):
    ports = struct.pack('>HHHH', 53, 0xffff, 0, 0) if proto else bytes(8)
    return dst + src + ports + struct.pack('=HBBB3xii', family, bits, bits, proto, 0, 0)


def algorithms(esn):
    yield attr(31, struct.pack('=I', IF_ID))
    if esn:
        yield attr(18, b'rfc4106(gcm(aes))'.ljust(64, b'\0') + struct.pack('=II', 160, 128) + bytes(range(20)))
        yield attr(23, struct.pack('=6I', 4, 11, 205, 0, 0, 100) + bytes(16))
        yield attr(4, struct.pack('=HHHxx16s', 2, 0x9411, 0x9411, bytes(16)))
    else:
        yield attr(10, struct.pack('=3I', 7, 9, 3))
        yield attr(20, b'hmac(sha256)'.ljust(64, b'\0') + struct.pack('=II', 256, 128) + bytes(range(32)))
        yield attr(2, b'cbc(aes)'.ljust(64, b'\0') + struct.pack('=I', 128) + bytes(range(16)))


def messages():
    """(type, payload) of XFRM."""
    limits, current = struct.pack('=8Q', 1, *[2 ** 64 - 1] * 4, 60, 0, 0), struct.pack('=4Q', 1, 2, 3, 4)
    for family, src, dst in ENDS:
        ident = dst + struct.pack('>IB3x', 0x1001, 50)
        for esn in False, True:
            info = (selector(family, src, dst, 32) + ident + src + limits + current + bytes(12) +
                    struct.pack('=IIHBBB7x', 0, 5, family, 1, 32, 128 if esn else 0))
            attrs = b''.join(algorithms(esn))
            yield NEWSA, info + attrs
            yield UPDSA, info + attrs
            yield EXPIRE, info + struct.pack('=B7x', 1) + attrs
            yield DELSA, dst + struct.pack('>I', 0x1001) + struct.pack('=HBx', family, 50) + attr(6, info) + attrs
        tmpl = ident + struct.pack('=Hxx16sIBBBx3I', family, src, 5, 1, 0, 0, *[2 ** 32 - 1] * 3)
        attrs = attr(5, tmpl) + attr(31, struct.pack('=I', IF_ID)) + attr(16, bytes(6))
        for proto in 17, 0:
            sel = selector(family, src, dst, 24, proto)
            policy = sel + limits + current + struct.pack('=IIBBBB4x', 10, 9, 1, 0, 0, 0)
            yield NEWPOLICY, policy + attrs
            yield UPDPOLICY, policy + attr(5, tmpl * 3) + attrs
            yield DELPOLICY, sel + struct.pack('=IB3x', 9, 1) + attr(7, policy) + attrs
    yield FLUSHSA, b'\x32'


def host():
    """The same of rtnetlink: an address and two routes."""
    for family, src, dst in ENDS:
        size = 4 if family == 2 else 16
        yield 20, struct.pack('=BBBBI', family, 24, 0, 0, 1) + attr(1, src[:size]) + attr(2, src[:size])
        yield 24, struct.pack('=8BI', family, 24, 0, 0, 254, 4, 0, 1, 0) + attr(1, dst[:size]) + attr(5, src[:size]) + attr(4, bytes([1, 0, 0, 0]))
        # one that the bridge made
        yield 24, struct.pack('=8BI', family, 24, 0, 0, 220, 80, 0, 1, 0) + attr(1, dst[:size]) + attr(7, src[:size]) + attr(6, struct.pack('=I', IF_ID))


# nothing happens at an octet 0, and a request that meets one is granted
DONE, GRANTED, ALL = b'\0', bytes(12), b'\5'


def recall(number, *edits):
    """What Postern was told to make, of the eight last ones, with other octets."""
    return bytes([0xfd, number, len(edits)]) + b''.join(struct.pack('<HB', *edit) for edit in edits)


def resync(sa, policy, table, meets):
    """All of XFRM read twice, when the bridge knows an SA and a policy and meets them in Postern, too."""
    before = b''.join((sa, GRANTED, policy, GRANTED))
    address, route, own = table
    # the address, what lets IKE pass, the routes; one goes and one comes
    host = address + DONE + bytes(8) + route + own + DONE + DONE + DONE
    for mine, its in meets:
        sas = sa + DONE + mine + DONE + sa + mine + DONE + DONE
        policies = policy + DONE + policy + its + DONE + DONE + its + DONE
        yield before + ALL + host + sas + policies + GRANTED


def main():
    out = pathlib.Path(sys.argv[1])
    for name in 'command', 'bridge':
        (out / name).mkdir(parents=True, exist_ok=True)
    kernel = answers()
    everything = [one for found in kernel.values() for one in found]
    lines = [line for line in (here / 'command.corpus').read_text().splitlines() if line and line[0] != '#']
    for i, line in enumerate(lines):
        text = line.replace('\\n', '\n').encode()
        topic = 'policy' if 'policy' in line else 'stats' if 'stats' in line else 'algorithm' if 'algs' in line else 'sa'
        some = everything if 'monitor' in line or line.startswith('-j\\n') or line == '-s' else kernel[topic]
        for j, one in enumerate(some):
            (out / 'command' / f'{i}-{j}').write_bytes(text + b'\0' + bytes([j + 2]) + sized(one))
        (out / 'command' / f'{i}').write_bytes(text + b'\0' + b''.join(bytes([j + 2]) + sized(one) for j, one in enumerate(some)))
    xfrm = {}
    for kind, payload in messages():
        xfrm.setdefault(kind, []).append(bytes([kind]) + sized(payload))
    seeds = [one for found in xfrm.values() for one in found]
    table = [bytes([kind]) + sized(payload) for kind, payload in host()]
    # the addresses of the host, leave to let IKE pass to them, and routes
    follow = b'\1' + b''.join(table[0::3]) + bytes(17) + b''.join(table[1::3])

    def event(op, attr_set, attrs):
        return b'\4' + bytes([nl.OPS[op]['value']]) + sized(nl.encode(attr_set, attrs))
    for i, (family, src, dst) in enumerate(ENDS):
        size = 4 if family == 2 else 16
        sa = {'id': 5, 'dst': dst[:size], 'src': src[:size], 'proto': 50, 'spi': 0x1001, 'owner': IF_ID, 'state': 2, 'mode': 1,
              'usage': {'bytes': 9000, 'packets': 90, 'use-time': 1700000000}, 'replay': {'oseq': 500, 'seq': 600, 'bitmap': b'\1' * 16}}
        policy = {'index': 3, 'dir': 2, 'owner': IF_ID, 'priority': 10, 'action': 1,
                  'selector': {'src': src[:3].ljust(size, b'\0'), 'src-len': 24, 'dst': dst[:3].ljust(size, b'\0'), 'dst-len': 24, 'proto': 17, 'dport-first': 53, 'dport-last': 53}}
        for j in 2 * i, 2 * i + 1:
            life = [xfrm[NEWSA][j], xfrm[UPDSA][j], event('sa-expire-ntf', 'sa', dict(sa, hard=0)), b'\2\2' + sized(nl.encode('sa', sa)),
                    event('sa-mapping-ntf', 'sa', sa), event('sa-expire-ntf', 'sa', dict(sa, hard=1)), event('sa-del-ntf', 'sa', sa),
                    xfrm[DELSA][j], xfrm[NEWSA][j], xfrm[EXPIRE][j]]
            seeds.append(GRANTED.join(life))
        seeds.append(GRANTED.join([xfrm[NEWPOLICY][2 * i], follow, event('acquire-ntf', 'policy', dict(policy, id=1, packet=policy['selector'])),
                                   xfrm[UPDPOLICY][2 * i], event('policy-del-ntf', 'policy', policy), follow, xfrm[DELPOLICY][2 * i], follow]))
        meets = [(recall(0), recall(1))] + [(recall(0, (at, 9)), recall(1, (at, 9))) for at in range(4, 600, 20)]
        meets += [(b'\1\x16' + sized(b''), recall(1)), (recall(0) + recall(1), recall(2) + recall(5))]
        for j in 2 * i, 2 * i + 1:
            seeds += resync(xfrm[NEWSA][j], xfrm[NEWPOLICY][j], table[3 * i:3 * i + 3], meets)
    seeds += [b'\4' + bytes([nl.OPS[op]['value']]) + sized(one) for op in nl.OPS if 'event' in nl.OPS[op]
              for one in kernel[nl.OPS[op]['attribute-set']][-2:]]
    # all of XFRM twice over
    seeds.append(b'\5\0\0\0' + b'\0'.join(2 * [xfrm[NEWSA][0] + xfrm[NEWSA][2]] + 2 * [b''.join(xfrm[NEWPOLICY])]) + GRANTED + b'\2' + GRANTED)
    kept = here / 'bridge.corpus'
    seeds += [bytes.fromhex(line) for line in kept.read_text().splitlines() if line and line[0] != '#']
    for i, seed in enumerate(seeds):
        (out / 'bridge' / f'{i}').write_bytes(seed)


main()
