# SPDX-License-Identifier: GPL-2.0
"""Generic netlink without any library, so that messages can be as wrong as need be.

Names and numbers come from the spec, uapi/postern.yaml.
"""
import os
import pathlib
import socket
import struct

import yaml

NETLINK_GENERIC = 16
SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 1, 10, 11
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLM_F_DUMP_INTR, NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x10, 0x100, 0x200
NLA_F_NESTED = 0x8000
GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 16, 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME, CTRL_ATTR_MCAST_GROUPS = 1, 2, 7

SPEC = yaml.load((pathlib.Path(__file__).parents[2] / 'uapi/postern.yaml').read_text(),
                 Loader=getattr(yaml, 'CSafeLoader', yaml.SafeLoader))
SETS = {s['name']: s['attributes'] for s in SPEC['attribute-sets']}
NUMBERS = {s: {a['name']: i for i, a in enumerate(attrs, 1)} for s, attrs in SETS.items()}
OPS = {op['name']: dict(op, value=i) for i, op in enumerate(SPEC['operations']['list'], 1)}


def attr(number, data, nested=False):
    """One attribute with its padding."""
    head = struct.pack('=HH', 4 + len(data), number | (NLA_F_NESTED if nested else 0))
    return head + data + bytes(-len(data) % 4)


def spec_of(attr_set, name):
    """What the spec says of an attribute."""
    return SETS[attr_set][NUMBERS[attr_set][name] - 1]


def encode_value(spec, value):
    """A value as its type wants it; octets go as they are."""
    if isinstance(value, bytes):
        return value
    kind = spec['type']
    if kind == 'string':
        return value.encode() + b'\0'
    if kind == 'flag':
        return b''
    if spec.get('byte-order') == 'big-endian':
        return struct.pack('>I', value)
    return struct.pack({'u8': '=B', 'u16': '=H', 'u32': '=I', 'u64': '=Q'}[kind], value)


def encode(attr_set, attrs):
    """Attributes from a list of (name or number, value), or a dict."""
    out = b''
    for name, value in attrs.items() if isinstance(attrs, dict) else attrs:
        if isinstance(name, int):
            out += attr(name, value)
            continue
        spec = spec_of(attr_set, name)
        number = NUMBERS[attr_set][name]
        if spec['type'] == 'nest' and not isinstance(value, bytes):
            for one in value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]:
                out += attr(number, encode(spec['nested-attributes'], one), True)
        else:
            out += attr(number, encode_value(spec, value))
    return out


def walk(data):
    """(offset, number, payload) of each attribute."""
    pos = 0
    while pos + 4 <= len(data):
        size, number = struct.unpack_from('=HH', data, pos)
        if size < 4:
            break
        yield pos, number & 0x3fff, data[pos + 4:pos + size]
        pos += (size + 3) & ~3


class Refused(Exception):
    """The kernel's answer to a wrong request."""

    def __init__(self, errno, message, offset, miss_type, request):
        super().__init__(f'{os.strerror(errno)}: {message}')
        self.errno, self.message = errno, message
        self.offset, self.miss_type, self.request = offset, miss_type, request

    def names(self, attr_set):
        """The path of the attribute that the answer is about, like sa/selector/src."""
        if self.miss_type is not None:
            found = [k for k, v in NUMBERS[attr_set].items() if v == self.miss_type]
            return found[0] if found else f'missing {self.miss_type}'
        if self.offset is None:
            return None
        return find(self.request[20:], attr_set, self.offset - 20)


def find(data, attr_set, offset):
    """The attribute at an offset of a message's attributes."""
    for pos, number, payload in walk(data):
        if pos <= offset < pos + 4 + len(payload):
            names = [k for k, v in NUMBERS.get(attr_set, {}).items() if v == number]
            name = names[0] if names else f'#{number}'
            if offset == pos:
                return name
            spec = SETS[attr_set][number - 1] if names else {}
            inner = find(payload, spec.get('nested-attributes'), offset - pos - 4)
            return f'{name}/{inner}' if inner else name
    return None


class Socket:
    """A netlink socket that knows the family."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.sock.bind((0, 0))
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self.sock.settimeout(10)
        self.seq = 0
        self.family, self.groups = self._family()

    def _family(self):
        name = attr(CTRL_ATTR_FAMILY_NAME, b'postern\0')
        family, groups = None, {}
        for _, number, payload in walk(self.raw(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, name)[0][20:]):
            if number == CTRL_ATTR_FAMILY_ID:
                family, = struct.unpack('=H', payload)
            if number == CTRL_ATTR_MCAST_GROUPS:
                for _, _, group in walk(payload):
                    parts = {n: p for _, n, p in walk(group)}
                    groups[parts[1].rstrip(b'\0').decode()], = struct.unpack('=I', parts[2])
        return family, groups

    def raw(self, family, cmd, payload, flags=0, tail=b''):
        """Send, return the messages of the answer, raise Refused."""
        self.seq += 1
        body = struct.pack('=BBH', cmd, 1, 0) + payload
        head = struct.pack('=IHHII', 16 + len(body), family, NLM_F_REQUEST | NLM_F_ACK | flags, self.seq, 0)
        request = head + body
        self.sock.send(request + tail)
        answers = []
        while True:
            data = self.sock.recv(1 << 18)
            while data:
                size, kind, mflags, seq, _ = struct.unpack_from('=IHHII', data)
                message, data = data[:size], data[(size + 3) & ~3:]
                if seq != self.seq:
                    continue
                self.interrupted = getattr(self, 'interrupted', False) or bool(mflags & NLM_F_DUMP_INTR)
                if kind not in (NLMSG_DONE, NLMSG_ERROR):
                    answers.append(message)
                    continue
                errno = -struct.unpack_from('=i', message, 16)[0] if size >= 20 else 0
                if not errno:
                    return answers
                self._refuse(errno, message, mflags, request, kind)

    @staticmethod
    def _refuse(errno, message, mflags, request, kind):
        text, offset, miss = None, None, None
        if mflags & NLM_F_ACK_TLVS:
            start = 20
            if kind == NLMSG_ERROR:
                inner = struct.unpack_from('=I', message, 20)[0]
                start = 36 if mflags & NLM_F_CAPPED else 20 + ((inner + 3) & ~3)
            for _, number, payload in walk(message[start:]):
                if number == 1:
                    text = payload.rstrip(b'\0').decode()
                elif number == 2:
                    offset, = struct.unpack('=I', payload)
                elif number == 5:
                    miss, = struct.unpack('=I', payload)
        raise Refused(errno, text, offset, miss, request)

    def call(self, op, attrs=(), flags=0):
        """A command of the spec; returns the attributes of the answers, still encoded."""
        spec = OPS[op]
        return [m[20:] for m in self.raw(self.family, spec['value'],
                                         attrs if isinstance(attrs, bytes) else
                                         encode(spec['attribute-set'], attrs), flags)]

    def dump(self, op, attrs=()):
        """All objects."""
        self.interrupted = False
        return self.call(op, attrs, NLM_F_DUMP)

    def join(self, group):
        """Become a member of a multicast group."""
        self.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, self.groups[group])
