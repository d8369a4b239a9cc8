#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Packets that documents print, given to a receiver.

vectors.py batch        SAs and policies of the receiver, for "postern -batch"
vectors.py addresses    addresses that it must have
vectors.py send         each packet, first with a wrong ICV
vectors.py check PCAP   PCAP is what came in there and out of the SAs; prints a line for
                        each vector that has a plaintext: its name, "ok" or what is wrong
vectors.py counts       "SPI IN-ICV IN-PADDING" for each SA, as its drops must be
vectors.py out-batch    SAs and policies of a sender, of the algorithms that count their IV
vectors.py out-send     the packets that it is to protect
vectors.py out-check PCAP   PCAP is what it sent; lines as above

The ICV is that of the document where it has one, else HMAC-SHA-256-128 with KEY.
"""
import hashlib
import hmac
import socket
import struct
import sys

KEY = bytes(range(32))
SHA = ["auth", "hmac(sha256)", f"0x{KEY.hex()}"]
SRC = "10.0.0.2"


def octets(text):
    return bytes.fromhex(text.replace(" ", ""))


def ip_header(src, dst, proto, length, ident=0):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, ident, 0, 64, proto, 0,
                       socket.inet_aton(src), socket.inet_aton(dst))
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    return head[:10] + struct.pack("!H", 0xffff - ((total & 0xffff) + (total >> 16))) + head[12:]


class Vector:
    """esp: from SPI to ICV; plain: the packet that comes out, None if its trailer is no ESP's."""

    def __init__(self, name, mode, words, outer, esp, plain):
        self.name, self.mode, self.words = name, mode, words
        self.outer, self.esp, self.plain = outer, esp, plain
        self.src, self.dst = (socket.inet_ntoa(outer[n:n + 4]) for n in (12, 16))
        self.spi = struct.unpack("!I", esp[:4])[0]


vectors = []


def with_icv(esp):
    return esp + hmac.new(KEY, esp, hashlib.sha256).digest()[:16]


# RFC 3602 section 4: key, outer header, SPI, number and IV, ciphertext, packet
for case, mode, key, outer, head, data, plain in (
        (5, "transport", "90d382b4 10eeba7a d938c46c ec1a82bf",
         "4500007c 08f20000 4032f9a5 c0a87b03 c0a87b64",
         "00004321 00000001 e96e8c08 ab465763 fd098d45 dd3ff893",
         "f663c25d 325c18c6 a9453e19 4e120849 a4870b66 cc6b9965 330013b4 898dc856"
         "a4699e52 3a55db08 0b59ec3a 8e4b7e52 775b07d1 db34ed9c 538ab50c 551b874a"
         "a269add0 47ad2d59 13ac19b7 cfbad4a6",
         "45000054 08f20000 4001f9fe c0a87b03 c0a87b64"
         "08000ebd a70a0000 8e9c083d b95b0700 08090a0b 0c0d0e0f 10111213 14151617"
         "18191a1b 1c1d1e1f 20212223 24252627 28292a2b 2c2d2e2f 30313233 34353637"),
        (6, "transport", "90d382b4 10eeba7a d938c46c ec1a82bf",
         "4500004c 08fe0000 4032f9c9 c0a87b03 c0a87b64",
         "00004321 00000008 69d08df7 d203329d b093fc49 24e5bd80",
         "f5199588 1ec4e0c4 488987ce 742e8109 689bb379 d2d750c0 d915dca3 46a89f75",
         "45000030 08fe0000 4001fa16 c0a87b03 c0a87b64"
         "0800b5e8 a80a0500 a69c083d 0b660e00 77777777 77777777 77777777"),
        (7, "tunnel", "01234567 89abcdef 01234567 89abcdef",
         "4500008c 09050000 4032f91e c0a87b03 c0a87bc8",
         "00008765 00000002 f4e76524 4f6407ad f13dc138 0f673f37",
         "773b5241 a4c44922 5e4f3ce5 ed611b0c 237ca96c f74a9301 3c1b0ea1 a0cf70f8"
         "e4ecaec7 8ac53aad 7a0f022b 859243c6 47752e94 a859352b 8a4d4d2d ecd136e5"
         "c177f132 ad3fbfb2 201ac990 4c74ee0a 109e0ca1 e4dfe9d5 a100b842 f1c22f0d",
         "45000054 09040000 4001f988 c0a87b03 c0a87bc8 08009f76 a90a0100 b49c083d"
         "02a20400 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f 20212223"
         "24252627 28292a2b 2c2d2e2f 30313233 34353637"),
        (8, "tunnel", "01234567 89abcdef 01234567 89abcdef",
         "4500007c 090d0000 4032f926 c0a87b03 c0a87bc8",
         "00008765 00000005 85d47224 b5f3dd5d 2101d4ea 8dffab22",
         "15b92683 819596a8 047232cc 00f7048f e45318e1 1f8a0f62 ede3c3fc 61203bb5"
         "0f980a08 c9843fd3 a1b06d5c 07ff9639 b7eb7dfb 3512e5de 435e7207 ed971ef3"
         "d2726d9b 5ef6affc 6d17a0de cbb13892",
         "45000044 090c0000 4001f990 c0a87b03 c0a87bc8 0800d63c aa0a0200 c69c083d"
         "a3de0300 ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff"
         "ffffffff")):
    vectors.append(Vector(f"rfc3602-{case}", mode,
                          ["enc", "cbc(aes)", "0x" + octets(key).hex(), *SHA], octets(outer),
                          with_icv(octets(head) + octets(data)), octets(plain)))

# RFC 7634 appendix A
ESP = octets("4500008c 23450000 4032de5b cb007199 cb007105 01020304 00000005 10111213"
             "14151617 24039428 b97f417e 3c13753a 4f05087b 67c352e6 a7fab1b9 82d466ef"
             "407ae5c6 14ee8099 d52844eb 61aa95df ab4c02f7 2aa71e7c 4c4f64c9 befe2fac"
             "c638e8f3 cbec163f ac469b50 2773f6fb 94e664da 9165b828 29f641e0 76aaa826"
             "6b7fb0f7 b11b3699 07e1ad43")
vectors.append(Vector("rfc7634-a", "tunnel",
                      ["aead", "rfc7539esp(chacha20,poly1305)", "0x" + bytes(range(0x80, 0xa4)).hex(), "128"],
                      ESP[:20], ESP[20:], octets(
    "45000054 a6f20000 4001e778 c6336405 c0000205 08005b7a 3a080000 553bec10"
    "00073627 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f 20212223"
    "24252627 28292a2b 2c2d2e2f 30313233 34353637")))


def own_vector(name, words, head, data, icv, plain):
    """A vector without an IP header.  Its trailer is cut off here, by the vector's own text."""
    dst = f"10.8.0.{len(vectors) + 1}"
    esp = octets(head) + data + icv
    if not icv:
        esp = with_icv(esp)
    outer = ip_header(SRC, dst, 50, len(esp), len(vectors) + 1)
    if plain is not None:
        payload = plain[:len(plain) - 2 - plain[-2]]
        plain = ip_header(SRC, dst, plain[-1], len(payload), len(vectors) + 1) + payload
    vectors.append(Vector(name, "transport", words, outer, esp, plain))


# draft-mcgrew-gcm-test-01, those without ESN: key, salt and IV, SPI and number, plaintext
# with trailer, ciphertext, ICV
for case, key, nonce, head, plain, data, icv in (
        (2, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "0000a5f80000000a",
         "4500003e698f000080114dccc0a80102c0a801010a980035002a2343b2d00100"
         "0001000000000000037369700963796265726369747902646b00000100010001",
         "deb22cd9b07c72c16e3a65beeb8df304a5a5897d33ae530f1ba76d5d114d2a5c"
         "3de81827c10e9a4f51330d0eec416642cfbb85a5b47e48a4ec3b9ba95d918bd1",
         "83b70d3aa8bc6ee4c309e9d85a41ad4a"),
        (3, "abbccddef00112233445566778899aababbccddef00112233445566778899aab",
         "112233440102030405060708", "4a2cbfe300000002",
         "4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee000000000"
         "7002400020bf0000020405b40101040201020201",
         "ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763"
         "748a637985771d347f0545659f14e99def842d8e", "b335f4eecfdbf831824b4c4915956c96"),
        (7, "feffe9928665731c6d6a8f9467308308feffe9928665731c", "cafebabefacedbaddecaf888",
         "0000a5f80000000a",
         "45000028a4ad4000400678800a01038f0a010612802306b8cb712602dd6bb03e501016d075680001",
         "a5b1f8066029aea40e598b8122de02420938b3ab33f828e687b8858b5bfbdbd0315b27452144cc77",
         "95457b9652037f5318027b5b4cd7a636"),
        (12, "7d773d00c144c525ac619d18c84a3f47", "d966426743457e9182443bc6", "335467aeffffffff",
         "01020201", "437f866b", "cb3f699fe9b0822bac961c4504bef270")):
    own_vector(f"gcm-test-{case}", ["aead", "rfc4106(gcm(aes))", f"0x{key}{nonce[:8]}", "128"],
               head + nonce[8:], octets(data), octets(icv), octets(plain))

# the same draft, with AES-GMAC (RFC 4543)
PLAIN = octets("45000030da3a00008001df3bc0a80005c0a800010800c6cd020007006162636465666768"
               "696a6b6c6d6e6f707172737401020201")
own_vector("gmac-test", ["aead", "rfc4543(gcm(aes))", "0x4c80cdefbb5d10da906ac73c3613a63422433c64", "128"],
           "0000432100000007 0000000000000000", PLAIN, octets("f2a9a836e155106aa8dcd618e4099aaa"), PLAIN)

# RFC 3686 section 6: key, IV, nonce and the key stream, which is all that the cipher does
for case, key, iv, nonce, stream in (
        (1, "AE6852F8121067CC4BF7A5765577F39E", "0000000000000000", "00000030",
         "B7603328DBC2931B410E16C8067E62DF"),
        (2, "7E24067817FAE0D743D6CE1F32539163", "C0543B59DA48D90B", "006CB6DB",
         "5105A305128F74DE71044BE582D7DD87FB3F0CEF52CF41DFE4FF2AC48D5CA037"),
        (3, "7691BE035E5020A8AC6E618529F9A0DC", "27777F3F4A1786F0", "00E0017B",
         "C1CE4AAB9B2AFBDEC74F58E2E3D67CD85551B638CA786E21CD8346F1B2EE0E4C"
         "0593250C17553600A63DFECF562387E9"),
        (4, "16AF5B145FC9F579C175F93E3BFB0EED863D06CCFDB78515", "36733C147D6D93CB", "00000048",
         "183C56288E3CE9AA221656CB23A69A4F"),
        (5, "7C5CB2401B3DC33C19E7340819E0F69C678C3DB8E6F6A91A", "020C6EADC2CB500D", "0096B03B",
         "453341FF649E253576D6A0F17D3CC3909481620F4EC1B18BE406FAE45EE9E51F"),
        (6, "02BF391EE8ECB159B959617B0965279BF59B60A786D3E0FE", "5CBD60278DCC0912", "0007BDFD",
         "96883DC65A5974285C0277DAD1FAE957C299AE86D284739F5D2FD20A7A323F97"
         "8BCF2B163999B22615B49CD4FE573998"),
        (7, "776BEFF2851DB06F4C8A0542C8696F6C6A81AF1EEC96B4D37FC1D689E6C1C104",
         "DB5672C97AA8F0B2", "00000060", "4733BE7AD3E76EA53A6700B7518E93A7")):
    key_stream = octets(stream)
    PLAIN = bytes(range(len(key_stream) - 4)) + b"\1\2\2\xfd"
    own_vector(f"rfc3686-{case}", ["enc", "rfc3686(ctr(aes))", f"0x{key}{nonce}", *SHA],
               f"{case + 0x3000:08x} {case:08x} {iv}", bytes(a ^ b for a, b in zip(PLAIN, key_stream)),
               b"", PLAIN)

# RFC 4868 section 2.7.2, RFC 4494 section 5: what is signed begins as SPI and number,
# and what would be the trailer is no padding
JEFE, WANT = "4a656665", "what do ya want for nothing?".encode()
CMAC = octets("6bc1bee2 2e409f96 e93d7e11 7393172a ae2d8a57 1e03ac9c 9eb76fac 45af8e51"
              "30c81c46 a35ce411 e5fbc119 1a0a52ef f69f2445 df4f9b17 ad2b417b e66c3710")
for case, name, key, icv, text in (
        ("rfc4868-256-2", "hmac(sha256)", JEFE * 8, "167f928588c5cc2eef8e3093caa0e87c", WANT),
        ("rfc4868-384-2", "hmac(sha384)", JEFE * 12, "2c7353974f1842fd66d53c452ca42122b28c0b594cfb184d", WANT),
        ("rfc4868-512-2", "hmac(sha512)", JEFE * 16,
         "cb370917ae8a7ce28cfd1d8f4705d6141c173b2a9362c15df235dfb251b15454", WANT),
        ("rfc4494-2", "cmac(aes)", "2b7e151628aed2a6abf7158809cf4f3c", "070a16b46b4d4144f79bdd9d", CMAC[:16]),
        ("rfc4494-3", "cmac(aes)", "2b7e151628aed2a6abf7158809cf4f3c", "dfa66747de9ae63030ca3261", CMAC[:40]),
        ("rfc4494-4", "cmac(aes)", "2b7e151628aed2a6abf7158809cf4f3c", "51f0bebf7e3b9d92fc497417", CMAC)):
    own_vector(case, ["enc", "ecb(cipher_null)", '""', "auth", name, f"0x{key}"], text[:8].hex(), text[8:],
               octets(icv), None)


def batch():
    done = set()
    for v in vectors:
        if (v.dst, v.spi) in done:
            continue
        done.add((v.dst, v.spi))
        print("state add", f"src {v.src} dst {v.dst} proto esp spi {v.spi:#x} mode {v.mode} dir in", *v.words)
    print("policy add src 0.0.0.0/0 dst 10.8.0.0/24 dir in tmpl proto esp mode transport")
    print("policy add src 0.0.0.0/0 dst 192.168.123.100 dir in tmpl proto esp mode transport")
    for v in vectors:
        if v.mode == "tunnel" and v.name != "rfc3602-8":
            inner = socket.inet_ntoa(v.plain[16:20])
            print(f"policy add src 0.0.0.0/0 dst {inner} dir in tmpl src {v.src} dst {v.dst} proto esp mode tunnel")


def addresses():
    print(*sorted({v.dst for v in vectors} | {"192.0.2.5"}))


def send():
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        for v in vectors:
            sock.sendto(v.outer + v.esp[:-1] + bytes([v.esp[-1] ^ 1]), (v.dst, 0))
            sock.sendto(v.outer + v.esp, (v.dst, 0))


def check(path):
    from scapy.layers.inet import IP
    from scapy.utils import rdpcap

    came = [bytes(pkt[IP]) for pkt in rdpcap(path) if IP in pkt]
    came = [pkt[:int.from_bytes(pkt[2:4], "big")] for pkt in came if pkt[9] != 50]
    for v in vectors:
        if v.plain is None:
            continue
        if v.plain in came:
            came.remove(v.plain)
            print(v.name, "ok")
        else:
            print(v.name, "has not come out:", v.plain.hex())
    for pkt in came:
        print("nothing", "else has, but", pkt.hex())


def counts():
    drops = {}
    for v in vectors:
        n = drops.setdefault((v.spi, v.dst), [0, 0])
        n[0] += 1
        n[1] += v.plain is None
    for (spi, dst), n in sorted(drops.items()):
        print(spi, dst, *n)


def counted():
    """Vectors whose IV can be a number: with ESN the sender's first is that one."""
    for v in vectors:
        iv = int.from_bytes(v.esp[8:16], "big")
        if v.plain is not None and iv and ("enc" not in v.words or "rfc3686(ctr(aes))" in v.words):
            yield v, iv


def out_batch():
    for n, (v, iv) in enumerate(counted(), 1):
        last = f"replay-oseq-hi {iv - 1 >> 32:#x} replay-oseq {(iv - 1) & 0xffffffff:#x}"
        print("state add", f"src {v.src} dst {v.dst} proto esp spi {n + 0x100} reqid {n} mode {v.mode} dir out",
              "flag esn", last, *v.words)
        src, dst = (socket.inet_ntoa(v.plain[at:at + 4]) for at in (12, 16))
        print(f"policy add src {src} dst {dst} dir out tmpl src {v.src} dst {v.dst} proto esp reqid {n} mode {v.mode}")


def out_send():
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        for v, _ in counted():
            sock.sendto(v.plain, (socket.inet_ntoa(v.plain[16:20]), 0))


def out_check(path):
    """IV and ciphertext; SPI and number are ours, and the ICV covers them."""
    from scapy.layers.inet import IP
    from scapy.utils import rdpcap

    sent = {}
    for pkt in rdpcap(path):
        esp = bytes(pkt[IP])[20:]
        sent[int.from_bytes(esp[:4], "big")] = esp[8:]
    for n, (v, _) in enumerate(counted(), 1):
        want = v.esp[8:-16]
        got = sent.get(n + 0x100, b"")[:len(want)]
        print(f"out-{v.name}", "ok" if got == want else f"sent {got.hex()} for {want.hex()}")


COMMANDS = {"batch": batch, "addresses": addresses, "send": send, "check": check, "counts": counts,
            "out-batch": out_batch, "out-send": out_send, "out-check": out_check}
COMMANDS[sys.argv[1]](*sys.argv[2:])
