"""layout keel: source above, registers beside it, commands below."""
import gdb


def register():
    try:
        gdb.execute("tui new-layout keel {-horizontal src 2 regs 1} 2 status 0 cmd 1", to_string=True)
    except gdb.error:  # gdb without a TUI, or loaded twice
        pass
