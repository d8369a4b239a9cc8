#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Give keys to the module, take them away, and look for them in the memory of the machine.

Prints a line of each key, "ok NAME" or "found NAME". /dev/mem must show all of memory,
which is one zone.

Each 16 octets of a key begin with a mark, which is random, and the key's number: one walk
through memory finds any piece of any of them, as it was or as HMAC pads it. This program
has the marks masked, but for the moment in which it sends the only message that they are in.
"""
import ctypes
import mmap
import os
import re
import struct
import sys
import time

import t2_netlink as nl

A, B = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
ESP, AH, TUNNEL, ESN = 50, 51, 1, 1 << 6
EEXIST, EINVAL = 17, 22
CLONE_NEWNET = 0x40000000
MASK = 0xa5
MARK = os.urandom(6)
CHUNK = 1 << 24
SIZE = sum(int(n) for n in re.findall(r'^ *(?:spanned|start_pfn:) +(\d+)', open('/proc/zoneinfo', encoding='ascii').read(), re.M)) << 12
GCM = 'rfc4106(gcm(aes))'
KEPT = 'a key that is in use is found'
names, spis = [], {}
libc = ctypes.CDLL(None, use_errno=True)


def key(name, size=20):
    """A new key, masked."""
    names.append(name)
    block = MARK + struct.pack('>H', len(names) - 1)
    return b''.join(block + os.urandom(8) for _ in range(size // 16 + 1))[:size]


def marks(data):
    """Where they are."""
    at = data.find(MARK)
    while at >= 0:
        yield at
        at = data.find(MARK, at + 1)


def send(sock, op, attrs, wanted=0):
    """Send a request; the kernel alone sees its keys."""
    sock.seq += 1
    body = struct.pack('=BBH', nl.OPS[op]['value'], 1, 0) + nl.encode('sa', attrs)
    data = bytearray(struct.pack('=IHHII', 16 + len(body), sock.family, nl.NLM_F_REQUEST | nl.NLM_F_ACK, sock.seq, 0) + body)
    places = [at + i for at in marks(data) for i in range(8)]
    for i in places:
        data[i] ^= MASK
    sock.sock.send(data)
    for i in places:
        data[i] ^= MASK
    kind = None
    while kind != nl.NLMSG_ERROR:
        answer = sock.sock.recv(1 << 16)
        kind, = struct.unpack_from('=H', answer, 4)
    error = -struct.unpack_from('=i', answer, 16)[0]
    if error != wanted:
        raise OSError(error, f'{op} {attrs}: {os.strerror(error)}')


def sa(spi, **more):
    """One from a to b."""
    return {'src': A, 'dst': B, 'proto': ESP, 'spi': spi, 'mode': TUNNEL} | more


def gcm(name, size=20):
    return {'name': GCM, 'key': key(name, size)}


def each_algorithm(sock):
    """An SA of each algorithm that this kernel has, and of each combination for ESN."""
    kinds = {1: 'aead', 2: 'auth', 3: 'crypt'}
    spi = 0x2000
    for answer in sock.dump('algorithm-get'):
        has = {number: payload for _, number, payload in nl.walk(answer)}
        named = {k: has.get(v) for k, v in nl.NUMBERS['algorithm'].items()}
        kind, name = kinds.get(named['kind'][0]), named['name'].rstrip(b'\0').decode()
        # of weak ones, the kernel's MD5 leaves its last block on the stack
        if not kind or named['lacks'] or named['weak'] is not None or not named['key-bits']:
            continue
        size = max(struct.unpack(f'={len(named["key-bits"]) // 4}I', named['key-bits'])) // 8
        for flags in (0, ESN) if kind == 'auth' else (0,):
            spi += 1
            text = f'{name}{", ESN" if flags else ""}'
            algos = {kind: {'name': name, 'key': key(text, size)}}
            if kind == 'auth':
                algos['crypt'] = {'name': 'cbc(aes)', 'key': key(f'cbc(aes) with {text}', 32)}
            elif kind == 'crypt':
                algos['auth'] = {'name': 'hmac(sha256)', 'key': key(f'hmac(sha256) with {text}', 32)}
            send(sock, 'sa-new', sa(spi, flags=flags, **algos))
        if kind == 'auth':
            spi += 1
            send(sock, 'sa-new', sa(spi, proto=AH, auth={'name': name, 'key': key(f'AH with {name}', size)}))
    send(sock, 'sa-flush', {})


def in_a_namespace_that_ends():
    attrs = sa(0x1001, aead=gcm('the namespace has ended'))
    pid = os.fork()
    if not pid:
        if libc.unshare(CLONE_NEWNET):
            os._exit(1)
        send(nl.Socket(), 'sa-new', attrs)
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        sys.exit('no namespace')


def found():
    """Names of the keys of which a piece is anywhere."""
    seen = set()
    # what HMAC has of a key is a key, too
    masks = [MASK ^ pad for pad in (0, 0x36, 0x5c)]
    # neither what is looked for nor what is looked at is ever in this program's own memory
    looks = [re.compile(''.join(f'\\x{n ^ mask:02x}' for n in MARK).encode()) for mask in masks]
    with open('/dev/mem', 'rb', buffering=0) as memory:
        for start in range(0, SIZE, CHUNK):
            # read() would have the kernel read what KASAN guards
            with mmap.mmap(memory.fileno(), CHUNK, mmap.MAP_SHARED, mmap.PROT_READ, offset=start) as chunk:
                for look, mask in zip(looks, masks):
                    for at in [match.end() for match in look.finditer(chunk)]:
                        number, = struct.unpack('>H', bytes(n ^ mask for n in chunk[at:at + 2]).ljust(2, b'\xff'))
                        if number < len(names):
                            seen.add(names[number])
    return seen


def main():
    sock = nl.Socket()
    in_a_namespace_that_ends()
    each_algorithm(sock)

    send(sock, 'sa-new', sa(0x1001, aead=gcm('deleted')))
    send(sock, 'sa-del', {'dst': B, 'proto': ESP, 'spi': 0x1001})
    send(sock, 'sa-allocspi', {'src': A, 'dst': B, 'proto': ESP, 'mode': TUNNEL, 'spi-min': 0x1002, 'spi-max': 0x1002})
    send(sock, 'sa-update', sa(0x1002, aead=gcm('given to a larval SA, replaced by')))
    send(sock, 'sa-del', {'dst': B, 'proto': ESP, 'spi': 0x1002})
    send(sock, 'sa-new', sa(0x1002, aead=gcm('the next one of its SPI')))
    send(sock, 'sa-update', sa(0x1002, aead=gcm('refused: a valid SA has another')), EINVAL)
    send(sock, 'sa-new', sa(0x1002, aead=gcm('refused: there is such an SA')), EEXIST)
    send(sock, 'sa-new', sa(0x1003, aead=gcm('refused: a long key', 33)), EINVAL)
    send(sock, 'sa-new', sa(0x1003, aead=gcm('refused: alone'), auth={'name': 'hmac(sha256)', 'key': key('refused: with it', 32)}),
         EINVAL)
    send(sock, 'sa-new', sa(0x1003, aead={'name': 'none', 'key': key('refused: an algorithm that is not there')}), EINVAL)
    send(sock, 'sa-new', dict(sa(0), aead=gcm('refused: SPI 0')), EINVAL)
    send(sock, 'sa-new', list(sa(0x1004).items()) + [('aead', gcm('the first of two')), ('aead', gcm('the second of two'))])
    send(sock, 'sa-new', sa(0x1005, lifetime={'add-hard': 1}, aead=gcm('expired')))
    send(sock, 'sa-new', sa(0x1006, aead={'name': 'rfc4543(gcm(aes))', 'key': key('flushed')}))
    send(sock, 'sa-flush', {})
    send(sock, 'sa-new', sa(0x1007, aead=gcm(KEPT)))

    if not SIZE >> 10 >= int(open('/proc/meminfo', encoding='ascii').readline().split()[1]) >= SIZE >> 11:
        sys.exit(f'memory is not one zone of {SIZE >> 20} MiB')
    # what waits for readers, works and namespaces to end
    for _ in range(8):
        began = time.monotonic()
        seen = found()
        print(f'{SIZE >> 20} MiB in {time.monotonic() - began:.1f} s: {sorted(seen)}', file=sys.stderr)
        if seen <= {KEPT}:
            break
        time.sleep(0.5)
    for name in names:
        print('ok' if (name in seen) == (name == KEPT) else 'found' if name != KEPT else 'lost', name)


main()
