#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Compares the module's anti-replay window with a model of RFC 4303 section 3.4.3 and appendix A.

usage: window.py PROGRAM [NUMBERS]

PROGRAM is window.c, compiled.  The model keeps the numbers that came in a set, and finds
the high half as the pseudo-code of appendix A2.3 does, with numbers of 32 bits.
"""
import random
import subprocess
import sys

SPACE = 1 << 32
WINDOWS = [0, 1, 31, 32, 33, 63, 64, 65, 100, 128, 1024, 4095, 4096]
# The highest number at the start; the last is near the end of all numbers.
TOPS = {False: [0, SPACE - 200000], True: [0, SPACE - 1000, 7 * SPACE - 1, SPACE * SPACE - 40000]}


class Model:
    def __init__(self, window, esn, top):
        self.window, self.esn, self.top = window, esn, top
        self.seen = {top} if top else set()     # what came, of the window
        self.left = max(top - window, 0)        # the number left of the window
        self.known = top                        # up to here nobody told
        self.lost = 0

    def high(self, low):
        """Appendix A2.3; before the first space there is none."""
        th, tl = self.top >> 32, self.top & SPACE - 1
        bottom = (tl - self.window + 1) % SPACE
        if tl >= self.window - 1:
            return th if low >= bottom else th + 1
        if th == 0:
            return 0
        return th - 1 if low >= bottom else th

    def packet(self, number):
        low = number & SPACE - 1
        seq = self.high(low) << 32 | low if self.esn else low
        if self.window:
            if seq == 0 or seq >= SPACE * SPACE or seq <= self.top - self.window:
                return "late"
            if seq in self.seen:
                return "seen"
        if seq != number:
            return "forged"
        if self.window:
            self.seen.add(seq)
        if seq > self.top:
            self.top = seq
            self.advance(max(seq - self.window, 0))
        return "ok"

    def advance(self, left):
        """Numbers up to @left leave the window."""
        if left - self.left > self.window:
            gone = {n for n in self.seen if n <= left}
        else:
            gone = self.seen.intersection(range(self.left + 1, left + 1))
        self.seen -= gone
        came = sum(n > self.known for n in gone)
        self.lost += max(left - max(self.left, self.known), 0) - came
        self.left = left

    def move(self):
        """What another window is told of: the numbers of this one."""
        self.lost, self.known = 0, self.left


def walk(model, count, rnd):
    """Numbers as a network and an attacker deliver them, and what the model says of each."""
    window, last = model.window, SPACE * SPACE - 1 if model.esn else SPACE - 1
    for _ in range(count):
        dice, top = rnd.random(), model.top
        if dice < 0.6:
            number = top + 1
        elif dice < 0.8:
            number = top - rnd.randrange(window + 70)
        elif dice < 0.9:
            number = top + rnd.randrange(2 * window + 200 if dice < 0.81 else 8)
        elif dice < 0.91 and model.esn:
            number = (top // SPACE + 1) * SPACE + rnd.randrange(-2 * window - 9, 2 * window + 9)
        elif dice < 0.915 and model.esn:
            number = top + SPACE - window + rnd.randrange(-9, 9)
        elif dice < 0.95 and model.esn:
            number = top + rnd.randrange(-window - 9, 9) + rnd.choice([-SPACE, SPACE])
        elif dice < 0.96:
            number = rnd.randrange(4)
        elif dice < 0.961 and window:
            model.move()
            yield "move", None
            continue
        elif dice < 0.97:
            if window:
                yield "lost", f"lost {model.lost}"
            continue
        else:
            number = top
        number = min(max(number, 0), last)
        yield number, model.packet(number)


def compare(program, window, esn, top, count, rnd):
    model = Model(window, esn, top)
    asked, wanted = zip(*walk(model, count, rnd))
    got = subprocess.run([program, str(window), str(int(esn)), str(top)], text=True, check=True,
                         input="\n".join(map(str, asked)) + "\n", stdout=subprocess.PIPE).stdout.split("\n")
    wanted = [want for want in wanted if want]
    assert len(got) == len(wanted) + 1
    asked = [ask for ask in asked if ask != "move"]
    for n, (want, have) in enumerate(zip(wanted, got)):
        if want != have:
            sys.exit(f"window {window}, ESN {esn}, from {top:#x}: line {n}, {asked[n]}: {want} wanted, {have} got")
    return {want: wanted.count(want) for want in ("ok", "seen", "late", "forged")} | {"lost": model.lost}


def main():
    total = int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
    runs = [(w, esn, top) for esn in TOPS for w in WINDOWS if w or not esn for top in TOPS[esn]]
    rnd = random.Random(4303)
    for window, esn, top in runs:
        counts = compare(sys.argv[1], window, esn, top, total // len(runs) + 1, rnd)
        print(f"window {window}, ESN {esn}, from {top:#x}: {counts}")


if __name__ == "__main__":
    main()
