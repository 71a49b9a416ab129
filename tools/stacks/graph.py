"""Who calls whom: direct calls as the machine code has them; calls through a pointer go to every function of the pointer's type
whose address gets anywhere it could have come from.

A member of a struct holds what static data holds there (D), and what code stores: any function of that type whose address an
instruction loads, or that lies in data of unknown type (C), and what other members of that type hold whose value is used
otherwise than for a call or a comparison (E).
"""
import os
import re
from collections import defaultdict

from rules import plain

FOLDERS = ("src", "mm", "drivers", "boot", "include", "tests/kernel", "tests/bench")
BEFORE = re.compile(r"(!|\bASSERT\()\s*[\w\])(>.\[-]*$")
AFTER = re.compile(r"\s*(\(|=[^=]|\?|&&|\|\||==|!=)")
CONDITION = re.compile(r"\b(if|while)\s*\([^()]*$|(&&|\|\|)[^;()]*$")
STRING, COMMENT = re.compile(r'"(\\.|[^"\\])*"'), re.compile(r"//.*|/\*.*?(\*/|$)|^\s*\*\s.*")


class Error(Exception):
    pass


class Graph:
    """edges[function] = [(callee, depth, what)], addresses; unresolved: calls of which nothing is known."""

    def __init__(self, image, rules):
        self.image, self.rules = image, rules
        self.edges, self.unresolved, self.sites = {}, [], {}
        pointers = [c.address for entry in image.entries if rules.wanted(image.name(entry))
                    for c in image.frame(entry).calls.values() if c.target is None]
        image.load_types(pointers)
        self._sort_addresses()
        for entry, name in image.entries.items():
            if rules.wanted(name):
                self.edges[entry] = self._edges(entry, name)

    def _sort_addresses(self):
        types, self.members, self.loose = self.image.types, defaultdict(set), defaultdict(set)
        self.untyped = set()
        self.by_name = {member: named_functions(self.image, member) for member in self.rules.named}
        for word, function in self.image.in_data.items():
            member = types["places"].get(f"{word:x}")
            (self.members[member] if member else self.image.in_code).add(function)
        for function in self.image.in_code:
            signature = types["functions"].get(f"{function:x}")
            (self.loose[signature] if signature else self.untyped).add(function)
        for member in escaping_members(self.image.root, self.members):
            for function in self.members[member]:
                self.loose[types["functions"].get(f"{function:x}")].add(function)

    def _edges(self, entry, name, giver=None):
        """[(callee, depth, pointer)]; a callee that calls what it is given is a pair of itself and who gives."""
        edges = []
        for call in self.image.frame(entry).calls.values():
            if call.target is not None:
                edges.append((call.target, call.depth, ""))
                continue
            targets, what = self._targets(call.address, name, giver)
            edges += [(target, call.depth, what) for target in targets]
        edges = [edge for edge in edges if not self.rules.never(name, self.image.name(edge[0]))]
        return [((to, entry) if self._is_visitor(to) else to, depth, what) for to, depth, what in edges]

    def _is_visitor(self, entry):
        place = self.rules.visitors.get(plain(self.image.name(entry)))
        if place:
            self.rules.used.add(place)
        return place is not None

    def edges_of(self, node):
        if node not in self.edges and isinstance(node, tuple):
            self.edges[node] = self._edges(node[0], self.image.name(node[0]), node[1])
        return self.edges.get(node, ())

    def own(self, node):
        entry = node[0] if isinstance(node, tuple) else node
        return self.image.frame(entry).deepest if entry in self.edges else 0

    def _targets(self, address, name, giver):
        declared = self.rules.calls(name)
        if declared is not None:
            return [self.image.address(function) for function in declared], "declared"
        site = self.image.types["calls"].get(f"{address:x}", {"pointers": {}, "place": "?", "text": ""})
        targets = set()
        for pointer, signatures in site["pointers"].items():
            targets |= {target for target in self._held(pointer, signatures, giver)
                        if not self.rules.excluded(pointer, self.image.name(target))}
        if not site["pointers"]:
            self.unresolved.append(f"{name}: a call through a pointer at {site['place']}: {site['text']}")
        return sorted(targets), " or ".join(sorted(site["pointers"])) or "?"

    def _held(self, pointer, signatures, giver):
        if pointer in self.rules.static:
            self.rules.used.add(self.rules.static[pointer])
            return self.members.get(pointer, set())
        if pointer in self.by_name:
            self.rules.used.add(self.rules.named[pointer])
            return self.members.get(pointer, set()) | self.by_name[pointer]
        loose = set().union(*(self.loose[signature] for signature in signatures))
        if giver is not None and "." not in pointer:
            given = loose & self.image.taken_by(giver)
            if given:
                return given
        return self.members.get(pointer, set()) | loose


def sources(root):
    """(file name, line without strings and comments) of all kernel source."""
    for folder in FOLDERS:
        for path, _, files in os.walk(os.path.join(root, folder)):
            for file in (f for f in files if f.endswith((".c", ".h"))):
                with open(os.path.join(path, file), encoding="utf-8") as text:
                    yield from ((file, bare(line)) for line in text)


def named_functions(image, member):
    """The functions that the source puts into a member by their names; anything else that it puts there is an error."""
    assigned = re.compile(r"(?:->|\.)" + member.split(".")[1] + r"\s*=(?!=)\s*([^,;}]*)")
    found = set()
    for file, line in sources(image.root):
        for match in assigned.finditer(line):
            value = match.group(1).strip()
            functions = [f for f in image.owners.by_name.get(value, []) if f in image.entries]
            if value != "NULL" and not functions and re.fullmatch(r"[\w.>\[\]-]+", value):
                raise Error(f"{file}: '{value}' is put into {member}, and is no function: rules.txt calls it one")
            found.update(functions)
    return found


def escaping_members(root, members):
    """Those whose value the source uses otherwise than for a call, an assignment to them or a comparison."""
    names = {member.split(".")[1] for member in members}
    use = re.compile(r"(?:->|\.)(" + "|".join(sorted(names)) + r")\b")
    escaping = {match.group(1) for _, line in sources(root) for match in use.finditer(line)
                if not is_harmless(line, match)}
    return {member for member in members if member.split(".")[1] in escaping}


def bare(line):
    """A line without strings and comments."""
    return COMMENT.sub("", STRING.sub('""', line))


def is_harmless(line, match):
    before, after = line[: match.start()], line[match.end():]
    return bool(AFTER.match(after) or BEFORE.search(before) or (after[:1] == ")" and CONDITION.search(before)))
