"""Threads that wait too long (docs/watchdog.md): the lines in the log, word by word."""
import re

from harness import Machine, outcome, scenario


def hung_reports(output):
    """[(thread's line, [lines of its chain without addresses])], without the log's time stamps"""
    found = []
    for line in re.findall(r"^\[ *\d+\.\d+\] (?:\x1b\[\d+m)?(.*?)(?:\x1b\[0m)?$", output.replace("\r", ""), re.M):
        if line.startswith("watchdog: hung thread "):
            found.append((line, []))
        elif found and line.startswith("  ") and not found[-1][1][-1:] == ["end"]:
            found[-1][1].append("end" if line.startswith("  end of the chain") else re.sub(r" 0x[0-9a-f]{16} ", " ", line))
    return found


def check_hung_chain(lines, links):
    """links: the line of each thread, and the functions its stack has to lead through, in their order"""
    assert lines[-1] == "end", lines
    text = "\n".join(lines[:-1])
    parts = re.split(r"^(?=  thread )", text, flags=re.M)[1:]
    assert len(parts) == len(links), text
    for part, (words, calls) in zip(parts, links):
        first, *stack = part.strip("\n").split("\n")
        assert re.fullmatch(words, first), first
        names = [re.match(r" +([\w.]+)\+0x", line)[1] for line in stack]
        assert [name for name in names if name in calls] == list(calls), (first, names)


@scenario("fault/hung_thread", builds=("release", "debug"), timeout=60)
def hung_thread(run):
    """a thread that waits too long is reported once, with what each thread of the chain waits for and where; on one CPU too"""
    sleeping = ("schedule_if_waiting", "thread_wait_until")
    owner = (r"  thread \d+ 'owner' waits for completion 'never', 1\.\d{3} s",
             (*sleeping, "completion_wait", "fault_wait_with_mutex", "thread_start", "thread_begin"))
    waiter = (r"  thread \d+ 'waiter' waits for mutex 'hung fault' of thread \d+ 'owner', taken at fault_wait_with_mutex\+0x\w+ "
              r"\(src/fault/hung\.c:\d+\), 1\.\d{3} s",
              (*sleeping, "mutex_lock", "fault_wait_for_mutex", "thread_start", "thread_begin"))
    for cpus in ("4", "1"):
        line = 'keel.panic=exit keel.hung-thread-ms={} keel.run="fault hung_thread; echo still here; exit"'
        with run.boot(Machine(memory="64M", cpus=cpus, command_line=line.format(1500))) as vm:
            vm.wait_end(outcome.PASS)
        found = hung_reports(vm.output)
        assert len(found) == 2 and "\nstill here\n" in vm.output.replace("\r", ""), found
        for (line_found, chain), (name, wait, links) in zip(found, (("owner", "completion", (owner,)), ("waiter", "mutex", (waiter, owner)))):
            assert re.fullmatch(rf"watchdog: hung thread \d+ '{name}': waits for {wait} for 1\.[5-9] s", line_found), line_found
            check_hung_chain(chain, links)
    for threshold in (0, 30000):
        with run.boot(Machine(memory="64M", cpus="2", command_line=line.format(threshold))) as vm:
            vm.wait_end(outcome.PASS)
        assert "hung thread " not in vm.output
