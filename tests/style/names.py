#!/usr/bin/python3
"""Names of files and words in them: lower_snake, no file or folder called misc, common or utils, no path of somebody's
machine, no work left for later, no `extern` prototype in a .c, `#if` only outside functions."""
import re

import source_tree

# Names that tools or custom fix.
FIXED_NAMES = {"CMakeLists.txt", "CMakePresets.json", "README.md", "CONTRIBUTING.md", "LICENSE"}
NAME = re.compile(r"^\.?[a-z0-9_]+(\.[a-z0-9_]+)*$")
NAME_WITH_DASHES = re.compile(r"^\.?[a-z0-9_.-]+$")
DASHES_ALLOWED = ("docs/", "cmake/", "tools/", ".", "tests/fuzz/corpus/", "tests/scenarios/", "iso/")
VAGUE = {"misc", "common", "utils", "util", "helpers"}

# Written in pieces, so that this file passes its own test.
WORDS = {
    re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b"): "work left for later",
    re.compile(r"(?<![\w.])/(wor" + r"k|hom" + r"e|Use" + r"rs)/\w"): "a path of somebody's machine",
}
BINARY = (".png", ".jpg", ".pf2")
C_FOLDERS = ("src/", "mm/", "boot/", "drivers/", "include/")
DIRECTIVE = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b")
EXTERN_PROTOTYPE = re.compile(r"^\s*extern\b[^;=]*\(")


def check_name(path):
    parts = path.split("/")
    for part in parts:
        allowed = NAME_WITH_DASHES if path.startswith(DASHES_ALLOWED) else NAME
        if part not in FIXED_NAMES and not allowed.match(part):
            yield f"{path}: '{part}' is not lower_snake"
        if part.split(".")[0] in VAGUE:
            yield f"{path}: '{part}' says nothing; name what it holds"


def check_words(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for word, meaning in WORDS.items():
            if word.search(line):
                yield f"{path}:{number}: {meaning}: {line.strip()}"


def check_c(path, text):
    inside_function = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("{"):
            inside_function = True
        elif line.startswith("}"):
            inside_function = False
        if inside_function and DIRECTIVE.match(line):
            yield f"{path}:{number}: preprocessor condition inside a function"
        if path.endswith(".c") and EXTERN_PROTOTYPE.match(line):
            yield f"{path}:{number}: extern prototype in a source; include its header"


def check(root):
    problems = []
    for path in source_tree.files(root):
        problems += check_name(path)
        if path.endswith(BINARY) or path.startswith("tests/fuzz/corpus/"):
            continue
        text = source_tree.read(root, path)
        problems += check_words(path, text)
        if path.startswith(C_FOLDERS) and path.endswith((".c", ".h")):
            problems += check_c(path, text)
    return problems


if __name__ == "__main__":
    source_tree.report(check(source_tree.root_argument()), "names and words")
