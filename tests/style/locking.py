#!/usr/bin/python3
"""Every lock of the kernel has a row in docs/locking.md, and the ranks there are those that the lock checker is given
(src/sync/lockdep_ranks.c)."""
import re

import source_tree

PAGE = "docs/locking.md"
RANKS = "src/sync/lockdep_ranks.c"
FOLDERS = {"src", "mm", "boot", "drivers", "include"}
NOT_THE_KERNELS = ("src/fault/",)  # provoked
ROW = re.compile(r"^\| (\d+) \| (.*?) \|", re.MULTILINE)
QUOTED = re.compile(r"`([^`]+)`")
ENTRY = re.compile(r'^    \{(\d+), "([^"]+)"\},$', re.MULTILINE)
MADE = re.compile(r'\b[A-Z]+_INITIALIZER\("([^"]+)"\)|\b(?:spinlock|mutex|rwlock|semaphore|lockdep)_(?:init|set_class)'
                  r'\([^;]*?, "([^"]+)"')
LOCKS = re.compile(r"\b(?:SPINLOCK|MUTEX|RWLOCK|SEMAPHORE)_INITIALIZER|\b(?:spinlock|mutex|rwlock|semaphore)_init|"
                   r"\blockdep_set_class")


def made(root):
    """Lock names in the sources, each with a file that has it."""
    names = {}
    for path in source_tree.files(root, {".c", ".h"}, FOLDERS):
        if path.startswith(NOT_THE_KERNELS):
            continue
        for match in MADE.finditer(source_tree.read(root, path)):
            if LOCKS.match(match[0]):
                names[match[1] or match[2]] = path
    return names


def check(root):
    rows = [(name, int(rank)) for rank, cell in ROW.findall(source_tree.read(root, PAGE))
            for name in QUOTED.findall(cell) if "/" not in name]
    documented = dict(rows)
    known = {name: int(rank) for rank, name in ENTRY.findall(source_tree.read(root, RANKS))}
    names = made(root)
    problems = [f"{PAGE}: '{name}' has more than one row" for name in documented if [n for n, _ in rows].count(name) > 1]
    problems += [f"{names[name]}: the lock '{name}' has no row in {PAGE}" for name in sorted(set(names) - set(documented))]
    problems += [f"{PAGE}: there is no lock '{name}'" for name in sorted(set(documented) - set(names))]
    problems += [f"{RANKS}: '{name}' has {known.get(name, 'no')} rank, in {PAGE} it is {documented.get(name, 'not there')}"
                 for name in sorted(set(known) | set(documented)) if known.get(name) != documented.get(name)]
    return problems


if __name__ == "__main__":
    source_tree.report(check(source_tree.root_argument()), "locks against their page")
