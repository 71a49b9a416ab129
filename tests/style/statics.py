#!/usr/bin/python3
"""Every variable of the kernel that may change says what protects it: a letter in the comment where it is declared ("[a]", or
"[work lock]"), or a row of the table of variables in docs/locking.md. With --list: all of them."""
import collections
import re
import sys

import source_tree

PAGE = "docs/locking.md"
SECTION = re.compile(r"^## Variables.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `([^`]+\.c)` \| ([^|]*)\|", re.MULTILINE)
QUOTED = re.compile(r"`([^`]+)`")
FOLDERS = {"src", "mm", "boot", "drivers"}
NOT_THE_KERNELS = ("src/fault/",)  # provoked
CONSTANT = re.compile(r"\bREAD_ONLY_AFTER_INIT\b|\bINIT_DATA\b")
A_TYPE = re.compile(r"\s*(?:typedef\s+)?(?:struct|union|enum)\s+(?:[A-Z_]+\s+)*\w*\s*(?:[A-Z_]+\s*)*$")
OTHERS = re.compile(r"^\s*(?:typedef|extern|static_assert|_Static_assert|asm|__asm__|#)")
# What a module is given to keep: its header says who may do what.
REGISTERED = re.compile(r"^\s*(?:static\s+)?struct (?:audit|clock_source|console|deferred|driver|event_source|irq_controller|timer|work)\s+"
                        r"\w+")
A_LOCK = re.compile(r"_INITIALIZER\(\"|\bstruct (?:spinlock|mutex|rwlock|completion|semaphore)\b")
MACROS = re.compile(r"\b(?:ALIGNED|TABLE_ENTRY|SECTION|USED|__attribute__)\s*\((?:[^()]|\([^()]*\))*\)|\bPER_CPU\b")
TEST_TABLES = re.compile(r"^\s*[A-Z][A-Z_0-9]+\s*\(")  # COMMAND(...), IDLE_WORK(...): constants of a table
LETTER = re.compile(r"\[[A-Za-z][^\]\d]*\]")

Variable = collections.namedtuple("Variable", "path line name comment")


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def without_comments(text):
    """The same length and lines, with comments and what strings hold blank."""
    return re.sub(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)+\'|/\*.*?\*/|//[^\n]*',
                  lambda match: match[0] if match[0][0] == '"' and "INITIALIZER" in match.string[match.start() - 20:match.start()]
                  else blank(match), text, flags=re.DOTALL)


def statements(code):
    """(text, offsets of its beginning and end) of what stands between semicolons outside of braces, what braces hold left out; and of every
    `static` inside of them."""
    depth, begin, kept, start = 0, 0, [], 0
    for offset, letter in enumerate(code):
        if letter == "{":
            depth += 1
            if depth == 1:
                kept.append(code[begin:offset])
        elif letter == "}":
            depth -= 1
            begin = offset + 1
            if depth == 0 and re.search(r"\)\s*$", "".join(kept)):  # a function's body
                kept, start = [], offset + 1
        elif letter == ";" and depth == 0:
            kept.append(code[begin:offset])
            yield " {} ".join(kept) if len(kept) > 1 else kept[0], start, offset
            kept, begin, start = [], offset + 1, offset + 1
    for match in re.finditer(r"^[ \t]+(static\s[^;({]*(?:\{[^;]*?\})?[^;({]*);", code, re.MULTILINE):
        yield match[1], match.start(), match.end() - 1


def names_of(statement):
    """Of the variables that a declaration makes and that may change."""
    text = re.sub(r"^\s*#(?:[^\\\n]|\\\n)*", "", statement, flags=re.MULTILINE)
    if OTHERS.search(text) or CONSTANT.search(text) or A_LOCK.search(text) or REGISTERED.match(text) or TEST_TABLES.match(text):
        return []
    text = MACROS.sub(" ", text)
    text = re.sub(r"\{.*?\}", " ", text, flags=re.DOTALL)
    if A_TYPE.match(text):
        return []
    pointer = re.search(r"\(\s*\*\s*(\w+)(?:\[[^\]]*\])*\s*\)\s*\(", text.split("=")[0])
    if pointer:
        return [pointer[1]]
    text = text.split("=")[0] if text.count("=") == 1 or "," not in text else re.sub(r"=[^,]*", "", text)
    if "(" in text or not re.match(r"\s*(?:static\s+|volatile\s+)*\w", text):
        return []
    words = text.rsplit("*", 1)[1] if "*" in text.split(",")[0] else text
    if re.search(r"\bconst\b", words):
        return []
    found = [re.search(r"(\w+)\s*(?:\[[^\]]*\]\s*)*$", part.strip()) for part in text.split(",")]
    return [match[1] for match in found if match and len(text.split()) > 1]


def comment_of(text, start, end):
    """All that stands before it, behind what is before that, and on its last line."""
    behind = text[end:text.find("\n", end)]
    if "/*" in behind and "*/" not in behind:
        behind = text[end:text.find("*/", end)]
    return (text[start:end].split("\n", 1)[-1] if start else text[:end]) + behind


def variables(root):
    for path in source_tree.files(root, {".c"}, FOLDERS):
        if path.startswith(NOT_THE_KERNELS):
            continue
        text = source_tree.read(root, path)
        code = without_comments(text)
        for statement, start, end in statements(code):
            yield from (Variable(path, text.count("\n", 0, end) + 1, name, comment_of(text, start, end))
                        for name in names_of(statement))


def check(root):
    section = SECTION.search(source_tree.read(root, PAGE))
    rows = {(path, name) for path, cell in ROW.findall(section[0] if section else "") for name in QUOTED.findall(cell)}
    found = list(variables(root))
    problems = [f"{each.path}:{each.line}: nothing says what protects '{each.name}': a letter, or a row in {PAGE}"
                for each in found if not LETTER.search(each.comment) and (each.path, each.name) not in rows]
    problems += [f"{PAGE}: there is no variable '{name}' in {path}" for path, name in
                 sorted(rows - {(each.path, each.name) for each in found})]
    return problems


if __name__ == "__main__":
    if sys.argv[1:2] == ["--list"]:
        for each in variables(source_tree.root_argument() if len(sys.argv) < 3 else sys.argv[2]):
            letters = " ".join(LETTER.findall(each.comment))
            print(f"{each.path}:{each.line} {each.name} {letters}")
        sys.exit(0)
    source_tree.report(check(source_tree.root_argument()), "variables against what protects them")
