#!/usr/bin/python3 -B
"""What the target run-qemu-gdb does, in batch mode: QEMU runs under gdb, stops at a breakpoint of its own, goes on, boots the kernel
to its end, and gdb says how QEMU left.

qemu_under_gdb.py TOOLS_DIR BUILD_DIR
"""
import os
import shlex
import subprocess
import sys

tools, build = sys.argv[1:3]
EXIT_SUCCESS = 33
COMMANDS = ["set breakpoint pending on", "break pthread_create", "run", "python print('stopped in', gdb.selected_frame().name())",
            "delete", "continue", "print $_exitcode"]

gdb = ["gdb", "-nx", "-batch", "-x", os.path.join(tools, "gdb/qemu.gdb")]
for command in COMMANDS:
    gdb += ["-ex", command]

result = subprocess.run(
    [os.path.join(tools, "qemu"), "--build", build, "--serial", "null", "--under", shlex.join(gdb + ["--args"]),
     "--command-line", 'keel.panic=exit keel.run="exit"'], stdin=subprocess.DEVNULL, capture_output=True, text=True)
output = result.stdout + result.stderr
print(output)
if "stopped in pthread_create" not in output.replace("__pthread", "pthread"):
    sys.exit("the breakpoint in QEMU was not hit")
if f"$1 = {EXIT_SUCCESS}" not in output:
    sys.exit(f"QEMU did not leave with {EXIT_SUCCESS} under gdb")
