#!/usr/bin/python3
"""Compiles every header alone, as the kernel is compiled, and requires `#pragma once` and a word on what it is.

  headers.py ROOT COMPILER FLAG...
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import source_tree

ONCE = re.compile(r"^#pragma once$", re.MULTILINE)


def headers(root):
    return [path for path in source_tree.files(root, {".h"}, {"src", "mm", "boot", "drivers", "include"})]


def check_form(root, path):
    text = source_tree.read(root, path)
    if len(ONCE.findall(text)) != 1:
        yield f"{path}: has not exactly one `#pragma once`"
    if "/*" not in text:
        yield f"{path}: no comment says what it is"


def compile_alone(root, paths, compiler):
    """One compiler run over one small file for each header; the compiler names the file of each error."""
    with tempfile.TemporaryDirectory() as folder:
        sources = []
        for path in paths:
            source = pathlib.Path(folder) / (path.replace("/", "__") + ".c")
            source.write_text(f'#include "{root / path}"\n#include "{root / path}"\n')
            sources.append(str(source))
        result = subprocess.run(compiler + ["-fsyntax-only", f"-I{root}/include"] + sources, capture_output=True,
                                text=True)
    if result.returncode == 0:
        return
    lines = [line for line in result.stderr.splitlines() if "error:" in line]
    for line in lines or [result.stderr.strip()]:
        yield "not self-contained: " + line.replace(f"{root}/", "")


def check(root, compiler):
    paths = headers(root)
    problems = [problem for path in paths for problem in check_form(root, path)]
    return problems + list(compile_alone(root, paths, compiler)), len(paths)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    found, count = check(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:])
    source_tree.report(found, f"{count} headers, each compiled alone")
