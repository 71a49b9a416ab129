#!/usr/bin/python3
"""Layouts of hardware are proved where they are written: every struct of include/hw/ has a static_assert for its size, and one
made of registers (include/dev/register.h) for the offset of each register that is not reserved."""
import re

import source_tree

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
STRUCT = re.compile(r"^struct\s+(?:PACKED\s+)?(\w+)\s*\{\n(.*?)^\}[^;]*;", re.DOTALL | re.MULTILINE)
MEMBERS = re.compile(r"^\s*(?:const\s+)?((?:struct\s+)?\w+)\s+([^;]*)$")
NAME = re.compile(r"(\w+)\s*(\[[^\]]*\])?$")
REGISTERS = {"reg8", "reg16", "reg32", "reg64"}
NOT_PROVED = ("reserved", "padding", "unused")


def members(body):
    """(type, name, is flexible) of each member."""
    for statement in body.split(";")[:-1]:
        match = MEMBERS.match(statement.replace("\n", " ").strip())
        for declarator in match[2].split(",") if match else ():
            name = NAME.match(declarator.strip())
            if name:
                yield match[1], name[1], name[2] == "[]"


def check_struct(path, text, name, body):
    fields = list(members(body))
    is_flexible = any(flexible for _, _, flexible in fields)
    has_registers = any(kind in REGISTERS for kind, _, _ in fields)
    proved = set(re.findall(rf"static_assert\(offsetof\(struct {name}, (\w+)", text))
    if not re.search(rf"static_assert\(sizeof\(struct {name}\) ==", text) and not (is_flexible and proved):
        yield f"{path}: struct {name} has no static_assert for its size"
    for kind, field, flexible in fields:
        is_nested = has_registers and kind.startswith("struct ") and not flexible
        if (has_registers or flexible) and not is_nested and not field.startswith(NOT_PROVED) and field not in proved:
            yield f"{path}: struct {name} has no static_assert for the offset of {field}"


def check(root):
    problems = []
    for path in source_tree.files(root, {".h"}, {"include"}):
        if path.startswith("include/hw/"):
            text = COMMENT.sub("", source_tree.read(root, path))
            for name, body in STRUCT.findall(text):
                problems += check_struct(path, text, name, body)
    return problems


if __name__ == "__main__":
    source_tree.report(check(source_tree.root_argument()), "layouts of hardware")
