"""keel threads: who there is, what each does and waits for, and where each is."""
import gdb

from . import allocator, target

FRAMES_MAX = 40
WAIT_NAMES = {"MUTEX": "mutex", "SEMAPHORE": "semaphore", "COMPLETION": "completion", "QUEUE": "wait_queue"}
MUTEX_HAS_WAITERS = TRAP_FRAME_LINK_TAG = 1


def all_threads():
    head = target.variable("threads", "src/sched/thread_list.c")
    threads = list(allocator.entries(head, "struct thread", "link"))
    if not threads:
        raise gdb.GdbError("there are no threads yet")
    return threads


def running():
    """{address of a thread that runs: number of its CPU}"""
    bases = target.variable("all_gs_bases", "src/cpu/percpu.c")
    link_base = target.layout("PERCPU_LINK_BASE")
    area = gdb.lookup_type("struct percpu").pointer()
    count = int(target.variable("nr_cpus", "src/cpu/percpu.c"))
    return {int(gdb.Value(int(bases[number]) + link_base).cast(area)["current"]): number for number in range(count)}


def mutex_words(address, threads):
    mutex = gdb.Value(address).cast(gdb.lookup_type("struct mutex").pointer())
    words = f" '{mutex['name'].string()}'" if int(mutex["name"]) else ""
    owner = int(mutex["owner"]) & ~MUTEX_HAS_WAITERS
    for thread in threads:
        if int(thread.address) == owner:
            words += f" of thread {int(thread['number'])} '{target.text(thread['name'])}'"
            words += f", taken at {target.code_location(int(mutex['acquired_at']) - 1)}"
    return words


def object_words(reason, address, threads):
    """What is waited for may be gone, or never have been there: then its address is all there is to say."""
    try:
        if reason == "MUTEX":
            return mutex_words(address, threads)
        if reason in WAIT_NAMES:  # they begin with their lock, which has their name
            lock = gdb.Value(address).cast(gdb.lookup_type("struct spinlock").pointer())
            return f" '{lock['name'].string()}'" if int(lock["name"]) else ""
    except (gdb.MemoryError, UnicodeDecodeError):
        pass
    return f" {address:#x}" if address else ""


def state(thread, on_cpu, threads):
    if int(thread["is_over"]):
        return "dead"
    if int(thread.address) in on_cpu:
        return f"running on CPU {on_cpu[int(thread.address)]}"
    is_out = int(thread["entity"]["state"]) == int(target.value("ENTITY_OUT"))
    if not is_out or not int(thread["waiting"]["state"]) or int(thread["flags"]) >> 31:
        return "runnable"
    reason = str(thread["waiting"]["reason"].cast(gdb.lookup_type("enum thread_wait"))).removeprefix("WAIT_")
    words = WAIT_NAMES.get(reason, reason.lower()).replace("_", " ")
    return f"waits for {words}{object_words(reason, int(thread['waiting']['object']), threads)}"


def locations_of_cpu(number):
    """gdb's own unwinding of the CPU (gdb's thread number + 1) that runs a thread."""
    selected = gdb.selected_thread()
    try:
        for thread in gdb.selected_inferior().threads():
            if thread.num == number + 1:
                thread.switch()
                frame = gdb.newest_frame()
                while frame is not None:
                    if frame.type() != gdb.INLINE_FRAME:  # the function it is part of follows
                        yield frame.pc() - (frame.level() > 0)
                    frame = frame.older()
    finally:
        selected.switch()


def locations_of_saved(thread):
    """By frame pointers, as the kernel's own backtrace does: from where it was switched away, through exceptions."""
    saved = int(thread["saved_rsp"])
    if not saved or not int(thread["stack"]):
        return
    pc, frame = target.read_u64(saved), target.read_u64(saved + 8)
    yield pc
    while frame:
        if frame & TRAP_FRAME_LINK_TAG:
            trap = gdb.Value(frame - TRAP_FRAME_LINK_TAG).cast(gdb.lookup_type("struct trap_frame").pointer())
            pc, frame = int(trap["rip"]), int(trap["rbp"])
            yield pc
        else:
            pc, frame = target.read_u64(frame + 8), target.read_u64(frame)
            yield pc - 1


def show_backtrace(thread, on_cpu):
    address = int(thread.address)
    locations = locations_of_cpu(on_cpu[address]) if address in on_cpu else locations_of_saved(thread)
    try:
        for depth, location in enumerate(locations):
            if depth == FRAMES_MAX:
                print(f"    not all are shown: more than {FRAMES_MAX}")
                return
            print(f"    #{depth:<2} {target.code_location(location)}")
    except gdb.MemoryError as error:
        print(f"    no further: {error}")


class Threads(target.Command):
    """keel threads [all | NUMBER]: every thread, its state and what it waits for; with all or a number the backtraces too."""

    name = "threads"

    def run(self, arguments):
        threads, on_cpu = all_threads(), running()
        wanted = arguments[0] if arguments else None
        if wanted not in (None, "all"):
            shown = [thread for thread in threads if str(int(thread["number"])) == wanted]
            if not shown:
                raise gdb.GdbError(f"there is no thread {wanted}")
        else:
            shown = threads
        for thread in shown:
            print(f"{int(thread['number']):4} {target.text(thread['name']):24} {state(thread, on_cpu, threads)}")
            if wanted is not None:
                show_backtrace(thread, on_cpu)


def register():
    Threads()
