#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""burst.py ADDRESS PORT COUNT [COMMAND...]: datagrams without a pause, by a CPU that does
nothing else meanwhile, nor while another one runs the command."""
import os
import socket
import subprocess
import sys

SO_SNDBUFFORCE = 32
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 25)
sock.connect((sys.argv[1], int(sys.argv[2])))
os.sched_setaffinity(0, {0})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
for _ in range(int(sys.argv[3])):
    sock.send(b'burst')


def elsewhere():
    """As any process, on any other CPU."""
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.sched_setaffinity(0, set(range(os.cpu_count())) - {0})


if sys.argv[4:]:
    with subprocess.Popen(sys.argv[4:], preexec_fn=elsewhere) as child:
        while child.poll() is None:
            pass
        sys.exit(child.returncode)
