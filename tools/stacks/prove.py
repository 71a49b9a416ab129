#!/usr/bin/python3 -B
"""Proves that no stack of the kernel overflows: the worst case of every way onto a stack, from the machine code of the image
that boots, with the interrupts that can come on top, against the stack's size. docs/stacks.md says how, and what it assumes.

prove.py KERNEL SOURCE-ROOT [--chains] [--plant FUNCTION=BYTES] [--json FILE]
"""
import argparse
import json
import sys
import time

import depth
import frames
import graph
import image
import rules

HARDWARE = 8 + 5 * 8 + 2 * 8  # alignment; SS to RIP; error code and vector (src/trap/entry.asm)
FRAME_MAX = 1024 + 64  # -Wframe-larger-than, and what is pushed around it
FRAME_WITH_REDZONES_MAX = FRAME_MAX * 3 // 2  # of the address sanitizer, for which the compiler does not warn
SIZES = {"KERNEL_STACK_SIZE": "emergency.stacks[0].memory", "INTERRUPT_STACK_SIZE": "emergency.interrupt"}  # what has it
FUNCTIONS_MIN = 100  # fewer, and something has not been read
EXCEPTION = "trap_entry_error_code"  # one word more than trap_entry
INTERRUPT = "trap_entry_interrupt"
OWN_STACKS = ("nmi", "machine-check")
WITHOUT_INTERRUPTS = ("deferred", "sysrq", "thread", "line") + OWN_STACKS


class Prover:
    def __init__(self, kernel, root, rules_path=None):
        self.rules = rules.Rules(rules_path) if rules_path else rules.Rules()
        self.root = root
        self.image = image.Image(kernel, root)
        self.graph = graph.Graph(self.image, self.rules, sorted(SIZES.values()))
        self.bounds = {entry: bound for entry, name in self.image.entries.items() if (bound := self.rules.bound(name))}
        self.inside = {}
        for (caller, callee), (outer, place) in self.rules.inside.items():
            self.rules.used.add(place)
            for one in self.image.owners.by_name.get(caller, []):
                for other in self.image.owners.by_name.get(callee, []):
                    self.inside[(one, other)] = self.rules.bound(outer)
        self.groups = sorted({self.rules.once[place] for place, _ in self.bounds.values() if place in self.rules.once})
        self.solvers = {}

    def size(self, stack):
        return self.image.types["sizes"][SIZES[stack.size]]

    def name(self, node):
        return f"{self.image.name(node[0])} for {self.image.name(node[1])}" if isinstance(node, tuple) else self.image.name(node)

    def _address(self, entry):
        address = self.image.address(entry)
        if address is None:
            raise frames.Error(f"there is no function {entry}, or more than one")
        return address

    def _edges_without(self, left_out):
        pairs = self._without(left_out)

        def edges(node):
            found = self.graph.edges_of(node)
            caller = rules.plain(self.image.name(node[0] if isinstance(node, tuple) else node))
            if any(caller == one for one, _ in pairs):
                return [e for e in found if (caller, rules.plain(self.name(e[0]))) not in pairs]
            return found
        return edges

    def interrupts_on(self, entry, left_out):
        """[(name, by what calls)] of the functions with an STI that can run in a context."""
        edges, start, found = self._edges_without(left_out), self._address(entry), []
        callers, waiting = {start: None}, [start]
        while waiting:
            node = waiting.pop()
            for callee, _, _ in edges(node):
                if callee not in callers:
                    callers[callee] = node
                    waiting.append(callee)
            function = node[0] if isinstance(node, tuple) else node
            if self.rules.wanted(self.image.name(function)) and self.image.frame(function).has_sti:
                path = []
                while node is not None:
                    path.append(self.name(node))
                    node = callers[node]
                found.append((path[0], " <- ".join(path)))
        return found

    def _refused(self, node):
        """A call that finds out that it is one too many, for which it may ask what it calls itself. What is at work once
        on a stack is in another context then."""
        asked = [edge for edge in self.graph.edges_of(node) if self.bounds[node][0] not in self.rules.once]
        return max([self.graph.own(node)] + [depth + self.graph.own(callee) for callee, depth, _ in asked])

    def _without(self, left_out):
        pairs = set()
        for part in left_out:
            for caller, callee, place in self.rules.parts[part]:
                self.rules.used.add(place)
                pairs.add((caller, callee))
        return pairs

    def worst(self, entry, left_out, may):
        """The deepest path of one context. left_out: parts of the interrupt's entry that do not come into it; may: the
        groups of rules.once that are at work in it, if anywhere."""
        key = tuple(left_out)
        absent = [group for group, whose in self.rules.once.items() if whose not in may]
        if key not in self.solvers:
            self.solvers[key] = depth.Depths(self.graph.own, self._edges_without(left_out), self.bounds, self.inside, self._refused)
        try:
            return self.solvers[key].deepest(self._address(entry), absent)
        except depth.Recursion as error:
            nodes = error.args[0] + error.args[0][:1]
            steps = [self.name(nodes[0])] + [self.name(after) + self._pointer(before, after)
                                             for before, after in zip(nodes, nodes[1:])]
            raise depth.Recursion(" -> ".join(steps)) from error

    def _pointer(self, caller, callee):
        """By what pointer one function calls another."""
        whats = {what for other, _, what in self.graph.edges_of(caller) if other == callee}
        return f" (by {' or '.join(sorted(whats))})" if whats and "" not in whats else ""

    def contexts(self, stack, entry):
        """Lists of (what, entry, left out, extra bytes), from the first to run on the stack to the last that can come on top.
        A switch of threads, wherever it is made, is made with interrupts off: nothing but an exception is on top of it.
        Exceptions have interrupts off, too; on top of one comes another."""
        exceptions = [(what, EXCEPTION, WITHOUT_INTERRUPTS, HARDWARE) for what in ("exception", "exception in that")]
        switch = ("switch at an interrupt's end", INTERRUPT, ("dispatch",), HARDWARE)
        interrupts = [("interrupt with deferred work", INTERRUPT, ("sysrq", "thread") + OWN_STACKS, HARDWARE),
                      ("interrupt with system request", INTERRUPT, ("deferred", "thread") + OWN_STACKS, HARDWARE),
                      ("interrupt", INTERRUPT, ("deferred", "sysrq", "thread") + OWN_STACKS, HARDWARE)]
        if stack.kinds == "interrupts":
            return [interrupts + exceptions]
        if entry.startswith("trap_"):
            left_out = tuple(part for part in WITHOUT_INTERRUPTS if part != stack.name.replace(" ", "-").lower())
            return [[(stack.name, entry, left_out, HARDWARE), *exceptions]]
        if stack.kinds == "exceptions":
            return [[(entry, entry, ("thread",), 0), *exceptions]]
        on_top = [(*switch[:2], ("dispatch", "nested"), switch[3]), *exceptions]
        thread = [(entry, entry, ("thread", "nested", "alone"), 0), *on_top]
        before_threads = [(entry, entry, ("thread", "nested", "prompt"), 0), *on_top]
        return [thread, before_threads] if entry == "kernel_entry" else [thread]

    def stack(self, stack, entry):
        """(bytes, [(what, bytes, chain)]): the worst sum over all ways to spread the groups of rules.once."""
        return max((self._sum(contexts) for contexts in self.contexts(stack, entry)), key=lambda one: one[0])

    def _sum(self, contexts):
        subsets = [frozenset(g for n, g in enumerate(self.groups) if mask >> n & 1) for mask in range(1 << len(self.groups))]
        best = {frozenset(): (0, [])}
        for what, start, left_out, extra in contexts:
            found = {may: self.worst(start, left_out, may) for may in subsets}
            after = {}
            for before, (total, parts) in best.items():
                for may in (may for may in subsets if not may & before):
                    sum_here = total + extra + found[may].bytes
                    if sum_here > after.get(before | may, (-1, None))[0]:
                        after[before | may] = (sum_here, parts + [(what, extra + found[may].bytes, found[may].chain)])
            best = after
        return max(best.values(), key=lambda one: one[0])


def check_frames(prover, failures):
    """Every frame's size is in its code, and within FRAME_MAX; only declared functions change to another stack."""
    sizes, limit = [], FRAME_WITH_REDZONES_MAX if prover.image.notes else FRAME_MAX
    for entry, name in prover.image.entries.items():
        if not prover.rules.wanted(name):
            continue
        frame = prover.image.frame(entry)
        sizes.append((frame.deepest, name))
        if frame.switches and not prover.rules.switches(name):
            failures.append(f"{name}: sets the stack pointer to what only a run can tell, at "
                            + ", ".join(f"0x{address:x}" for address in frame.switches))
        if frame.deepest > limit:
            failures.append(f"{name}: a frame of {frame.deepest} bytes, more than {limit}")
    print(f"{len(sizes)} functions, {len(prover.image.types['calls'])} calls through pointers; the largest frames: "
          + ", ".join(f"{name} {size}" for size, name in sorted(sizes, reverse=True)[:4]))
    if len(sizes) < FUNCTIONS_MIN:
        failures.append(f"only {len(sizes)} functions")


def check_interrupts(prover, failures):
    """What contexts() takes for granted: an exception's handler runs with interrupts off to its end."""
    for name, path in prover.interrupts_on(EXCEPTION, WITHOUT_INTERRUPTS):
        if not prover.rules.may_enable(name):
            failures.append(f"{name}: turns interrupts on, in an exception's handler: {path}")


def show_chain(prover, chain):
    for function, at, pointer in chain:
        print(f"    {at:6} {prover.graph.own(function):5}  {prover.name(function)}" + (f"  (by {pointer})" if pointer else ""))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kernel")
    parser.add_argument("root")
    parser.add_argument("--rules")
    parser.add_argument("--chains", action="store_true", help="show the deepest path of each context")
    parser.add_argument("--plant", help="FUNCTION=BYTES: as if that function's frame were so much larger")
    parser.add_argument("--json", help="a file for the table")
    arguments = parser.parse_args()
    started = time.monotonic()
    prover = Prover(arguments.kernel, arguments.root, arguments.rules)
    failures, table = list(prover.graph.unresolved), {}
    failures += [f"{name}: its address is taken, and no call through a pointer leads to it" for name in prover.graph.lost()]
    if arguments.plant:
        name, size = arguments.plant.split("=")
        prover.graph.plant(prover.image.address(name), int(size))
    check_frames(prover, failures)
    check_interrupts(prover, failures)
    print(f"{'stack':16} {'entry':26} {'worst case':>10} {'of':>6}   made of")
    for stack in prover.rules.stacks:
        size = prover.size(stack)
        for entry in stack.entries:
            total, parts = prover.stack(stack, entry)
            print(f"{stack.name:16} {entry:26} {total:10} {size:6}   " + ", ".join(f"{what} {n}" for what, n, _ in parts))
            table[stack.name] = {"worst": max(total, table.get(stack.name, {"worst": 0})["worst"]), "size": size}
            if total > size:
                failures.append(f"stack {stack.name}: {total} bytes of {size} from {entry}")
            if arguments.chains or total > size:
                for what, count, chain in parts:
                    print(f"  {what}: {count}")
                    show_chain(prover, chain)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(table, file, indent=1)
    print(f"{len(prover.graph.edges)} functions in {time.monotonic() - started:.1f} s")
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except depth.Recursion as error:
        print(f"recursion that rules.txt does not explain: {error}")
        sys.exit(1)
    except (frames.Error, graph.Error, rules.Error) as error:
        print(error)
        sys.exit(1)
