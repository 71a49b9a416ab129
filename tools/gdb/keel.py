"""gdb for Keel: `help keel` lists the commands, `layout keel` shows source, registers and commands. gdb loads this file through
build/<preset>/keel.elf-gdb.py; docs/debugging.md shows a session."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import keelgdb  # noqa: E402

keelgdb.register()
