#!/usr/bin/python3 -B
"""What the target debug does: QEMU waits, alone, until gdb attaches; then a breakpoint in the higher half is hit. A socket of its own
stands in for the port, which tests running side by side would fight over.

debug_target.py TOOLS_DIR BUILD_DIR
"""
import os
import subprocess
import sys
import tempfile
import time

tools, build = sys.argv[1:3]


def wait_for(path, process, seconds=30):
    """Until QEMU has made its socket; it has not run an instruction by then."""
    end = time.monotonic() + seconds
    while not os.path.exists(path):
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"QEMU made no socket; exit code {process.poll()}")
        time.sleep(0.02)


with tempfile.TemporaryDirectory() as directory:
    socket = os.path.join(directory, "gdb")
    qemu = subprocess.Popen([os.path.join(tools, "qemu"), "--build", build, "--gdb", f"unix:{socket},server=on,wait=off",
                             "--serial", "null"], stdin=subprocess.DEVNULL)
    try:
        wait_for(socket, qemu)
        gdb = subprocess.run(
            ["gdb", "-nx", "-batch", "-iex", f"add-auto-load-safe-path {build}", os.path.join(build, "keel.elf"),
             "-ex", f"target remote {socket}", "-ex", "print/x $cr0 >> 31", "-ex", "break kernel_main", "-ex", "continue",
             "-ex", "print/x $cr0 >> 31", "-ex", "help keel", "-ex", "kill"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50)
        qemu.wait(timeout=10)  # `kill` ends it
    finally:
        if qemu.poll() is None:
            qemu.kill()
    print(gdb.stdout + gdb.stderr)
    for wanted in ("$1 = 0x0", "Breakpoint 1, kernel_main", "src/main.c", "$2 = 0x1", "keel pagewalk"):
        if wanted not in gdb.stdout:
            sys.exit(f"expected {wanted!r}")
    if "not in symtab" in gdb.stderr:  # NASM describes one code section a file: a second one confuses gdb
        sys.exit("gdb warns of code without a symbol table: more than one code section in an assembly file?")
