#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""An interpreter that is ready: runs scripts, each in a child that has what they import.

To start one takes an emulated machine half a second, scapy and jsonschema some seconds
more.  The function python of lib.sh asks for a run: by the pipe that is standard input come,
each with a zero octet behind it, its process number, its descriptor for the exit status,
a network namespace (or nothing), the number of arguments, and the arguments of python3.
The child has the caller's directory, standard input, output and errors.
"""
import ctypes
import importlib
import os
import re
import sys
import traceback

PIDFD_OPEN, PIDFD_GETFD, CLONE_NEWNET = 434, 438, 0x40000000
IMPORT = re.compile(r"^\s*(?:from ([\w.]+) import|import ([\w., ]+))", re.MULTILINE)
libc = ctypes.CDLL(None, use_errno=True)


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def source(args, stdin):
    """The script's text, its name, its arguments."""
    args = [a for a in args if a != "-B"]
    if args[0] == "-c":
        return args[1], "-c", args[2:]
    if args[0] == "-":
        with open(stdin, closefd=False) as file:
            return file.read(), "-", args[1:]
    with open(args[0]) as file:
        return file.read(), args[0], args[1:]


def learn(text):
    """What the next scripts find imported; those beside a script are the script's own."""
    for one, several in IMPORT.findall(text):
        for name in re.split(r"[, ]+", one or several):
            if name not in sys.modules:
                try:
                    importlib.import_module(name)
                except (ImportError, ValueError):
                    pass


def run(text, name, args, fds, netns):
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
    if netns:
        fd = os.open(f"/run/netns/{netns}", os.O_RDONLY)
        checked(libc.setns(fd, CLONE_NEWNET))
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)
    sys.argv = [name] + args
    sys.path.insert(0, os.path.dirname(os.path.realpath(name)) if os.path.exists(name) else "")
    try:
        exec(compile(text, name, "exec"), {"__name__": "__main__", "__file__": name})
        return 0
    except SystemExit as end:
        if isinstance(end.code, (int, type(None))):
            return end.code or 0
        print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    return 1


def serve(requests):
    words = iter(lambda: bytes(iter(lambda: requests.read(1)[0], 0)).decode(), None)
    while True:
        pid, answer, netns = int(next(words)), int(next(words)), next(words)
        args = [next(words) for _ in range(int(next(words)))]
        process = checked(libc.syscall(PIDFD_OPEN, pid, 0))
        *fds, answer = [checked(libc.syscall(PIDFD_GETFD, process, fd, 0)) for fd in (0, 1, 2, answer)]
        os.chdir(f"/proc/{pid}/cwd")
        status = 2
        try:
            text, name, args = source(args, fds[0])
            learn(text)
            if not (child := os.fork()):
                code = 1
                try:
                    code = run(text, name, args, fds, netns)
                    sys.stdout.flush()
                finally:
                    os._exit(code)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255
        except OSError as error:
            os.write(fds[2], f"ready.py: {error}\n".encode())
        os.write(answer, b"%d\n" % status)
        for fd in *fds, answer, process:
            os.close(fd)


sys.dont_write_bytecode = True
# scripts have another
del sys.path[0]
serve(open(0, "rb"))
