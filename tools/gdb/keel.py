"""gdb for Keel: `help keel` lists the commands, `layout keel` shows source, registers and commands. gdb loads this through
build/<preset>/keel.elf-gdb.py, which puts this folder into Python's path; docs/debugging.md shows a session."""
import keelgdb

keelgdb.register()
