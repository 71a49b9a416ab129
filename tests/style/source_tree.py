"""What the style tests share: which files there are, what they include, and how a test tells what it found."""
import os
import pathlib
import re
import sys

SKIPPED_FOLDERS = {"build", "__pycache__"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def files(root, suffixes=None, folders=None):
    """The paths of all source files, relative to root, sorted. Leaves out build folders and hidden ones."""
    found = []
    for folder, subfolders, names in os.walk(root):
        relative = pathlib.Path(folder).relative_to(root)
        subfolders[:] = sorted(name for name in subfolders if name not in SKIPPED_FOLDERS and
                               (not name.startswith(".") or name == ".ci"))
        if folders and relative.parts and relative.parts[0] not in folders:
            subfolders[:] = []
            continue
        for name in sorted(set(names) - {".git"}):
            if not suffixes or os.path.splitext(name)[1] in suffixes:
                found.append((relative / name).as_posix())
    if folders:
        found = [path for path in found if "/" in path]
    return found


def read(root, path):
    return (pathlib.Path(root) / path).read_text(encoding="utf-8", errors="replace")


def includes(root, path):
    """(line number, "<" or '"', name) of each #include line."""
    for number, line in enumerate(read(root, path).splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1], match[2]


def report(problems, what_was_checked):
    """Prints the problems and ends the program: 0 where there are none."""
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} found in {what_was_checked}")
        sys.exit(1)
    print(f"nothing found in {what_was_checked}")
    sys.exit(0)


def root_argument():
    """The tree to check: the argument, or the one this file is in."""
    return pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
