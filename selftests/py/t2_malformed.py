#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send what is wrong to every command and see that the answer says what is wrong.

Prints KTAP lines without a plan; exit status 1 when anything failed.
"""
import copy
import errno
import ipaddress
import re
import struct
import sys

import t2_netlink as nl

A = ipaddress.ip_address('10.0.0.1').packed
B = ipaddress.ip_address('10.0.0.2').packed
A6 = ipaddress.ip_address('fd00::1').packed
B6 = ipaddress.ip_address('fd00::2').packed
GCM, CBC, NULL, SHA = 'rfc4106(gcm(aes))', 'cbc(aes)', 'ecb(cipher_null)', 'hmac(sha256)'
ESP, AH, TRANSPORT, TUNNEL = 50, 51, 0, 1
IN, OUT, FWD = 1, 2, 3
PROTECT, BYPASS, DISCARD = 1, 2, 3
FLAGS = next(d['entries'] for d in nl.SPEC['definitions'] if d['name'] == 'sa-flag')
WEAK = 1 << [flag['name'] for flag in FLAGS].index('allow-weak')
DROP = object()

GOOD_SA = {
    'dst': B, 'src': A, 'proto': ESP, 'spi': 0x1001, 'mode': TUNNEL, 'dir': OUT, 'reqid': 7, 'owner': 0,
    'flags': 1, 'replay-window': 64, 'ttl': 5, 'tos': 4, 'output-mark': 5, 'output-mark-mask': 7,
    'aead': {'name': GCM, 'key': bytes(range(20)), 'icv-bits': 128},
    'selector': {'src': A, 'src-len': 24, 'dst': B, 'dst-len': 24, 'proto': 6, 'sport-first': 1,
                 'sport-last': 2, 'dport-first': 3, 'dport-last': 4},
    'lifetime': {'byte-soft': 1 << 40, 'byte-hard': 1 << 41, 'packet-soft': 1 << 40, 'packet-hard': 1 << 41,
                 'add-soft': 1000, 'add-hard': 2000, 'use-soft': 1000, 'use-hard': 2000},
    'usage': {'bytes': 0, 'packets': 0, 'add-time': 0, 'use-time': 0, 'last-used': 0},
    'replay': {'oseq': 0, 'seq': 5, 'bitmap': b'\1\0\0\0'},
}
GOOD_POLICY = {
    'dir': OUT, 'action': PROTECT, 'priority': 10, 'owner': 0,
    'selector': {'src': A, 'src-len': 24, 'dst': B, 'dst-len': 32, 'proto': 17, 'sport-first': 1,
                 'sport-last': 2, 'dport-first': 3, 'dport-last': 4, 'ifindex': 5},
    'tmpl': {'src': A, 'dst': B, 'proto': ESP, 'mode': TUNNEL, 'reqid': 7, 'spi': 0},
}
AUTH = {'name': SHA, 'key': bytes(32), 'icv-bits': 128}

count = failed = 0


def result(ok, name, detail=''):
    """One KTAP line."""
    global count, failed
    count += 1
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {count} - {name}{'' if ok else ' # ' + str(detail)}")


def but(good, **changes):
    """A copy with some attributes changed; 'a__b' is b inside of a, '_' is '-'."""
    out = copy.deepcopy(good)
    for path, value in changes.items():
        *nests, name = [p.replace('_', '-') for p in path.split('__')]
        where = out
        for nest in nests:
            where = where[nest]
        if value is DROP:
            del where[name]
        else:
            where[name] = value
    return out


class Tester:
    """Each request must be refused, with the attribute named, and change nothing."""

    def __init__(self):
        self.sock = nl.Socket()
        self.before = self.state()

    def state(self):
        """All that a refused request must not change."""
        return self.sock.dump('sa-get', {'with-keys': 1}), self.sock.dump('policy-get')

    def refused(self, name, op, attrs, about=None, text='.', code=None, flags=0):
        """about: the attribute that the answer must name, by offset, type or text."""
        try:
            self.sock.call(op, attrs, flags)
            result(False, name, 'was accepted')
            return
        except nl.Refused as error:
            attr_set = nl.OPS[op]['attribute-set']
            named = error.names(attr_set)
            words = f'{error.errno} {error.message} ({named})'
            if about and about != named and not (named or '').endswith('/' + about):
                last = about.rsplit('/', 1)[-1]
                if not re.search(rf'\b{re.escape(last)}\b', error.message or ''):
                    return result(False, name, f'does not name {about}: {words}')
            if not re.search(text, error.message or ''):
                return result(False, name, f'does not say {text!r}: {words}')
            if code and error.errno != code:
                return result(False, name, f'not {errno.errorcode[code]}: {words}')
        after = self.state()
        result(after == self.before, name, 'something changed')
        self.before = after


def request_names(op, kind):
    """Attributes that the spec lists for a request."""
    return nl.OPS[op].get(kind, {}).get('request', {}).get('attributes', [])


def every_length(test, op, good):
    """Each attribute, one octet too short and one too long."""
    attr_set = nl.OPS[op]['attribute-set']

    def each(attrs, a_set, path):
        for name, value in attrs.items():
            spec = nl.spec_of(a_set, name)
            if spec['type'] == 'nest':
                yield from each(value, spec['nested-attributes'], path + [name])
                continue
            data = nl.encode_value(spec, value)
            if name == 'name':
                yield path + [name], b'x' * 64 + b'\0', name
                yield path + [name], b'', name
                continue
            if name == 'bitmap':
                yield path + [name], data[:-1], name
                yield path + [name], bytes(516), name
                continue
            if name == 'key':
                continue
            yield path + [name], data[:-1], name
            yield path + [name], data + b'\0', name

    for path, data, name in list(each(good, attr_set, [])):
        attrs = copy.deepcopy(good)
        where = attrs
        for part in path[:-1]:
            where = where[part]
        where[path[-1]] = data
        test.refused(f"{op}: {'/'.join(path)} of {len(data)} octets", op, attrs, name)


def every_unknown(test, op, good):
    """Attributes that nobody knows, and those that are not for this command."""
    attr_set = nl.OPS[op]['attribute-set']
    base = list(good.items())
    test.refused(f'{op}: attribute 60', op, base + [(60, b'\0' * 4)], '#60')
    known = set(request_names(op, 'do'))
    for name, number in nl.NUMBERS[attr_set].items():
        if name not in known:
            test.refused(f'{op}: {name} does not belong here', op, base + [(number, b'\0' * 4)], name)
    for name, value in good.items():
        if isinstance(value, dict):
            nest = nl.spec_of(attr_set, name)['nested-attributes']
            data = nl.encode(nest, list(value.items()) + [(60, b'\0' * 4)])
            wrong = dict(good)
            wrong[name] = None
            attrs = b''.join(nl.attr(nl.NUMBERS[attr_set][n], data, True) if v is None else
                             nl.encode(attr_set, {n: v}) for n, v in wrong.items())
            test.refused(f'{op}: unknown attribute in {name}', op, attrs, '#60')
            attrs = b''.join(nl.attr(nl.NUMBERS[attr_set][n], nl.encode(nest, value)) if v is None else
                             nl.encode(attr_set, {n: v}) for n, v in wrong.items())
            test.refused(f'{op}: {name} is not marked as nested', op, attrs, name)


def missing_sa(test):
    for op in 'sa-new', 'sa-update':
        for name in 'dst', 'proto', 'spi':
            test.refused(f'{op} without {name}', op, but(GOOD_SA, **{name: DROP}), name, 'required')
    for name in 'src', 'mode':
        test.refused(f'sa-new without {name}', 'sa-new', but(GOOD_SA, **{name: DROP}), name, 'required')
    for op in 'sa-del', 'sa-get':
        for name in 'dst', 'proto', 'spi':
            attrs = {k: GOOD_SA[k] for k in ('dst', 'proto', 'spi') if k != name}
            test.refused(f'{op} without {name}', op, attrs, name, 'required')
        test.refused(f'{op} of none', op, {k: GOOD_SA[k] for k in ('dst', 'proto', 'spi')}, None, 'no SA',
                     errno.ESRCH)
        test.refused(f'{op} with nothing', op, {}, 'dst', 'required')
    test.refused('sa-update of none', 'sa-update', GOOD_SA, None, 'no SA', errno.ESRCH)
    for name in 'dst', 'proto':
        attrs = {k: GOOD_SA[k] for k in ('dst', 'proto') if k != name}
        test.refused(f'sa-allocspi without {name}', 'sa-allocspi', attrs, name, 'required')


def ranges_sa(test):
    new = 'sa-new'
    test.refused('proto 0', new, but(GOOD_SA, proto=0), 'proto')
    test.refused('proto 52', new, but(GOOD_SA, proto=52), 'proto')
    test.refused('mode 3', new, but(GOOD_SA, mode=3), 'mode')
    test.refused('dir 0', new, but(GOOD_SA, dir=0), 'dir')
    test.refused('dir fwd', new, but(GOOD_SA, dir=FWD), 'dir', 'in.*out')
    test.refused('dir 4', new, but(GOOD_SA, dir=4), 'dir')
    test.refused('flags 0x80000000', new, but(GOOD_SA, flags=0x80000000), 'flags')
    test.refused('a flow-label of 21 bits', new, but(
        GOOD_SA, dst=bytes(15) + b'\1', src=bytes(15) + b'\2', selector=DROP, **{'flow-label': 1 << 20}), 'flow-label')
    test.refused('a mask and no output-mark', new, but(GOOD_SA, **{'output-mark': DROP}), text='output-mark')
    test.refused('window 16385', new, but(GOOD_SA, replay_window=16385), 'replay-window')
    for spi in 0, 1, 255:
        test.refused(f'SPI {spi}', new, but(GOOD_SA, spi=spi), 'spi', '256')
        test.refused(f'sa-get, SPI {spi}', 'sa-get', {'dst': B, 'proto': ESP, 'spi': spi}, 'spi', '256')
    test.refused('address of 5 octets', new, but(GOOD_SA, dst=B + b'\0'), 'dst', '4 octets')
    test.refused('src of another family', new, but(GOOD_SA, src=A6), 'src', 'family')
    test.refused('unspecified dst', new, but(GOOD_SA, dst=bytes(4)), 'dst', 'unspecified')
    test.refused('unspecified src', new, but(GOOD_SA, src=bytes(4)), 'src', 'unspecified')
    test.refused('multicast src', new, but(GOOD_SA, src=b'\xe0\0\0\1'), 'src', 'multicast')
    test.refused('transport mode, selector of another family', new, but(
        GOOD_SA, mode=TRANSPORT, ttl=DROP, tos=DROP, selector__src=A6, selector__dst=B6), 'selector', 'family')
    for kind in 'byte', 'packet', 'add', 'use':
        test.refused(f'{kind}-soft above hard', new, but(GOOD_SA, **{f'lifetime__{kind}_soft': 1 << 50}),
                     f'lifetime/{kind}-soft', 'soft limit')
        test.refused(f'{kind}-hard 0', new, but(GOOD_SA, **{f'lifetime__{kind}_hard': 0}),
                     f'lifetime/{kind}-hard', '1 or more')
    test.refused('oseq above 32 bits', new, but(GOOD_SA, replay__oseq=1 << 32), 'replay/oseq', '4294967295')
    test.refused('seq above 32 bits', new, but(GOOD_SA, replay__seq=1 << 32), 'replay/seq', '4294967295')
    test.refused('bitmap without seq', new, but(GOOD_SA, replay__seq=DROP), 'seq', 'required')
    test.refused('spi-min 255', 'sa-allocspi', {'dst': B, 'proto': ESP, 'spi-min': 255}, 'spi-min', '256')
    test.refused('spi-min 0', 'sa-allocspi', {'dst': B, 'proto': ESP, 'spi-min': 0}, 'spi-min')
    test.refused('spi-max below spi-min', 'sa-allocspi',
                 {'dst': B, 'proto': ESP, 'spi-min': 300, 'spi-max': 299}, 'spi-max', 'below')
    test.refused('spi-max of IPComp', 'sa-allocspi', {'dst': B, 'proto': 108, 'spi-max': 1 << 16}, 'spi-max', '65535')
    test.refused('a dump by an address of 5 octets', 'sa-get', {'dst': B + b'\0'}, 'dst', flags=nl.NLM_F_DUMP)
    test.refused('a dump by proto 1', 'sa-get', {'proto': 1}, 'proto', flags=nl.NLM_F_DUMP)
    test.refused('a flush of proto 1', 'sa-flush', {'proto': 1}, 'proto')


def selectors(test, op, good):
    test.refused(f'{op}: selector without addresses', op,
                 but(good, selector__src=DROP, selector__src_len=DROP, selector__dst=DROP,
                     selector__dst_len=DROP), 'selector', 'src or dst')
    test.refused(f'{op}: length without an address', op, but(good, selector__src=DROP), 'src-len', 'address')
    test.refused(f'{op}: length 33', op, but(good, selector__src_len=33), 'src-len', '32')
    test.refused(f'{op}: length 129', op, but(good, selector__dst_len=129), 'dst-len')
    test.refused(f'{op}: two families', op, but(good, selector__src=A6), 'src', 'family')
    test.refused(f'{op}: ports backwards', op, but(good, selector__sport_first=3), 'sport-last', 'below')
    test.refused(f'{op}: ports without protocol', op, but(good, selector__proto=0), None, 'ports need')
    test.refused(f'{op}: ports of ESP', op, but(good, selector__proto=50), None, 'ports need')
    test.refused(f'{op}: device 0', op, but(good, selector__ifindex=0), 'ifindex')
    test.refused(f'{op}: device 0x80000000', op, but(good, selector__ifindex=1 << 31), 'ifindex')
    test.refused(f'{op}: ICMP type 256', op,
                 but(good, selector__proto=1, selector__sport_first=256, selector__sport_last=256), None, '255')
    test.refused(f'{op}: ICMP codes of two types', op, but(good, selector__proto=1), 'dport-last', 'single type')


def algorithms(test):
    new = 'sa-new'

    def case(name, about, text, proto=ESP, **algos):
        test.refused(name, new, dict(but(GOOD_SA, aead=DROP, proto=proto), **algos), about, text)

    case('ESP without algorithm', None, 'ESP needs')
    case('ESP without encryption', None, 'encryption', auth=AUTH)
    for direction in DROP, OUT:
        test.refused('counter mode of any source', new, but(
            GOOD_SA, src=bytes(4), mode=TRANSPORT, dir=direction, ttl=DROP, tos=DROP), 'src', 'counter mode')
    case('ESP without integrity', None, 'authentication', crypt={'name': CBC, 'key': bytes(16)})
    case('aead with auth', 'auth', 'stands alone', aead=GOOD_SA['aead'], auth=AUTH)
    case('aead with crypt', 'crypt', 'stands alone', aead=GOOD_SA['aead'], crypt={'name': CBC, 'key': bytes(16)})
    case('AH with aead', 'aead', 'one authentication algorithm', AH, aead=GOOD_SA['aead'])
    case('AH with crypt', 'crypt', 'one authentication algorithm', AH, auth=AUTH,
         crypt={'name': CBC, 'key': bytes(16)})
    case('AH without algorithm', None, 'AH needs', AH)
    for bad in 0, 1, 16, 19, 21, 24, 32, 37, 128:
        case(f'GCM key of {bad} octets', 'aead', '160, 224 or 288', aead={'name': GCM, 'key': bytes(bad)})
    case('GCM without key', 'aead', '160', aead={'name': GCM})
    for bad in 0, 31, 33:
        case(f'SHA key of {bad} octets', 'auth', '256', AH, auth={'name': SHA, 'key': bytes(bad)})
    for bad in 0, 15, 17, 33:
        case(f'CBC key of {bad} octets', 'crypt', '128, 192 or 256', auth=AUTH,
             crypt={'name': CBC, 'key': bytes(bad)})
    case('null cipher with a key', 'crypt', 'no key', auth=AUTH, crypt={'name': NULL, 'key': b'x'})
    case('key of 129 octets', 'key', '.', aead={'name': GCM, 'key': bytes(129)})
    for bits in 32, 127, 136, 512:
        case(f'ICV of {bits} bits', 'aead', 'gcm.*128, 96 or 64',
             aead={'name': GCM, 'key': bytes(20), 'icv-bits': bits})
    # name, octets of a good key, what the refusals of another length of key or ICV say
    for name, octets, keys, icvs in (
            ('rfc4309(ccm(aes))', 19, '152, 216 or 280 bits .24 of salt', '128, 96 or 64'),
            ('rfc4543(gcm(aes))', 20, '160, 224 or 288 bits .32 of salt', '128 bits'),
            ('rfc7539esp(chacha20,poly1305)', 36, '288 bits .32 of salt', '128 bits')):
        case(f'{name}: key', 'aead', keys, aead={'name': name, 'key': bytes(octets - 1)})
        case(f'{name}: ICV', 'aead', icvs, aead={'name': name, 'key': bytes(octets), 'icv-bits': 160})
    for name, octets, icvs in (('hmac(sha1)', 20, '96 or 160'), ('hmac(sha256)', 32, '128, 96 or 256'),
                               ('hmac(sha384)', 48, '192 or 384'), ('hmac(sha512)', 64, '256 or 512'),
                               ('xcbc(aes)', 16, '96 or 128'), ('cmac(aes)', 16, '96 or 128'),
                               ('hmac(sm3)', 32, '256 or 128')):
        for proto in ESP, AH:
            rest = {'crypt': {'name': NULL}} if proto == ESP else {}
            for bad in octets - 1, octets + 1:
                case(f'{name}: key of {bad}, protocol {proto}', 'auth', f'have {octets * 8} bits', proto,
                     auth={'name': name, 'key': bytes(bad)}, **rest)
            case(f'{name}: ICV, protocol {proto}', 'auth', icvs, proto,
                 auth={'name': name, 'key': bytes(octets), 'icv-bits': 80}, **rest)
    for name, octets, keys in (('rfc3686(ctr(aes))', 20, '160, 224 or 288 bits .32 of salt'),
                               ('cbc(camellia)', 16, '128, 192 or 256'), ('cbc(sm4)', 16, '128')):
        case(f'{name}: key', 'crypt', keys, auth=AUTH, crypt={'name': name, 'key': bytes(octets + 1)})
        case(f'{name}: ICV', 'crypt', 'no ICV', auth=AUTH,
             crypt={'name': name, 'key': bytes(octets), 'icv-bits': 128})
    # RFC 8221 sections 5 and 6
    weak = {'auth': {'name': 'hmac(md5)', 'key': bytes(16)},
            'crypt': {'name': 'cbc(des3_ede)', 'key': bytes(range(24))}}
    case('MD5 unasked', 'auth', 'allow-weak.*MUST NOT', AH, auth=weak['auth'])
    case('3DES unasked', 'crypt', 'allow-weak.*SHOULD NOT', auth=AUTH, crypt=weak['crypt'])
    case('MD5: key', 'auth', '128 bits', AH, flags=WEAK, auth={'name': 'hmac(md5)', 'key': bytes(20)})
    case('3DES: key', 'crypt', '192 bits', flags=WEAK, auth=AUTH, crypt={'name': 'cbc(des3_ede)', 'key': bytes(16)})
    # RFC 2451 section 2.3: two keys that are equal undo each other
    for name, key in ('first two', bytes(range(1, 9)) * 2 + bytes(8)), ('last two', bytes(8) + bytes(range(1, 9)) * 2):
        case(f'3DES: {name} keys equal', 'crypt', 'weak', flags=WEAK, auth=AUTH,
             crypt={'name': 'cbc(des3_ede)', 'key': key})
    case('DES', None, 'unknown algorithm', flags=WEAK, auth=AUTH, crypt={'name': 'cbc(des)', 'key': bytes(8)})
    case('ICV of 513 bits', 'icv-bits', '.', aead={'name': GCM, 'key': bytes(20), 'icv-bits': 513})
    case('algorithm without name', 'name', 'required', aead={'key': bytes(20)})
    for kind, takes in ('aead', 'rfc4106'), ('auth', 'hmac'), ('crypt', 'cbc'):
        rest = {'auth': AUTH} if kind == 'crypt' else {}
        case(f'unknown {kind}', None, f'unknown algorithm.*{takes}', AH if kind == 'auth' else ESP,
             **dict(rest, **{kind: {'name': 'rot13', 'key': bytes(20)}}))
        case(f'empty {kind}', None, '.', AH if kind == 'auth' else ESP,
             **dict(rest, **{kind: {'name': '', 'key': bytes(20)}}))
    case('an auth name as aead', None, 'unknown algorithm', aead=AUTH)


def policies(test):
    for op in 'policy-new', 'policy-update':
        for name in 'dir', 'action', 'selector':
            test.refused(f'{op} without {name}', op, but(GOOD_POLICY, **{name: DROP}), name, 'required')
        test.refused(f'{op}: PROTECT without template', op, but(GOOD_POLICY, tmpl=DROP), None, 'tmpl|template')
        for action in BYPASS, DISCARD:
            test.refused(f'{op}: action {action} with a template', op, but(GOOD_POLICY, action=action), None,
                         'tmpl|template')
        seven = but(GOOD_POLICY, tmpl=[GOOD_POLICY['tmpl']] * 7)
        test.refused(f'{op}: seven templates', op, seven, None, 'at most 6')
        for name in 'proto', 'mode':
            test.refused(f'{op}: template without {name}', op, but(GOOD_POLICY, **{f'tmpl__{name}': DROP}),
                         name, 'required')
    new = 'policy-new'
    test.refused('dir 0', new, but(GOOD_POLICY, dir=0), 'dir')
    test.refused('dir 4', new, but(GOOD_POLICY, dir=4), 'dir')
    test.refused('action 0', new, but(GOOD_POLICY, action=0), 'action')
    test.refused('action 4', new, but(GOOD_POLICY, action=4), 'action')
    test.refused('tunnel template without addresses', new, but(GOOD_POLICY, tmpl__src=DROP, tmpl__dst=DROP),
                 None, 'src and dst')
    test.refused('template without dst', new, but(GOOD_POLICY, tmpl__dst=DROP), None, 'src and dst')
    test.refused('template of two families', new, but(GOOD_POLICY, tmpl__src=A6), 'src', 'family')
    test.refused('template from a group', new, but(GOOD_POLICY, tmpl__src=b'\xe0\0\0\1'), 'src', 'multicast')
    test.refused('transport template of another family', new,
                 but(GOOD_POLICY, tmpl__mode=TRANSPORT, tmpl__src=A6, tmpl__dst=B6), None, 'family')
    test.refused('template with SPI 255', new, but(GOOD_POLICY, tmpl__spi=255), 'spi', '256')
    test.refused('template with proto 6', new, but(GOOD_POLICY, tmpl__proto=6), 'proto')
    test.refused('template with mode 3', new, but(GOOD_POLICY, tmpl__mode=3), 'mode')
    for op in 'policy-del', 'policy-get':
        test.refused(f'{op} with nothing', op, {}, None, 'index|dir')
        test.refused(f'{op} without selector', op, {'dir': OUT}, 'selector', 'required')
        test.refused(f'{op} without dir', op, {'selector': GOOD_POLICY['selector']}, 'dir', 'required')
        test.refused(f'{op} of index 0', op, {'index': 0}, 'index', '1 or more')
        test.refused(f'{op} of none by index', op, {'index': 999}, None, 'no policy', errno.ENOENT)
        test.refused(f'{op} of none by selector', op, {'dir': OUT, 'selector': {'src': A}}, None, 'no policy',
                     errno.ENOENT)
    test.refused('a dump by dir 4', 'policy-get', {'dir': 4}, 'dir', flags=nl.NLM_F_DUMP)
    test.refused('a dump of one', 'policy-get', {'index': 1}, None, 'owner and dir', flags=nl.NLM_F_DUMP)
    test.refused('a flush of dir 0', 'policy-flush', {'dir': 0}, 'dir')


def duplicates(test):
    test.sock.call('sa-new', GOOD_SA)
    test.sock.call('policy-new', GOOD_POLICY)
    test.before = test.state()
    test.refused('an SA twice', 'sa-new', GOOD_SA, None, 'exists', errno.EEXIST)
    test.refused('an SA twice, otherwise different', 'sa-new',
                 but(GOOD_SA, src=B, mode=TRANSPORT, reqid=8, selector=DROP), None, 'exists', errno.EEXIST)
    test.refused('a policy twice', 'policy-new', GOOD_POLICY, None, 'exists', errno.EEXIST)
    test.refused('a policy twice, otherwise different', 'policy-new',
                 but(GOOD_POLICY, action=DISCARD, tmpl=DROP), None, 'exists', errno.EEXIST)
    test.refused('a policy that differs behind the prefix', 'policy-new',
                 but(GOOD_POLICY, selector__src=bytes([10, 0, 0, 99])), None, 'exists', errno.EEXIST)
    for name, value in (('src', B), ('mode', TRANSPORT), ('dir', IN), ('reqid', 8), ('flags', 2), ('tos', 8),
                        ('tfcpad', 100), ('replay_window', 128)):
        changes = {name: value}
        if name == 'mode':
            changes['selector'] = DROP
        test.refused(f'sa-update: another {name}', 'sa-update', but(GOOD_SA, **changes),
                     name.replace('_', '-'), 'cannot be changed')
    test.refused('sa-dummy without a route', 'sa-dummy', {'dst': B, 'proto': ESP, 'spi': 0x1001}, None, 'route',
                 errno.ENETUNREACH)
    test.refused('sa-update: another key', 'sa-update', but(GOOD_SA, aead__key=bytes(20)), 'aead',
                 'cannot be changed')
    # the good ones still are
    test.sock.call('sa-update', GOOD_SA)
    test.sock.call('policy-update', GOOD_POLICY)
    result(len(test.state()[0]) == 1 and len(test.state()[1]) == 1, 'an update of what is there')
    test.sock.call('sa-flush')
    test.sock.call('policy-flush')
    test.before = test.state()
    result(test.before == ([], []), 'a flush of all')


def truncated(test):
    """Messages that are cut or whose attributes claim more than is there."""
    good = nl.encode('sa', GOOD_SA)
    for size in (1, 2, 3, 5, 7, 9, 41):
        test.refused(f'sa-new cut to {size} octets', 'sa-new', good[:size])
    test.refused('an attribute that is longer than the message', 'sa-new',
                 struct.pack('=HH', 400, 1) + B)
    test.refused('an attribute of length 3', 'sa-new', struct.pack('=HH', 3, 1) + B)
    test.refused('an attribute of length 0', 'sa-new', struct.pack('=HH', 0, 1) + B)
    test.refused('octets behind the last attribute', 'sa-new', good + b'\1\2')
    for cmd in 0, 200:
        try:
            test.sock.raw(test.sock.family, cmd, b'')
            result(False, f'command {cmd}', 'was accepted')
        except nl.Refused as error:
            result(error.errno == errno.EOPNOTSUPP, f'command {cmd} does not exist', error)
    for op in ('sa-new-ntf', 'acquire-ntf'):
        try:
            test.sock.call(op, {})
            result(False, f'{op} as a request', 'was accepted')
        except nl.Refused as error:
            result(error.errno == errno.EOPNOTSUPP, f'{op} is no request', error)


def main():
    test = Tester()
    result(test.before == ([], []), 'nothing is there')
    missing_sa(test)
    ranges_sa(test)
    selectors(test, 'sa-new', GOOD_SA)
    algorithms(test)
    policies(test)
    selectors(test, 'policy-new', GOOD_POLICY)
    every_length(test, 'sa-new', but(GOOD_SA, tfcpad=1000))
    every_length(test, 'policy-new', GOOD_POLICY)
    every_length(test, 'sa-del', {k: GOOD_SA[k] for k in ('dst', 'proto', 'spi')})
    every_length(test, 'policy-del', {'index': 5})
    every_length(test, 'sa-flush', {'owner': 1, 'proto': ESP})
    every_length(test, 'policy-flush', {'owner': 1, 'dir': OUT})
    every_length(test, 'sa-allocspi', {'dst': B, 'src': A, 'proto': ESP, 'mode': TUNNEL, 'reqid': 1, 'owner': 1,
                                       'spi-min': 300, 'spi-max': 400})
    dummy = {'dst': B, 'proto': ESP, 'spi': 0x1001, 'count': 1, 'dummy-len': 100}
    every_length(test, 'sa-dummy', dummy)
    test.refused('sa-dummy: 1001 packets', 'sa-dummy', but(dummy, count=1001), 'count', 'at most')
    test.refused('sa-dummy of AH', 'sa-dummy', but(dummy, proto=AH), 'proto', 'ESP')
    every_unknown(test, 'sa-new', GOOD_SA)
    every_unknown(test, 'sa-dummy', dummy)
    every_unknown(test, 'policy-new', GOOD_POLICY)
    every_unknown(test, 'sa-del', {k: GOOD_SA[k] for k in ('dst', 'proto', 'spi')})
    every_unknown(test, 'policy-del', {'index': 5})
    every_unknown(test, 'sa-flush', {})
    every_unknown(test, 'policy-flush', {})
    for op in 'guard-new', 'guard-del':
        every_length(test, op, {'ifindex': 1})
        every_unknown(test, op, {'ifindex': 1})
        test.refused(f'{op} without ifindex', op, {}, 'ifindex', 'required')
        test.refused(f'{op}: device 0', op, {'ifindex': 0}, 'ifindex')
        test.refused(f'{op}: no such device', op, {'ifindex': 1 << 31}, 'ifindex', 'ifindex')
    truncated(test)
    duplicates(test)
    sys.exit(failed > 0)


main()
