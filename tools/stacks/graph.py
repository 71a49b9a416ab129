"""Who calls whom: direct calls as the machine code has them; calls through a pointer go to every function of the pointer's type
whose address gets anywhere it could have come from.

A pointer holds what static data has in that member (D), and what the source gives it (flow.py). Where the source does not say it
all, any function of that type whose address an instruction loads, or that lies in data of unknown type (C), and what other members
of that type hold whose value is used otherwise than for a call or a comparison (E). A function whose address is taken and that
would be in no set is in those of all pointers of its type, and an error where there are none.
"""
import re
from collections import defaultdict

import flow
from rules import plain

BEFORE = re.compile(r"(!|\bASSERT\()\s*[\w\])(>.\[-]*$")
AFTER = re.compile(r"\s*(\(|=[^=]|\?|&&|\|\||==|!=)")
CONDITION = re.compile(r"\b(if|while)\s*\([^()]*$|(&&|\|\|)[^;()]*$")
STRING, COMMENT = re.compile(r'"(\\.|[^"\\])*"'), re.compile(r"//.*|/\*.*?(\*/|$)|^\s*\*\s.*")


RETURNS = re.compile(r"[^(]*\([^()]*\)\*")


class Error(Exception):
    pass


class Graph:
    """edges[function] = [(callee, depth, what)], addresses; unresolved: calls of which nothing is known."""

    def __init__(self, image, rules, sizes):
        self.image, self.rules = image, rules
        self.edges, self.unresolved, self.planted = {}, [], {}
        pointers = [c.address for entry in image.entries if rules.wanted(image.name(entry))
                    for c in image.frame(entry).calls.values() if c.target is None]
        image.load_types(pointers, sizes)
        self.unresolved += [f"{self.image.name(int(entry, 16))}: returns a pointer to a function, which flow.py does not follow"
                            for entry, signature in image.types["functions"].items() if RETURNS.match(signature)]
        self._sort_addresses()
        self._place_the_rest()
        for entry, name in image.entries.items():
            if rules.wanted(name):
                self.edges[entry] = self._edges(entry, name)

    def _sort_addresses(self):
        types, self.members, self.loose = self.image.types, defaultdict(set), defaultdict(set)
        self.untyped = set()
        self.taken = self.image.in_code | set(self.image.in_data.values())
        self.flow = flow.Flow(self.image.root, lambda name: name in self.image.owners.by_name,
                              self._is_taken, self.rules.via)
        self.flows, self.reached, self.unplaced = {}, set(), defaultdict(set)
        for word, function in self.image.in_data.items():
            member = types["places"].get(f"{word:x}")
            (self.members[member] if member else self.image.in_code).add(function)
        for function in self.image.in_code:
            signature = types["functions"].get(f"{function:x}")
            (self.loose[signature] if signature else self.untyped).add(function)
        for member in escaping_members(self.image.root, self.members):
            for function in self.members[member]:
                self.loose[types["functions"].get(f"{function:x}")].add(function)

    def _place_the_rest(self):
        """What the source gives a pointer otherwise than by its name is unplaced: any pointer of the type may hold it."""
        for site in self.image.types["calls"].values():
            for pointer, signatures in site["pointers"].items():
                self.reached |= self._held(pointer, signatures, None, site["place"])
        for function in self.taken - self.reached:
            if not self.rules.is_lost(self.image.name(function)):
                self.unplaced[self.image.types["functions"].get(f"{function:x}")].add(function)

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

    def plant(self, entry, size):
        """As if the function's frame were so much larger."""
        self.planted[entry] = size
        self.edges[entry] = [(callee, depth + size, what) for callee, depth, what in self.edges[entry]]

    def own(self, node):
        entry = node[0] if isinstance(node, tuple) else node
        return self.image.frame(entry).deepest + self.planted.get(entry, 0) if entry in self.edges else 0

    def _targets(self, address, name, giver):
        declared = self.rules.calls(name)
        if declared is not None:
            return [function for pattern in declared for function in self.image.matching(pattern)], "declared"
        site = self.image.types["calls"].get(f"{address:x}", {"pointers": {}, "place": "?", "text": ""})
        targets = set()
        for pointer, signatures in site["pointers"].items():
            held = self._held(pointer, signatures, giver, site["place"]).union(*(self.unplaced[one] for one in signatures))
            self.reached |= held
            targets |= {target for target in held if not self.rules.excluded(pointer, self.image.name(target))}
        if not site["pointers"]:
            self.unresolved.append(f"{name}: a call through a pointer at {site['place']}: {site['text']}")
        return sorted(targets), " or ".join(sorted(site["pointers"])) or "?"

    def _is(self, function, signatures):
        known = self.image.types["functions"].get(f"{function:x}")
        return known is None or known in signatures

    def _flow(self, pointer, place):
        """The functions that the source says the pointer holds; None: it does not say."""
        key = pointer if "." in pointer else (pointer, place)
        if key not in self.flows:
            if "." in pointer:
                names = self.flow.of_member(pointer.split(".")[1])
            else:
                path, _, line = place.rpartition(":")
                names = self.flow.of_variable(path, int(line), pointer) if line.isdigit() else None
            self.flows[key] = None if names is None else set().union(*(self._named(*name) for name in names))
        return self.flows[key]

    def _named(self, name, path):
        """The functions of a name: one, but that files have their own, of files that may not be in this kernel."""
        found = {function for function in self.image.owners.by_name.get(name, ()) if function in self.image.entries}
        of_file = {function for function in found if path and self._is_in(function, path)}
        return of_file or (found if not path or path.endswith(".h") else set())

    def _is_in(self, function, path):
        return self.image.types["files"].get(f"{function:x}", path).endswith(path)

    def _is_taken(self, name, path):
        return any(self._is_in(function, path) for function in self._named(name, path) & self.taken)

    def lost(self):
        """The functions whose address is taken, and that no call through a pointer leads to."""
        return sorted({self.image.name(function) for function in self.taken - self.reached if not self.rules.is_lost(self.image.name(function))})

    def _held(self, pointer, signatures, giver, place):
        if pointer in self.rules.static:
            self.rules.used.add(self.rules.static[pointer])
            return self.members.get(pointer, set())
        found = self._flow(pointer, place)
        if found is not None and giver is not None and "." not in pointer:
            return found & self.image.taken_by(giver) or found
        if found is not None:
            return self.members.get(pointer, set()) | {function for function in found if self._is(function, signatures)}
        loose = set().union(*(self.loose[signature] for signature in signatures))
        if giver is not None and "." not in pointer:
            given = loose & self.image.taken_by(giver)
            if given:
                return given
        return self.members.get(pointer, set()) | loose


def escaping_members(root, members):
    """Those whose value the source uses otherwise than for a call, an assignment to them or a comparison."""
    names = {member.split(".")[1] for member in members}
    use = re.compile(r"(?:->|\.)(" + "|".join(sorted(names)) + r")\b")
    escaping = {match.group(1) for _, text in flow.sources(root) for line in map(bare, text.split("\n"))
                for match in use.finditer(line) if not is_harmless(line, match)}
    return {member for member in members if member.split(".")[1] in escaping}


def bare(line):
    """A line without strings and comments."""
    return COMMENT.sub("", STRING.sub('""', line))


def is_harmless(line, match):
    before, after = line[: match.start()], line[match.end():]
    return bool(AFTER.match(after) or BEFORE.search(before) or (after[:1] == ")" and CONDITION.search(before)))
