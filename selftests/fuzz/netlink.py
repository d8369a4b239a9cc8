#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send messages that are nearly right and see that what is refused changes nothing.

Begins from the messages of netlink.corpus, changes each in one to three ways, by the
spec uapi/postern.yaml, and compares SAs (with their keys), policies and events after
each one that is refused. Message N of a seed is always the same; what comes of it may
hang on the ones before.
"""
import argparse
import collections
import copy
import errno
import ipaddress
import pathlib
import random
import struct
import sys
import time

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'py'))
import t2_netlink as nl  # noqa: E402

DEFS = {d['name']: d for d in nl.SPEC['definitions']}
WIDTH = {'u8': 1, 'u16': 2, 'u32': 4, 'u64': 8}
# Larger than this, and the dumps are what takes the time.
OBJECTS = 24
# What can leave half of its work behind is sent more often.
OFTEN = {'sa-update': 6, 'policy-update': 5, 'sa-new': 2, 'policy-new': 3}
REQUESTS = [name for name, op in nl.OPS.items() if 'event' not in op]
QUIET = {nl.OPS[name]['value'] for name in ('sa-del-ntf', 'sa-expire-ntf', 'sa-used-ntf', 'sa-unknown-ntf', 'acquire-ntf',
                                            'sa-mapping-ntf')}


# What generic netlink answers for itself, without words.
KERNELS = errno.EPERM, errno.EOPNOTSUPP


class Node:
    """An attribute: data or children, and what is to be wrong with it."""

    def __init__(self, number, spec=None, data=b'', kids=None):
        self.number, self.spec, self.data, self.kids = number, spec or {}, data, kids
        self.nested = kids is not None
        self.flags, self.lie, self.pad = 0, None, True

    def encode(self):
        data = self.data if self.kids is None else b''.join(kid.encode() for kid in self.kids)
        size = 4 + len(data) if self.lie is None else self.lie(4 + len(data))
        kind = self.number | self.flags | (nl.NLA_F_NESTED if self.nested else 0)
        return struct.pack('=HH', size & 0xffff, kind & 0xffff) + data + bytes(-len(data) % 4 if self.pad else 0)


class Message:
    """A request, its header included."""

    def __init__(self, op, nodes, flags):
        self.cmd, self.set = nl.OPS[op]['value'], nl.OPS[op]['attribute-set']
        self.nodes, self.flags = nodes, flags
        self.version, self.reserved, self.kind, self.seq, self.lie = 1, 0, None, None, 0
        self.edits = []

    def encode(self, family, seq):
        body = b''.join(node.encode() for node in self.nodes)
        for edit in self.edits:
            body = edit(body)
        body = struct.pack('=BBH', self.cmd, self.version, self.reserved) + body[:60000]
        return struct.pack('=IHHII', (16 + len(body) + self.lie) & 0xffffffff, family if self.kind is None else self.kind,
                           self.flags, seq if self.seq is None else self.seq, 0) + body


def parse_value(spec, value):
    """A value of the corpus, as octets."""
    if isinstance(value, list):
        return sum(1 << [e if isinstance(e, str) else e['name'] for e in DEFS[spec['enum']]['entries']].index(v) for v in value)
    if 'enum' in spec and isinstance(value, str):
        return DEFS[spec['enum']]['entries'].index(value) + DEFS[spec['enum']].get('value-start', 0)
    if spec['type'] == 'binary':
        if isinstance(value, int):
            return bytes(i & 255 for i in range(1, value + 1))
        if value.startswith('hex:'):
            return bytes.fromhex(value[4:])
        return ipaddress.ip_address(value).packed
    return value


def build(attr_set, attrs):
    """Nodes of the attributes of the corpus."""
    nodes = []
    for name, value in attrs.items():
        spec, number = nl.spec_of(attr_set, name), nl.NUMBERS[attr_set][name]
        if spec['type'] == 'nest':
            for one in value if isinstance(value, list) else [value]:
                nodes.append(Node(number, spec, kids=build(spec['nested-attributes'], one)))
        else:
            nodes.append(Node(number, spec, nl.encode_value(spec, parse_value(spec, value))))
    return nodes


def limit(value):
    return DEFS[value]['value'] if isinstance(value, str) else value


class Mutator:
    """Changes messages; all chance comes from rng."""

    def __init__(self, corpus):
        self.base, self.seen = [], collections.defaultdict(list)
        for entry in corpus:
            (what, attrs), = entry.items()
            op, *dump = what.split()
            nodes = build(nl.OPS[op]['attribute-set'], attrs)
            self.base.append((op, nodes, nl.NLM_F_REQUEST | nl.NLM_F_ACK | (nl.NLM_F_DUMP if dump else 0)))
            self.learn(nodes)
        self.ops = [(fn, weight) for fn, weight in (
            (self.remove, 6), (self.double, 4), (self.value, 14), (self.add, 8), (self.length, 6), (self.lie, 3),
            (self.unnest, 2), (self.wrap, 2), (self.renumber, 3), (self.type_flag, 2), (self.resize, 4), (self.splice, 4),
            (self.header, 3), (self.command, 2), (self.cut, 2), (self.flip, 3), (self.insert, 2), (self.order, 1))]

    def learn(self, nodes):
        for node in nodes:
            if node.kids is not None:
                self.learn(node.kids)
            self.seen[id(node.spec)].append(node)

    def message(self, rng):
        self.rng = rng
        (op, nodes, flags), = rng.choices(self.base, [OFTEN.get(op, 1) for op, _, _ in self.base])
        msg = Message(op, copy.deepcopy(nodes), flags)
        self.vary(msg.nodes)
        for _ in range(rng.choice((0, 1, 1, 1, 1, 2, 2, 3))):
            fn, = rng.choices([fn for fn, _ in self.ops], [weight for _, weight in self.ops])
            fn(msg)
        return msg

    def vary(self, nodes):
        """Other numbers where all are right, so that what is not refused makes a difference."""
        for node in nodes:
            if node.kids is not None:
                self.vary(node.kids)
            elif node.spec['type'] in WIDTH and not {'enum', 'checks', 'byte-order'} & node.spec.keys() and self.rng.random() < 0.3:
                node.data = self.rng.randint(0, 9).to_bytes(len(node.data), sys.byteorder)

    def place(self, msg, want=lambda node: True):
        """A list of attributes, an index into it, and the set that it is of."""
        found = []

        def visit(nodes, attr_set):
            for i, node in enumerate(nodes):
                if want(node):
                    found.append((nodes, i, attr_set))
                if node.kids is not None:
                    visit(node.kids, node.spec.get('nested-attributes'))
        visit(msg.nodes, msg.set)
        return self.rng.choice(found) if found else (None, 0, None)

    def octets(self, low, high):
        return self.rng.randbytes(self.rng.randint(low, high))

    def number(self, spec):
        """A number at or beyond one of its limits."""
        rng, bits = self.rng, 8 * WIDTH[spec['type']]
        top = (1 << bits) - 1
        picks = [0, 1, top, top >> 1, (top >> 1) + 1, rng.getrandbits(bits), rng.getrandbits(rng.randint(1, bits))]
        checks = spec.get('checks', {})
        for bound in [limit(checks[k]) for k in ('min', 'max') if k in checks]:
            picks += [bound - 1, bound, bound + 1] * 2
        if 'enum' in spec:
            entries, start = DEFS[spec['enum']]['entries'], DEFS[spec['enum']].get('value-start', 0)
            if spec.get('enum-as-flags'):
                picks += [1 << rng.randrange(len(entries)) for _ in range(8)] + [1 << len(entries), rng.getrandbits(len(entries))] * 2
            else:
                picks += list(range(max(start - 1, 0), start + len(entries) + 1)) * 3
        return rng.choice(picks) & top

    def data(self, spec):
        """A value of the right type, at or beyond one of its limits."""
        rng, kind = self.rng, spec.get('type')
        if kind in WIDTH:
            order = 'big' if spec.get('byte-order') else 'little'
            return self.number(spec).to_bytes(WIDTH[kind], order)
        if kind == 'string':
            return rng.choice((b'', b'\0', b'a' * 63 + b'\0', b'a' * 64 + b'\0', b'a' * 64, b'gcm(aes', b'%s%n\0', self.octets(0, 70),
                               b'hmac(sha256)\0', b'cbc(aes)\0', b'hmac(md5)\0', b'deflate\0', b'rfc4543(gcm(aes))\0', b'aes\0x\0'))
        if kind == 'binary':
            checks = spec.get('checks', {})
            sizes = [0, 1, 3, 4, 5, 8, 15, 16, 17, 20, 32, 36, 64]
            for bound in [limit(checks[k]) for k in ('min-len', 'max-len') if k in checks]:
                sizes += [max(bound - 1, 0), bound, bound + 1, bound - 4 if bound > 4 else bound]
            size = rng.choice(sizes)
            return rng.choice((bytes(size), b'\xff' * size, rng.randbytes(size), (b'\x0a\0\0' + bytes([rng.randint(0, 3)])) * (size // 4 + 1)))[:size]
        return self.octets(0, 8)

    def fresh(self, attr_set, deep=0):
        """An attribute of the set, by the spec."""
        spec = self.rng.choice(nl.SETS[attr_set])
        number = nl.NUMBERS[attr_set][spec['name']]
        seen = self.seen.get(id(spec))
        if seen and self.rng.random() < 0.5:
            return copy.deepcopy(self.rng.choice(seen))
        if spec['type'] != 'nest':
            return Node(number, spec, self.data(spec))
        count = self.rng.randint(0, 4 if deep < 2 else 0)
        return Node(number, spec, kids=[self.fresh(spec['nested-attributes'], deep + 1) for _ in range(count)])

    def remove(self, msg):
        nodes, i, _ = self.place(msg)
        if nodes:
            del nodes[i]

    def double(self, msg):
        nodes, i, _ = self.place(msg)
        if nodes:
            times = self.rng.choice((1, 1, 1, 6, 7, 200))
            for _ in range(times):
                twin = copy.deepcopy(nodes[i])
                if twin.kids is None and self.rng.random() < 0.5:
                    twin.data = self.data(twin.spec)
                nodes.insert(self.rng.randint(0, len(nodes)), twin)

    def value(self, msg):
        nodes, i, _ = self.place(msg, lambda node: node.kids is None)
        if nodes:
            nodes[i].data = self.data(nodes[i].spec)

    def add(self, msg):
        places = [(msg.nodes, msg.set)] * 2
        nodes, i, _ = self.place(msg, lambda node: node.kids is not None)
        if nodes:
            places.append((nodes[i].kids, nodes[i].spec.get('nested-attributes')))
        nodes, attr_set = self.rng.choice(places)
        nodes.insert(self.rng.randint(0, len(nodes)), self.fresh(attr_set or 'sa'))

    def length(self, msg):
        nodes, i, _ = self.place(msg, lambda node: node.kids is None)
        if nodes:
            data = nodes[i].data
            nodes[i].data = self.rng.choice((data[:-1], data + b'\0', data[:len(data) // 2], data + data, b'', data + bytes(4),
                                             data[:-4], data + self.octets(1, 300)))

    def lie(self, msg):
        nodes, i, _ = self.place(msg)
        if nodes:
            wrong = self.rng.choice((-5, -4, -3, -1, 1, 4, 5, 8, 64, 1000))
            fixed = self.rng.choice((0, 1, 3, 4, 5, 0xffff, 0xfffc, 0x7fff))
            nodes[i].lie = self.rng.choice((lambda size: size + wrong, lambda size: fixed))

    def unnest(self, msg):
        nodes, i, _ = self.place(msg)
        if nodes:
            nodes[i].nested = not nodes[i].nested

    def wrap(self, msg):
        nodes, i, _ = self.place(msg)
        if nodes:
            for _ in range(self.rng.choice((1, 1, 2, 30))):
                outer = Node(nodes[i].number, nodes[i].spec, kids=[nodes[i]])
                nodes[i] = outer

    def renumber(self, msg):
        nodes, i, attr_set = self.place(msg)
        if nodes:
            top = len(nl.SETS.get(attr_set, ())) or 30
            nodes[i].number = self.rng.choice((0, self.rng.randint(1, top), self.rng.randint(1, top), top + 1, 0x3fff, 255))

    def type_flag(self, msg):
        nodes, i, _ = self.place(msg)
        if nodes:
            nodes[i].flags = self.rng.choice((0x4000, 0x8000, 0xc000))

    def resize(self, msg):
        """The value in the octets of another type."""
        nodes, i, _ = self.place(msg, lambda node: node.kids is None)
        if nodes:
            size = self.rng.choice((0, 1, 2, 3, 4, 8, 16))
            nodes[i].data = (nodes[i].data + bytes(size))[:size]

    def splice(self, msg):
        """An attribute of another message, in its place or anywhere."""
        _, other, _ = self.rng.choice(self.base)
        if other:
            node = copy.deepcopy(self.rng.choice(other))
            nodes = self.rng.choice([msg.nodes] + [n.kids for n in msg.nodes if n.kids is not None])
            same = [i for i, n in enumerate(nodes) if n.number == node.number]
            if same and self.rng.random() < 0.7:
                nodes[same[0]] = node
            else:
                nodes.insert(self.rng.randint(0, len(nodes)), node)

    def header(self, msg):
        rng = self.rng
        kind = rng.randrange(5)
        if kind == 0:
            msg.flags = rng.choice((0, 1, 4, 5, 0x305, 0x105, 0x205, 0x405, 0x705, 0xf05, 0xffff, rng.getrandbits(16)))
        elif kind == 1:
            msg.version = rng.choice((0, 2, 255))
        elif kind == 2:
            msg.reserved = rng.getrandbits(16)
        elif kind == 3:
            msg.lie = rng.choice((-1, -4, -16, -17, -20, 1, 4, 1000, 0x7fffffff, rng.getrandbits(32)))
        else:
            msg.seq = rng.getrandbits(32)

    def command(self, msg):
        msg.cmd = self.rng.choice([nl.OPS[op]['value'] for op in REQUESTS] * 2 + list(range(0, 40)) + [255])

    def cut(self, msg):
        at = self.rng.random()
        msg.edits.append(lambda body: body[:int(len(body) * at)])

    def flip(self, msg):
        at, bit = self.rng.random(), self.rng.randrange(8)

        def edit(body):
            body = bytearray(body)
            if body:
                body[int(len(body) * at)] ^= 1 << bit
            return bytes(body)
        msg.edits.append(edit)

    def insert(self, msg):
        at, junk = self.rng.random(), self.octets(1, 12)
        msg.edits.append(lambda body: body[:int(len(body) * at)] + junk + body[int(len(body) * at):])

    def order(self, msg):
        self.rng.shuffle(msg.nodes)


def value_of(attr_set, data, path):
    """The octets of an attribute of an answer, or None."""
    for _, number, payload in nl.walk(data):
        if number == nl.NUMBERS[attr_set][path[0]]:
            if len(path) == 1:
                return payload
            return value_of(nl.spec_of(attr_set, path[0])['nested-attributes'], payload, path[1:])
    return None


def ages(sa):
    """Does this SA change or end by itself?"""
    larval = DEFS['sa-state']['entries'].index('larval') + 1
    if value_of('sa', sa, ['state']) == bytes([larval]):
        return True
    return any(value_of('sa', sa, ['lifetime', limits['name']]) not in (None, b'\xff' * 8, bytes(8))
               for limits in nl.SETS['lifetime'])


def look_at(data, attr_set):
    """Attributes are in their set, numbers as long as they are, and padding is zero."""
    end = 0
    for pos, number, payload in nl.walk(data):
        spec = nl.SETS[attr_set][number - 1]
        end = pos + 4 + (len(payload) + 3 & ~3)
        if any(data[pos + 4 + len(payload):end]) or len(payload) != WIDTH.get(spec['type'], len(payload)):
            sys.exit(f'{spec["name"]} of {attr_set}: {data[pos:end].hex()}')
        if spec['type'] == 'string' and payload.find(b'\0') != len(payload) - 1:
            sys.exit(f'{spec["name"]} of {attr_set}: {payload.hex()}')
        if spec['type'] == 'nest':
            look_at(payload, spec['nested-attributes'])
    if end != len(data):
        sys.exit(f'{attr_set}: {data.hex()}')


class Target:
    """The module, and what it holds."""

    def __init__(self):
        self.nl = nl.Socket()
        self.events = nl.Socket()
        for group in self.events.groups:
            self.events.join(group)
        self.events.sock.setblocking(False)
        # the same one, but nothing waits
        self.read = self.nl.sock.dup()
        self.read.settimeout(0)
        self.clean = set()

    def state(self):
        while True:
            sas, policies = self.nl.dump('sa-get', {'with-keys': 1}), self.nl.interrupted
            policies, again = self.nl.dump('policy-get'), policies or self.nl.interrupted
            guards, again = self.nl.dump('guard-get'), again or self.nl.interrupted
            if not again:
                for obj, attr_set in [(sa, 'sa') for sa in sas] + [(policy, 'policy') for policy in policies]:
                    self.look_at(obj, attr_set)
                return sas, policies, guards

    def look_at(self, obj, attr_set):
        """No octet of what is shown is there by chance: not between attributes, nor behind their values."""
        if obj not in self.clean:
            self.clean.add(obj)
            look_at(obj, attr_set)

    def send(self, data):
        """Return the errors that were answered."""
        errors = []
        try:
            self.read.send(data)
        except OSError as error:
            return [(error.errno, '')]
        while True:
            try:
                answer = self.read.recv(1 << 18)
            except BlockingIOError:
                return errors
            while len(answer) >= 16:
                size, kind, flags, _, _ = struct.unpack_from('=IHHII', answer)
                message, answer = answer[:size], answer[(size + 3) & ~3:]
                if kind in (nl.NLMSG_ERROR, nl.NLMSG_DONE) and size >= 20:
                    code = -struct.unpack_from('=i', message, 16)[0]
                    errors.append((code, self.text(code, message, flags, data, kind)))
                if not size:
                    break

    @staticmethod
    def text(code, message, flags, request, kind):
        try:
            nl.Socket._refuse(code, message, flags, request, kind)
        except nl.Refused as error:
            return error.message or error.miss_type or error.offset
        return None

    def heard(self):
        """Commands of the events since the last call."""
        commands = []
        while True:
            try:
                commands.append(self.events.sock.recv(1 << 16)[16])
            except BlockingIOError:
                return commands
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise


def same(before, after):
    """Is all there as it was, but for what ages?"""
    if before == after:
        return True
    sas = [[sa for sa in state[0] if not ages(sa)] for state in (before, after)]
    # what ages may have gone from dying to dead before it was told
    return before[1:] == after[1:] and sas[0] == sas[1]


def untouched(target, mutator):
    """Send the corpus as it is; each message must be taken."""
    bad = False
    for op, nodes, flags in mutator.base:
        data = Message(op, nodes, flags).encode(target.nl.family, 0)
        for error in target.send(data):
            if error[0]:
                print(f'of the corpus, {op} is refused: {error}:', data.hex())
                bad = True
    if bad:
        sys.exit(1)


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument('--seed', default='1')
    ask.add_argument('--time', type=float, default=0)
    ask.add_argument('--count', type=int, default=0)
    args = ask.parse_args()
    here = pathlib.Path(__file__).parent
    mutator = Mutator(yaml.safe_load((here / 'netlink.corpus').read_text()))
    target = Target()
    untouched(target, mutator)
    target.heard()
    stats = collections.Counter()
    began = told = time.monotonic()
    state, n = target.state(), 0
    while (not args.count or n < args.count) and (not args.time or time.monotonic() - began < args.time):
        n += 1
        msg = mutator.message(random.Random(f'{args.seed}/{n}'))
        target.nl.seq += 1
        data = msg.encode(target.nl.family, target.nl.seq)
        errors = target.send(data)
        after, events = target.state(), target.heard()
        refused = (len(errors) == 1 and errors[0][0] and msg.lie == 0 and msg.flags & 5 == 5 and
                   # some of the packets may have gone
                   msg.cmd != nl.OPS['sa-dummy']['value'])
        if not errors:
            stats['no answer'] += 1
        elif not refused:
            stats['taken'] += 1
        else:
            stats[errno.errorcode.get(errors[0][0], errors[0][0])] += 1
            loud = set(events) - QUIET
            mute = errors[0][0] not in KERNELS and not errors[0][1]
            if loud or mute or not same(state, after):
                print(f'message {n} of seed {args.seed}, refused ({errors[0]}):', 'events' if loud else 'nothing is said' if mute
                      else 'something changed', sorted(loud))
                print('message:', data.hex())
                for name, old, new in zip(('SAs', 'policies', 'guards'), state, after):
                    print(f'{name} before:', *[o.hex() for o in old if o not in new], sep='\n  ')
                    print(f'{name} after:', *[o.hex() for o in new if o not in old], sep='\n  ')
                sys.exit(1)
        state = after
        for objects, op in zip(state, ('sa-flush', 'policy-flush')):
            if len(objects) > OBJECTS:
                target.nl.call(op)
                state = target.state()
                target.heard()
        if time.monotonic() - told > 20:
            told = time.monotonic()
            print(f'{told - began:.0f} s: {n} messages', flush=True)
    print(f'seed {args.seed}: {n} messages in {time.monotonic() - began:.0f} s:',
          ', '.join(f'{count} {what}' for what, count in stats.most_common()))
    cover = pathlib.Path('/sys/module/cover/parameters')
    if cover.exists():
        print('reached:', *(f'{(cover / what).read_text().strip()} {what}' for what in ('places', 'edges')))


if __name__ == '__main__':
    main()
