#!/usr/bin/python3 -B
"""Proves on the kernel file what backtraces rely on (src/debug/backtrace.c): every C function either sets RBP up before its
first branch, with nothing but pushes moving the stack until then, or keeps nothing on the stack from one branch to the next
(inline assembly may push and pop in a row).

frames.py KERNEL [--self-test]
"""
import re
import subprocess
import sys

FUNCTION = re.compile(r"^[0-9a-f]+ <(\S+)>:$")
SETS_RBP = re.compile(r"mov +%rsp,%rbp$")
PUSH = re.compile(r"pushf?q?( |$)")
POP = re.compile(r"popf?q?( |$)")
FAR_RETURN = re.compile(r"lretq?$|rex.W lret$")
BRANCH = re.compile(r"(j\w+|call\w*|ret\w*|bnd|iret\w*) ?")
MOVES_STACK = re.compile(r"(call|leave|enter)|,%rsp$")
TOUCHES_STACK = re.compile(MOVES_STACK.pattern + r"|%rsp\)")
FENCE = re.compile(r"lock or[lq] +\$0x0,\(%rsp\)$")  # the compilers' memory barrier: it changes nothing
INSTRUCTION = re.compile(r"^ *[0-9a-f]+:\t(.*?) *(<.*>|#.*)?$")


def functions(kernel):
    """(name, [instruction]) of every C function. Assembly's symbols have no type or size: it has its own rules."""
    symbols = subprocess.run(["readelf", "-sW", kernel], check=True, capture_output=True, text=True).stdout
    names = set(re.findall(r" FUNC +\w+ +\w+ +\d+ (\S+)", symbols))
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "-j", ".text", "-j", ".init.text", kernel], check=True,
                          capture_output=True, text=True).stdout
    name, body = None, []
    for line in text.split("\n"):
        match = FUNCTION.match(line)
        if match:
            if name in names:
                yield name, body
            name, body = match.group(1), []
        else:
            match = INSTRUCTION.match(line)
            if match and not FENCE.match(match.group(1)):
                body.append(match.group(1))
    if name in names:
        yield name, body


def complaint(name, body):
    """What is wrong with the function, or None."""
    if ".cold" in name:  # split off a function that has set its frame up
        return None
    for number, instruction in enumerate(body):
        if SETS_RBP.match(instruction):
            before = [other for other in body[:number] if not PUSH.match(other)]
            bad = [other for other in before if BRANCH.match(other) or TOUCHES_STACK.search(other)]
            return f"'{bad[0]}' before its frame is set up" if bad else None
    return leaf_complaint(body)


def leaf_complaint(body):
    depth = 0
    for instruction in body:
        depth += 8 if PUSH.match(instruction) else -8 if POP.match(instruction) else 0
        depth -= 16 if FAR_RETURN.match(instruction) else 0
        touches = MOVES_STACK if depth else TOUCHES_STACK  # what was just pushed may be changed
        if touches.search(instruction) or depth < 0 or (depth and BRANCH.match(instruction)):
            return f"'{instruction}' without a frame"
    return None


def self_test():
    good = (["push   %rbp", "mov    %rsp,%rbp", "call   x", "pop    %rbp", "ret"], ["mov    (%rdi),%rax", "ret"],
            ["pushf", "pop    %rax", "ret"])
    bad = (["test   %rdi,%rdi", "je     1", "push   %rbp", "mov    %rsp,%rbp"], ["sub    $0x8,%rsp", "call   x", "ret"],
           ["push   %rbx", "jmp    1", "pop    %rbx", "ret"], ["mov    0x8(%rsp),%rax", "ret"])
    assert all(complaint("f", body) is None for body in good)
    assert all(complaint("f", body) for body in bad)


def main():
    self_test()
    checked = wrong = 0
    for name, body in functions(sys.argv[1]):
        checked += 1
        words = complaint(name, body)
        if words:
            wrong += 1
            print(f"{name}: {words}")
    print(f"{checked} functions, {wrong} of them not as backtraces need them")
    return 1 if wrong or checked < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
