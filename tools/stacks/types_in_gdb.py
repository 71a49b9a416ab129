"""Run by gdb: what the debug information says of the types of functions and of calls through pointers.

gdb -nx -batch -ex "py root = ...; calls = [...]; ..." -x types_in_gdb.py, addresses in the lists; prints one line of
JSON: {"functions": {address: signature}, "calls": {address: {"place", "text", "pointers": {name: [signature]}}}, ...}. A signature is
the type with all typedefs resolved, so that equal types have equal texts.
"""
import json
import os
import re

import gdb

CALLED = re.compile(r"([A-Za-z_]\w*)\s*((?:\[[^][]*\]|\))*)\s*\(")
CHAIN = re.compile(r"([A-Za-z_]\w*)((?:\[[^][]*\]|(?:->|\.)\w+)*)(?:->|\.)$")  # what a called member is a member of
RETURNED = re.compile(r"\b(\w+)\(\)(?:->|\.)$")
CAST = re.compile(r"\(\(\s*(?:const )?struct (\w+) \*\)\s*\w+\)(?:->)$")
STEP = re.compile(r"\[[^][]*\]|(?:->|\.)(\w+)")
STRUCTS = (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION)


def canonical(kind):
    kind = kind.unqualified()
    if kind.code == gdb.TYPE_CODE_TYPEDEF:
        target = kind.strip_typedefs()
        # A struct without a tag has no other name than its typedef's.
        return kind.name if target.code == gdb.TYPE_CODE_STRUCT and not target.tag else canonical(target)
    if kind.code == gdb.TYPE_CODE_PTR:
        target = kind.target()
        const = "const " if str(target) != str(target.unqualified()) else ""
        return const + canonical(target) + "*"
    if kind.code == gdb.TYPE_CODE_ARRAY:
        return canonical(kind.target()) + "[]"
    if kind.code == gdb.TYPE_CODE_FUNC:
        arguments = [canonical(field.type) for field in kind.fields()]
        return f"{canonical(kind.target())}({','.join(arguments)})"
    if kind.code == gdb.TYPE_CODE_ENUM:
        return f"enum {kind.tag or kind.name}"
    return str(kind.unqualified())


def function_type(kind):
    """The type of the function that a pointer, or an array of pointers, leads to; None where it is no such thing."""
    kind = kind.strip_typedefs()
    while kind.code == gdb.TYPE_CODE_ARRAY:
        kind = kind.target().strip_typedefs()
    if kind.code == gdb.TYPE_CODE_PTR:
        kind = kind.target().strip_typedefs()
        return kind if kind.code == gdb.TYPE_CODE_FUNC else None
    return None


def struct_members(blocks):
    """{member: {(struct, signature)}} of every member of every struct that is a pointer to a function."""
    members, seen = {}, set()

    def visit(kind, name):
        for field in kind.fields():
            if field.type is None:
                continue
            target = function_type(field.type)
            if target is not None:
                members.setdefault(field.name, set()).add((name, canonical(target)))
            inner = field.type.strip_typedefs()
            while inner.code == gdb.TYPE_CODE_ARRAY:
                inner = inner.target().strip_typedefs()
            if inner.code in STRUCTS and not inner.tag:
                visit(inner, name)

    for block in blocks:
        for symbol in block:
            kind = symbol.type.strip_typedefs() if symbol.type is not None else None
            while kind is not None and kind.code == gdb.TYPE_CODE_ARRAY:
                kind = kind.target().strip_typedefs()
            if kind is None or kind.code not in STRUCTS:
                continue
            key = kind.tag or symbol.name
            if (key, kind.sizeof) not in seen:
                seen.add((key, kind.sizeof))
                visit(kind, key)
    return members


def variable(block, name):
    """The variable that this name means at this place."""
    while block is not None:
        for symbol in block:
            if symbol.name == name and (symbol.is_variable or symbol.is_argument):
                return symbol
        block = block.superblock
    symbol = gdb.lookup_global_symbol(name)  # another file's
    return symbol if symbol is not None and symbol.is_variable else None


def element(kind):
    """What is behind pointers and arrays."""
    kind = kind.strip_typedefs()
    while kind.code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_ARRAY):
        kind = kind.target().strip_typedefs()
    return kind


def holder(block, before):
    """The name of the struct whose member is called: a->b.c( is one of the type of a->b. None where this cannot tell."""
    match = CAST.search(before)
    if match:
        return match.group(1)
    match = RETURNED.search(before)
    symbol = gdb.lookup_global_symbol(match.group(1)) if match else None
    if symbol is not None and symbol.is_function:
        return element(symbol.type.target()).tag
    match = CHAIN.search(before)
    symbol = variable(block, match.group(1)) if match else None
    if symbol is None:
        return None
    kind = element(symbol.type)
    for step in STEP.finditer(match.group(2)):
        if step.group(1):
            fields = {field.name: field.type for field in kind.fields()} if kind.code in STRUCTS else {}
            if step.group(1) not in fields:
                return None
            kind = element(fields[step.group(1)])
    return kind.tag


def source_line(root, symtab, line):
    path = re.sub(r"^.*?(?:\.\./)+", "", symtab.filename)
    path = re.sub(r"^(\.?/)*", "", path[len(root):] if path.startswith(root) else path)
    try:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return path, file.read().split("\n")[line - 1]
    except (OSError, IndexError):
        return path, ""


def outermost(block):
    """The block of the function that the code is part of, with whatever was inlined into it."""
    found = None
    while block is not None and not block.is_static:
        if block.function is not None:
            found = block
        block = block.superblock
    return found


def call(root, address, members):
    place, block = gdb.find_pc_line(address), gdb.block_for_pc(address)
    if place.symtab is None or block is None:
        return {"place": "?", "text": "", "pointers": {}}
    path, text = source_line(root, place.symtab, place.line)
    pointers = pointers_called(block, text, members)
    outer = outermost(block)
    at = outer.start if outer is not None and not pointers else None
    # The compiler has given the call an argument's line: it is one of the calls of its function.
    while at is not None and at < outer.end:
        other = gdb.find_pc_line(at)
        if other.symtab is not None:
            for name, found in pointers_called(gdb.block_for_pc(at), source_line(root, other.symtab, other.line)[1], members).items():
                pointers.setdefault(name, []).extend(found)
        at = max(at, other.last or at) + 1
    return {"place": f"{path}:{place.line}", "text": text.strip(),
            "pointers": {name: sorted(set(found)) for name, found in pointers.items()}}


def pointers_called(block, text, members):
    """{"struct.member" or variable: [signature]} of what this line of source calls through a pointer."""
    pointers = {}
    for match in CALLED.finditer(text):
        name, before = match.group(1), text[: match.start()].rstrip()
        if before.endswith((".", "->")):
            tag = holder(block, before)
            known = [pair for pair in members.get(name, ()) if pair[0] == tag]
            for struct, signature in known or members.get(name, ()):
                pointers.setdefault(f"{struct}.{name}", []).append(signature)
        else:
            symbol = variable(block, name)
            target = function_type(symbol.type) if symbol is not None else None
            if target is not None:
                pointers[name] = [canonical(target)]
    return pointers


def objects(blocks):
    """[(address, size, type)] of all variables that have one address."""
    found = {}
    for block in blocks:
        for symbol in block:
            if symbol.addr_class == gdb.SYMBOL_LOC_STATIC and symbol.is_variable:
                address = symbol.value().address
                if address is not None and symbol.type.sizeof:
                    found[int(address)] = (symbol.type.sizeof, symbol.type)
    return sorted((address, size, kind) for address, (size, kind) in found.items())


def member_at(kind, offset, owner=None):
    """What lies at this offset of an object: "struct.member", or None."""
    kind = kind.strip_typedefs()
    if kind.code == gdb.TYPE_CODE_ARRAY:
        inner = kind.target()
        return member_at(inner, offset % inner.sizeof, owner) if inner.sizeof else None
    if kind.code not in STRUCTS:
        return None
    for field in kind.fields():
        if field.type is None or not hasattr(field, "bitpos"):
            continue
        start = field.bitpos // 8
        if start <= offset < start + field.type.sizeof:
            if function_type(field.type) is not None and field.name:
                return f"{kind.tag or owner}.{field.name}"
            return member_at(field.type, offset - start, kind.tag or owner)
    return None


def places(words, variables):
    """{address of a word: "struct.member"} of those words that lie in a variable's member."""
    from bisect import bisect_right
    starts, result = [address for address, _, _ in variables], {}
    for word in words:
        number = bisect_right(starts, word) - 1
        if number >= 0 and word < variables[number][0] + variables[number][1]:
            member = member_at(variables[number][2], word - variables[number][0])
            if member:
                result[f"{word:x}"] = member
    return result


def all_blocks(functions):
    """Every block that has variables of one address or types: of files, and of functions."""
    found, inner = {}, {}
    for address in functions:
        block = gdb.block_for_pc(address)
        while block is not None:
            key = (block.start, block.end, block.is_global, block.is_static)
            (found if block.is_global or block.is_static else inner)[key] = block
            block = block.superblock
    return list(found.values()) + list(inner.values())


def function_types(functions):
    types = {}
    for address in functions:
        block = outermost(gdb.block_for_pc(address))
        if block is not None and int(block.function.value().address) == address:
            types[f"{address:x}"] = canonical(block.function.type)
    return types


def function_files(functions):
    blocks = ((address, outermost(gdb.block_for_pc(address))) for address in functions)
    return {f"{address:x}": block.function.symtab.filename for address, block in blocks if block is not None}


def sizes_of(names):
    return {name: int(gdb.parse_and_eval(f"sizeof({name})")) for name in names}


def main(root, calls, functions, words, sizes):
    blocks = all_blocks(functions + calls)
    members = struct_members(blocks)
    print(json.dumps({"functions": function_types(functions), "files": function_files(functions),
                      "calls": {f"{address:x}": call(root, address, members) for address in calls},
                      "places": places(words, objects(blocks)), "sizes": sizes_of(sizes)}))


main(root, calls, functions, words, sizes)  # noqa: F821 given on gdb's command line
