"""keel log: the kernel log, read from the ring in memory (src/debug/log_ring.c), also where no console ever worked."""
import gdb

from . import target

LEVELS = ("error", "warn", "info", "debug")


def records(count=None):
    """The newest records, oldest first, as (sequence, nanoseconds, level, cpu, text)."""
    ring = target.variable("ring", "src/debug/log.c")
    size, following = int(ring["size"]), int(ring["next"])
    first = max(0, following - size)
    if count is not None:
        first = max(first, following - count)
    record_type = gdb.lookup_type("struct log_record")
    for sequence in range(first, following):
        slot = ring["slots"][sequence % size]
        if int(slot["state"]) != 2 * sequence + 2:  # being written, or overwritten
            continue
        record = slot["words"].address.cast(record_type.pointer()).dereference()
        length = int(record["length_bytes"])
        text = gdb.selected_inferior().read_memory(int(record["text"].address), length).tobytes()
        yield (sequence, int(record["time_ns"]), int(record["level"]), int(record["cpu"]), text.decode("utf-8", "replace"))


class Log(target.Command):
    """keel log [COUNT]: the newest COUNT records of the kernel log, or all that the ring still holds."""

    name = "log"

    def run(self, arguments):
        for _, time_ns, level, cpu, text in records(int(arguments[0], 0) if arguments else None):
            print(f"[{time_ns // 1000000000:5}.{time_ns // 1000 % 1000000:06}] cpu{cpu} {LEVELS[level]:5} {text}")


def register():
    Log()
