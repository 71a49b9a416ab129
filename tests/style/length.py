#!/usr/bin/python3
"""Prints how long the project's files are, and fails on one that is longer than 600 lines without a reason in
tests/style/long_files.txt, or on a reason that is no longer needed."""
import source_tree

LINES_MAX = 600
REASONS = "tests/style/long_files.txt"
SUFFIXES = {".c", ".h", ".asm", ".py", ".cmake", ""}


def lengths(root):
    for path in source_tree.files(root, SUFFIXES):
        if not path.startswith("tests/fuzz/corpus/"):
            yield len(source_tree.read(root, path).splitlines()), path


def reasons(root):
    for line in source_tree.read(root, REASONS).splitlines():
        if line.strip() and not line.startswith("#"):
            path, _, reason = line.partition(" ")
            yield path, reason.strip()


def check(root):
    allowed = dict(reasons(root))
    long = {path: count for count, path in lengths(root) if count > LINES_MAX}
    problems = [f"{path}: {count} lines, over {LINES_MAX}, and no reason in {REASONS}"
                for path, count in sorted(long.items()) if not allowed.get(path)]
    problems += [f"{REASONS}: {path} is not that long" for path in sorted(set(allowed) - set(long))]
    return problems


def print_summary(root):
    by_length = sorted(lengths(root), reverse=True)
    counts = sorted(count for count, path in by_length if path.endswith((".c", ".h", ".asm")))
    if not counts:
        return
    print(f"{len(counts)} C and assembly files: median {counts[len(counts) // 2]} lines, "
          f"ninetieth percentile {counts[len(counts) * 9 // 10]}, all {sum(counts)}")
    for count, path in by_length[:10]:
        print(f"{count:6} {path}")


if __name__ == "__main__":
    tree = source_tree.root_argument()
    print_summary(tree)
    source_tree.report(check(tree), "file lengths")
