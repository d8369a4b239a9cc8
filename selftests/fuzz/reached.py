#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""reached.py POSTERN.KO RESULTS: how many functions a fuzzer reached, and which it did not.

RESULTS has the files places (a bit for each, see cover/cover.c) and base (where the
module was).
"""
import bisect
import pathlib
import subprocess
import sys

BITS = 20

module, results = sys.argv[1], pathlib.Path(sys.argv[2])
base = int((results / 'base').read_text(), 16)
places = (results / 'places').read_bytes()
functions = []
for line in subprocess.run(['nm', '-S', module], check=True, capture_output=True, text=True).stdout.splitlines():
    words = line.split()
    if len(words) == 4 and words[2] in 'tT' and not words[3].startswith(('__', 'trace_', '_sub_')):
        functions.append((int(words[0], 16), words[3]))
functions.sort()
starts = [start for start, _ in functions]
reached = set()
for octet, bits in enumerate(places):
    for bit in range(8):
        if bits >> bit & 1:
            offset = (octet * 8 + bit - base) & ((1 << BITS) - 1)
            reached.add(functions[max(bisect.bisect_right(starts, offset - 1) - 1, 0)][1])
missed = sorted({name for _, name in functions if '.' not in name} - reached)
print(f'functions: {len(reached)} of {len(functions)} reached; not:', *missed)
