#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The other end of SAs with an implicit IV (RFC 8750), in Python's cryptography.

iiv.py open PCAP MANIFEST       open what was sent: prints a line for each SA, its name and
                                "ok" or what is wrong
iiv.py send MANIFEST            protect the packets of each SA and send them
iiv.py check PCAP MANIFEST      did they come out?  Lines as above

A line of MANIFEST: NAME ALGORITHM KEY SPI SRC DST FILE, where FILE has lines
"NAME PACKET" (see packets.py); the SA is one of tunnel mode.
"""
import socket
import struct
import sys

from cryptography.hazmat.primitives.ciphers import aead

CIPHERS = {"gcm": (aead.AESGCM, 4), "ccm": (aead.AESCCM, 3), "chacha": (aead.ChaCha20Poly1305, 4)}


class SA:
    def __init__(self, line):
        self.name, alg, key, spi, self.src, self.dst, path = line.split()
        cipher, salt = CIPHERS[alg]
        key = bytes.fromhex(key.removeprefix("0x"))
        self.cipher, self.salt = cipher(key[:-salt]), key[-salt:]
        self.spi = int(spi, 0)
        with open(path, encoding="ascii") as packets:
            self.packets = [bytes.fromhex(packet.split()[1]) for packet in packets]

    def nonce(self, number):
        """RFC 8750 section 4: salt, and the number in 8 octets."""
        return self.salt + struct.pack("!Q", number)

    def seal(self, number, packet):
        padding = -(len(packet) + 2) % 4
        plain = packet + bytes(range(1, padding + 1)) + bytes([padding, 4 if packet[0] >> 4 == 4 else 41])
        head = struct.pack("!II", self.spi, number)
        return head + self.cipher.encrypt(self.nonce(number), plain, head)

    def open(self, esp):
        number = struct.unpack("!I", esp[4:8])[0]
        plain = self.cipher.decrypt(self.nonce(number), esp[8:], esp[:8])
        return number, plain[:len(plain) - 2 - plain[-2]]


def sas(path):
    with open(path, encoding="ascii") as lines:
        return [SA(line) for line in lines]


def captured(pcap):
    """IPv4 packets, without what the link added behind them."""
    from scapy.layers.inet import IP
    from scapy.utils import rdpcap

    for pkt in rdpcap(pcap):
        if IP in pkt:
            packet = bytes(pkt[IP])
            yield packet[:int.from_bytes(packet[2:4], "big")]


def open_all(pcap, manifest):
    packets = [packet for packet in captured(pcap) if packet[9] == 50]
    for sa in sas(manifest):
        mine = [packet[20:] for packet in packets if packet[20:24] == struct.pack("!I", sa.spi)]
        try:
            got = [sa.open(esp) for esp in mine]
        except Exception as error:  # cryptography raises several
            print(sa.name, "cannot be opened:", type(error).__name__)
            continue
        print(sa.name, "ok" if got == list(enumerate(sa.packets, 1)) else f"{len(got)} packets, or not those")


def send(manifest):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, 50) as sock:
        for sa in sas(manifest):
            for number, packet in enumerate(sa.packets, 1):
                sock.sendto(sa.seal(number, packet), (sa.dst, 0))


def check(pcap, manifest):
    came = [packet for packet in captured(pcap) if packet[9] != 50]
    for sa in sas(manifest):
        lost = 0
        for packet in sa.packets:
            if packet in came:
                came.remove(packet)
            else:
                lost += 1
        print(sa.name, f"{lost} have not come out" if lost else "ok")


{"open": open_all, "send": send, "check": check}[sys.argv[1]](*sys.argv[2:])
