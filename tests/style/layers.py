#!/usr/bin/python3
"""Reads every #include of the kernel's C files and fails on what tests/style/layers.txt does not allow: an include of a
higher layer or of a neighbour in the same one, a circle of modules, a driver's header outside main.c, and another module's
private header."""
import pathlib
import re

import source_tree

FOLDERS = {"src", "mm", "boot", "drivers", "include", "tests"}
COMPILER_HEADERS = {"stdalign.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h"}  # through base/types.h
ALLOW = re.compile(r"^allow (\S+) -> (\S+)\s+(\S.*)$")


class Layers:
    def __init__(self, text):
        self.layer_of = {}
        self.allowed = {}
        for number, line in enumerate(text.splitlines(), 1):
            line = line.strip()
            match = ALLOW.match(line)
            if match:
                self.allowed[match[1], match[2]] = match[3]
            elif line.startswith("allow"):
                raise ValueError(f"layers.txt:{number}: not `allow FILE -> HEADER  reason`")
            elif line and not line.startswith("#"):
                layer = len(set(self.layer_of.values()))
                self.layer_of.update({module: layer for module in line.split()})

    def module_of(self, path):
        """The module a path under the root belongs to, or None."""
        parts = list(pathlib.PurePosixPath(path).with_suffix("").parts)
        if parts[0] in ("include", "src"):
            parts = parts[1:]
        if path.startswith("tests/"):
            return "tests"
        longest = None
        for module in self.layer_of:
            wanted = module.split("/")
            exact_folders = parts[:len(wanted) - 1] == wanted[:-1] and len(parts) >= len(wanted)
            last = parts[len(wanted) - 1] if exact_folders else ""
            is_file_prefix = len(wanted) > 1 and len(parts) == len(wanted) and re.match(
                re.escape(wanted[-1]) + r"(_|$)", last)
            if exact_folders and (last == wanted[-1] or is_file_prefix):
                if longest is None or len(wanted) > len(longest.split("/")):
                    longest = module
        return longest


def kernel_files(root):
    for path in source_tree.files(root, {".c", ".h"}, FOLDERS):
        if not path.startswith("tests/") or path.startswith(("tests/kernel/", "tests/bench/")):
            yield path


def find_header(root, path, kind, name):
    """The header's path under the root, or None where it is not one of ours."""
    if kind == '"':
        resolved = ((root / path).parent / name).resolve()
        return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) and resolved.exists() else None
    return f"include/{name}" if (root / "include" / name).exists() else None


def check_include(layers, path, header, is_private):
    """None, or what is wrong with path including header."""
    own, other = layers.module_of(path), layers.module_of(header)
    if other is None:
        return f"{header} belongs to no module of layers.txt"
    if is_private:
        return None if own == other else f"includes {header}, a private header of {other}"
    if other == "drivers" and own != "drivers" and path != "src/main.c":
        return f"includes {header}: only src/main.c may include a driver's header"
    if own == other:
        return None
    if layers.layer_of[other] >= layers.layer_of[own]:
        return f"includes {header}: {own} may not use {other}, which is not in a lower layer"
    return None


def find_circles(edges):
    """Circles of modules, each as the list of its modules."""
    circles, done = [], set()

    def visit(module, trail):
        if module in trail:
            circles.append(trail[trail.index(module):] + [module])
            return
        if module in done:
            return
        for other in sorted(edges.get(module, ())):
            visit(other, trail + [module])
        done.add(module)

    for module in sorted(edges):
        visit(module, [])
    return circles


def check(root):
    layers = Layers(source_tree.read(root, "tests/style/layers.txt"))
    problems, edges, used = [], {}, set()
    for path in kernel_files(root):
        own = layers.module_of(path)
        if own is None:
            problems.append(f"{path}: belongs to no module of layers.txt")
            continue
        for number, kind, name in source_tree.includes(root, path):
            header = find_header(root, path, kind, name)
            if header is None:
                if name == "limits.h" or (name in COMPILER_HEADERS and path == "include/base/types.h"):
                    continue
                problems.append(f"{path}:{number}: includes {name}, which is not in this tree (base/types.h has the "
                                "compiler's own headers)")
                continue
            problem = check_include(layers, path, header, not header.startswith("include/"))
            if problem and (path, header) in layers.allowed:
                used.add((path, header))
            elif problem:
                problems.append(f"{path}:{number}: {problem}")
            other = layers.module_of(header)
            if other and other != own:
                edges.setdefault(own, set()).add(other)
    problems += [f"circle of modules: {' -> '.join(circle)}" for circle in find_circles(edges)]
    problems += [f"layers.txt: the exception {path} -> {header} is not needed"
                 for path, header in sorted(set(layers.allowed) - used)]
    return problems


if __name__ == "__main__":
    source_tree.report(check(source_tree.root_argument()), "the includes of the kernel")
