#!/usr/bin/python3
"""Holds every C file against .clang-format, and every text file against the rules of .editorconfig that matter: no tabs in
C, no blanks at the end of a line, a newline at the end of the file, no carriage returns."""
import os
import shutil
import subprocess
import sys

import source_tree

TEXT = {".c", ".h", ".asm", ".inc", ".in", ".cmake", ".txt", ".md", ".py", ".json", ".cfg", ".dict", ".yml", ""}
UNTOUCHED = ("tests/fuzz/corpus/",)


def find_clang_format():
    for name in ("clang-format", "clang-format-14"):
        if shutil.which(name):
            return name
    sys.exit("clang-format is not installed (tools/packages names the packages)")


def check_clang_format(root, paths):
    command = [find_clang_format(), "--dry-run", "-Werror", "--ferror-limit=1"]
    for first in range(0, len(paths), 50):
        result = subprocess.run(command + paths[first:first + 50], cwd=root, capture_output=True, text=True)
        for line in result.stderr.splitlines():
            if "error:" in line:
                place = ":".join(line.split(":")[:2])
                yield f"{place}: is not formatted (clang-format -i)"


def check_text(root, path):
    data = (root / path).read_bytes()
    if b"\0" in data:
        return
    if data and not data.endswith(b"\n"):
        yield f"{path}: does not end with a newline"
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.endswith((b" ", b"\t", b"\r")):
            yield f"{path}:{number}: blank at the end of the line"
        if b"\t" in line and path.endswith((".c", ".h", ".asm")):
            yield f"{path}:{number}: tab"


def check(root):
    problems = list(check_clang_format(root, source_tree.files(root, {".c", ".h"})))
    for path in source_tree.files(root):
        if os.path.splitext(path)[1] in TEXT and not path.startswith(UNTOUCHED):
            problems += check_text(root, path)
    return problems


if __name__ == "__main__":
    source_tree.report(check(source_tree.root_argument()), "the format of all files")
