# SPDX-License-Identifier: GPL-2.0
"""Memory that is refused: the n-th allocation of a system call of this thread fails
(Documentation/fault-injection/fault-injection.rst, fail-nth)."""
import os
import pathlib

DEBUGFS = pathlib.Path('/sys/kernel/debug')
ENOUGH = 1 << 20

count = failed = 0


def result(ok, name, detail=''):
    """One KTAP line."""
    global count, failed
    count += 1
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {count} - {name}{'' if ok else f' # {detail}'}", flush=True)


def set_all(name, value):
    """Of slab objects and pages."""
    for kind in 'failslab', 'fail_page_alloc':
        (DEBUGFS / kind / name).write_text(f'{value}\n')


def symbols():
    """Addresses of the kernel by name, in their order."""
    with open('/proc/kallsyms', encoding='ascii') as file:
        return {name: int(address, 16) for address, _, name, *_ in map(str.split, file)}


def setup():
    """All allocations can fail, also those that may wait, and say nothing.  Not those of who
    watches references, which warns that it cannot."""
    for name, value in {'verbose': 0, 'probability': 0, 'times': -1, 'ignore-gfp-wait': 0, 'stacktrace-depth': 32}.items():
        set_all(name, value)
    (DEBUGFS / 'fail_page_alloc/min-order').write_text('0\n')
    where = symbols()
    start = where['ref_tracker_alloc']
    set_all('reject-start', f'{start:#x}')
    set_all('reject-end', f'{min(a for a in where.values() if a > start):#x}')


def only_modules():
    """From now on only what is called by a module counts: behind the kernel's own text."""
    set_all('require-start', f"{symbols()['_end']:#x}")


def chance(percent):
    """So many of a hundred allocations fail, in all threads."""
    set_all('probability', percent)


class Fault:
    """Counts allocations in the system calls that go by call(), and fails one."""

    def __init__(self):
        self.file = os.open('/proc/thread-self/fail-nth', os.O_RDWR)
        self.left = 0

    def arm(self, nth):
        """nth: 1 for the next."""
        self.left = nth

    @property
    def hit(self):
        """Has it happened?"""
        return self.left == 0

    def call(self, function, *args):
        """A system call."""
        if not self.left:
            return function(*args)
        os.pwrite(self.file, b'%d' % self.left, 0)
        try:
            return function(*args)
        finally:
            self.left = int(os.pread(self.file, 16, 0))
            os.pwrite(self.file, b'0', 0)
