"""rules.txt: what the machine code cannot say. Its head describes the lines."""
import fnmatch
import os
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
Stack = namedtuple("Stack", "name size kinds entries")


class Error(Exception):
    pass


class Rules:
    def __init__(self, path=os.path.join(HERE, "rules.txt")):
        self.stacks, self._never, self._calls, self._ignored = [], {}, {}, []
        self.bounds, self.visitors, self._not, self.inside, self.used = {}, {}, [], {}, set()
        self.via, self._lost = {}, []
        self.once, self.parts, self.static, self._switches, self._enabling = {}, {}, {}, [], []
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                text, _, reason = line.partition("#")
                words = text.split()
                if words:
                    self._line(f"{os.path.basename(path)}:{number}", words, reason.strip())

    def _line(self, place, words, reason):
        kind, *rest = words
        if kind != "stack" and not reason:
            raise Error(f"{place}: says no reason")
        if kind == "stack":
            name, size, added, *entries = rest
            self.stacks.append(Stack(name.replace("_", " "), size, added, entries))
        elif kind == "never":
            self._never[(rest[0], rest[1])] = place
        elif kind == "calls":
            self._calls[rest[0]] = (place, rest[1:])
        elif kind == "ignore":
            self._ignored += [(place, pattern) for pattern in rest]
        elif kind == "recursion":
            self.bounds.update((pattern, (place, int(rest[-1]))) for pattern in rest[:-1])
        elif kind == "once":
            self.bounds.update((pattern, (place, 1)) for pattern in rest[1:])
            self.once[place] = rest[0]
        elif kind == "static":
            self.static.update((member, place) for member in rest)
        elif kind == "switches":
            self._switches += rest
        elif kind == "part":
            self.parts.setdefault(rest[0], []).append((rest[1], rest[2], place))
        elif kind == "visitor":
            self.visitors.update((name, place) for name in rest)
        elif kind == "not":
            self._not += [(rest[0], pattern, place) for pattern in rest[1:]]
        elif kind == "inside":
            self.inside[(rest[1], rest[2])] = (rest[0], place)
        elif kind == "via":
            self.via[rest[0]] = rest[1]
        elif kind == "enables":
            self._enabling += rest
        elif kind == "lost":
            self._lost += rest
        else:
            raise Error(f"{place}: what is '{kind}'?")

    def wanted(self, name):
        for place, pattern in self._ignored:
            if fnmatch.fnmatchcase(name, pattern):
                self.used.add(place)
                return False
        return True

    def never(self, caller, callee):
        caller, callee = plain(caller), plain(callee)
        for (one, other), place in self._never.items():
            if fnmatch.fnmatchcase(caller, one) and fnmatch.fnmatchcase(callee, other):
                self.used.add(place)
                return True
        return False

    def excluded(self, pointer, function):
        """Whether the pointer never holds this function."""
        for holder, pattern, place in self._not:
            if fnmatch.fnmatchcase(pointer, holder) and fnmatch.fnmatchcase(plain(function), pattern):
                self.used.add(place)
                return True
        return False

    def is_lost(self, name):
        """Whether it is known why no call through a pointer leads to the function, though its address is taken."""
        return any(fnmatch.fnmatchcase(plain(name), pattern) for pattern in self._lost)

    def switches(self, name):
        """Whether the function is to change to another stack."""
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self._switches)

    def may_enable(self, name):
        """Whether it is known that the function leaves interrupts off in an exception's handler."""
        return any(fnmatch.fnmatchcase(plain(name), pattern) for pattern in self._enabling)

    def bound(self, name):
        """(group, count) of a function that can be at work more than once on a stack; None where nothing is declared."""
        for pattern, found in self.bounds.items():
            if fnmatch.fnmatchcase(plain(name), pattern):
                return found
        return None

    def calls(self, name):
        found = self._calls.get(plain(name))
        if found:
            self.used.add(found[0])
            return found[1]
        return None


def plain(name):
    """Without what the compiler added to the name of a copy or a part: f.constprop.0 is f."""
    return name.split(".")[0]
