#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send pieces of a UDP datagram of 2000 octets.

usage: t2_fragment.py [-d DEVICE MAC] [-n] SOURCE DESTINATION PORT ID PIECE...
  -d     as frames of DEVICE to MAC, past this host's own stack
  -n     through a raw socket that is not to be reassembled on this host
  ID     of the packet
  PIECE  1 or 2
"""
import argparse

import t2_packet as packet

UDP, CUT = 17, 1208


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('-d', nargs=2)
    parser.add_argument('-n', action='store_true')
    parser.add_argument('src')
    parser.add_argument('dst')
    parser.add_argument('port', type=int)
    parser.add_argument('id', type=int)
    parser.add_argument('piece', type=int, nargs='+')
    args = parser.parse_args()
    data = packet.udp(args.src, args.dst, 4000, args.port, (b'fragment ' * 300)[:1992])
    both = packet.fragments(args.src, args.dst, UDP, data, args.id, CUT)
    chosen = [both[p - 1] for p in args.piece]
    if args.d:
        packet.send_frames(chosen, *args.d)
    else:
        packet.send(chosen, args.n)


main()
