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


def setup():
    """All allocations can fail, also those that may wait, and say nothing."""
    for kind, limit in (('failslab', {}), ('fail_page_alloc', {'min-order': 0})):
        knobs = {'verbose': 0, 'probability': 0, 'times': -1, 'ignore-gfp-wait': 0} | limit
        for name, value in knobs.items():
            (DEBUGFS / kind / name).write_text(f'{value}\n')


def only_modules():
    """From now on only what is called by a module counts: behind the kernel's own text."""
    end = next(line.split()[0] for line in open('/proc/kallsyms') if line.split()[2] == '_end')
    for kind in 'failslab', 'fail_page_alloc':
        (DEBUGFS / kind / 'stacktrace-depth').write_text('32\n')
        (DEBUGFS / kind / 'require-start').write_text(f'0x{end}\n')


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
