"""Threads that wait too long (docs/watchdog.md): the lines in the log, word by word."""
import re

import faults
import report as reports
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
        mutexes = [line for line in stack if line.startswith("    has '")]
        has = [re.escape("    has 'hung fault' taken at fault_wait_with_mutex+0x") + r"\w+ \(src/fault/hung\.c:\d+\)"] if "'owner' waits" in first else []
        assert len(mutexes) == len(has) and all(map(re.fullmatch, has, mutexes)), mutexes
        names = [re.match(r" +([\w.]+)\+0x", line)[1] for line in stack if line not in mutexes]
        assert [name for name in names if name in calls] == list(calls), (first, names)


@scenario("fault/hung_thread", builds=("release", "debug"), timeout=60)
def hung_thread(run):
    """a thread that waits too long is reported once, with what each thread of the chain waits for and where; on one CPU too"""
    owner = (r"  thread \d+ 'owner' waits for completion 'never', 1\.\d{3} s",
             ("thread_wait_irq_off", "semaphore_wait", "fault_wait_with_mutex", "thread_start", "thread_begin"))
    waiter = (r"  thread \d+ 'waiter' waits for mutex 'hung fault' of thread \d+ 'owner', taken at fault_wait_with_mutex\+0x\w+ "
              r"\(src/fault/hung\.c:\d+\), 1\.\d{3} s",
              ("thread_wait_irq_off", "thread_wait_until", "mutex_lock", "fault_wait_for_mutex", "thread_start", "thread_begin"))
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


WAITS = r"thread (\d+) 'wants {0}' waits for mutex 'circle {0}' of thread (\d+) 'wants {1}', taken at 0x\w+ fault_want_{0}\+\S+ \(src/fault/hung\.c:\d+\), \d+\.\d{{3}} s"
HAS = r"  has 'circle {1}' taken at 0x\w+ fault_want_{0}\+\S+ \(src/fault/hung\.c:\d+\)"


def circle_lines(first="first", second="second"):
    """what is said of the two threads, the older one first: what it waits for, and the mutex it has"""
    return [line.format(*names) for names in ((second, first), (first, second)) for line in (WAITS.replace("fault_want_{0}", "fault_want_{1}"), HAS)]


def check_circle_reported_once(vm):
    """in every build when it closes; the lock checker of the debug build says it before, by its order"""
    found = reports.find_reports(vm.output)
    own = [each for each in found if each.fields["class"].startswith("warning: deadlock: ")]
    assert len(own) == 1, [each.fields["class"] for each in found]
    assert re.fullmatch(r"warning: deadlock: thread 'wants (\w+)' waits for mutex 'circle \1', whose owner waits for one of its own",
                        own[0].fields["class"]), own[0].fields["class"]


@scenario("fault/hung_circle", builds=("release", "debug"), timeout=60)
def hung_circle(run):
    """two threads in a circle: told once, reported as hung; shown by the system request, and by a panic, in a crowd of others"""
    line = "keel.panic=exit keel.lockdep=warn keel.hung-thread-ms=1500"
    with run.boot(Machine(memory="64M", cpus="4", command_line=line)) as vm:
        vm.wait_prompt()
        vm.send("fault hung_circle\r")
        vm.expect(r"  a circle: thread \d+ is waited for again")
        vm.expect(r"  a circle: thread \d+ is waited for again")
        check_circle_reported_once(vm)
        lines = circle_lines()
        vm.monitor("sendkey alt-sysrq-w 20")
        vm.expect("system request w")
        for wanted in lines:
            vm.expect(r"\]   " + wanted)
        vm.expect(r"(\d+) of (\d+) threads wait$")
        vm.wait_prompt()
        vm.send("fault crowd\r")
        vm.wait_end(outcome.FAIL)
        last = reports.find_reports(vm.output)[-1]
        expected = faults.memory_fault("NULL pointer write", faults.WRITE, "the NULL page", "fault_write", "provoke_crowd", others="3, stopped",
                                       threads=(r"thread 0 'boot' runs, CPU \d+", r"  has 'crowd mutex' taken at .* provoke_crowd\+.*", *lines,
                                                r"thread \d+ 'crowd' waits for semaphore 'crowd', \d\.\d{3} s", r"10[3-9] of 1\d\d threads wait, \d\d are not shown"))
        expected["cpu"] = last.fields["cpu"]
        try:
            reports.check(last, faults.kernel_of(run), vm.output, expected)
        except reports.ReportError as error:
            run.fail(str(error))
