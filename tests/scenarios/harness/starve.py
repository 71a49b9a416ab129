#!/usr/bin/env python3
"""A host that gives a process very unequal time: starve.py PID SEED.

Again and again, until the process ends, one thread of it or the whole of it is stopped for 0.2 to 300 ms, as a busy host
or a hypervisor with too many guests does to a virtual CPU at the worst moment. Every scenario but those that time
something must pass that: KEEL_STARVE=<seed> ctest ... gives every QEMU one of these. A thread is stopped by ptrace, so
no debugger may be attached to that process.
"""
import ctypes
import os
import random
import signal
import sys
import time

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000
STOPS_S = (0.0002, 0.001, 0.005, 0.02, 0.1, 0.3)
PAUSES_S = (0, 0.001, 0.01, 0.05)
WHOLE = 0.2  # of the stops are of the whole process

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4


def stop_thread(thread, seconds):
    if libc.ptrace(PTRACE_SEIZE, thread, 0, 0) != 0:
        return  # it has ended, or this user may not
    if libc.ptrace(PTRACE_INTERRUPT, thread, 0, 0) == 0:
        os.waitpid(thread, WALL)
        time.sleep(seconds)
    libc.ptrace(PTRACE_DETACH, thread, 0, 0)


def stop_process(pid, seconds):
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


def threads_of(pid):
    """But the first, which its parent may wait for. None of a process that has ended."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        if file.read().rsplit(")", 1)[1].split()[0] in "ZX":
            return None
    return [int(name) for name in os.listdir(f"/proc/{pid}/task") if int(name) != pid]


def main(pid, seed):
    chance = random.Random(seed)
    try:
        while (threads := threads_of(pid)) is not None:
            seconds = chance.choice(STOPS_S)
            if not threads or chance.random() < WHOLE:
                stop_process(pid, seconds)
            else:
                stop_thread(chance.choice(threads), seconds)
            time.sleep(chance.choice(PAUSES_S))
    except (FileNotFoundError, ProcessLookupError, ChildProcessError):
        pass  # it has ended meanwhile


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
