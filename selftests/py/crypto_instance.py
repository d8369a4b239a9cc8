#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""crypto_instance.py NAME PRIORITY: make an instance of a crypto AEAD template,
such as cryptd(rfc4106(gcm(aes))), that others find before what it wraps
(NETLINK_CRYPTO, linux/cryptouser.h)."""
import os
import socket
import struct
import sys

NETLINK_CRYPTO = 21
CRYPTO_MSG_NEWALG = 16
CRYPTOCFGA_PRIORITY_VAL = 1
CRYPTO_ALG_TYPE_AEAD, CRYPTO_ALG_TYPE_MASK = 0x3, 0xf
NLM_F_REQUEST_ACK = 5
NLMSG_ERROR = 2

name, priority = sys.argv[1].encode(), int(sys.argv[2])
alg = struct.pack('64s64s64sIIII', b'', name, b'', CRYPTO_ALG_TYPE_AEAD, CRYPTO_ALG_TYPE_MASK, 0, 0)
attr = struct.pack('HHI', 8, CRYPTOCFGA_PRIORITY_VAL, priority)
body = alg + attr
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_CRYPTO)
sock.send(struct.pack('IHHII', 16 + len(body), CRYPTO_MSG_NEWALG, NLM_F_REQUEST_ACK, 1, 0) + body)
_, kind, _, _, _, err = struct.unpack_from('IHHIIi', sock.recv(4096))
if kind == NLMSG_ERROR and err:
    sys.exit(f'{name.decode()}: {os.strerror(-err)}')
