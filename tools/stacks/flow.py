"""What the source puts into pointers to functions: each value that is assigned is followed back, through parameters to all callers,
through local variables and other members, to the names of functions. None wherever that leads to anything else: then the graph
takes every function of the pointer's type.
"""
import bisect
import os
import re
from collections import defaultdict

FOLDERS = ("src", "mm", "drivers", "boot", "include", "tests/kernel", "tests/bench")
IGNORED = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*.*?\*/', re.DOTALL)
DEFINITION = re.compile(r"^(?![#\s])([^;{}=#]*?)\b(\w+)\(((?:[^;{}()]|\((?:[^;{}()]|\([^;{}()]*\))*\))*)\)[^;{}()=]*\n\{", re.MULTILINE)
MACRO = re.compile(r"^#define (\w+)\(([^)]*)\)((?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)
ASSIGNED = re.compile(r"(\.|->|\b)(\w+)(?:\[[^\]\n]*\])?\s*(?<![=!<>+*/&|-])=(?!=)\s*")
DECLARED = re.compile(r"\(\*(?:const )?(\w+)(?:\[[^\]\n]*\])?\)\((?:[^;{}=()]|\([^;{}=()]*\))*\)\s*=(?!=)\s*")
STORED = re.compile(r"\b(?:__atomic_(?:store|exchange)_n|WRITE_ONCE|this_cpu_write)\(\s*&?([\w.>\[\]-]*?)(\w+)(?:\[[^\]]*\])?\s*,\s*")
EXCHANGED = re.compile(r"\b__atomic_compare_exchange_n\(\s*&?([\w.>\[\]-]*?)(\w+)(?:\[[^\]]*\])?\s*,[^,]*,\s*")
NAME, CAST = re.compile(r"^\w+$"), re.compile(r"^\([\w\s]+\*?\)\s*(?=\w)")
MEMBER = re.compile(r"^[\w.>\[\]()-]*(?:->|\.)(\w+)$")
LOADED = re.compile(r"^(?:__atomic_load_n|__atomic_exchange_n|READ_ONCE|this_cpu_read)\((.*)\)$", re.DOTALL)
OTHER = re.compile(r"[{<!+/%^~\"']|\s[-*&|]\s|<<|>>|==|&&|\|\||^\w+\(|^\*?\([^()]*\*\)|^-|[>|]=")  # no pointer to a function
PLAIN = r"\b(?:struct \w+|enum \w+|u?int\d*(?:_t)?|unsigned|size_t|uintptr_t|bool|long|char|void|[pv]addr_t|pfn_t)\b[\s*]*(?:const )?[\s*]*(?:\w+(?:\[[^\]]*\])?(?:\s*=[^,;]*)?,\s*\**)*"
CHAINED = re.compile(r"^(?:[\w.>\[\]-]+ = )+")  # a = b = c
CONSTANT = re.compile(r"^[A-Z][A-Z0-9_]*$")
MEMBERS, VARIABLES = "member", "variable"
DEPTH_MAX = 12


class Definition:
    def __init__(self, before, name, parameters, start, end):
        self.is_static, self.name, self.start, self.end = "static" in before, name, start, end
        self.parameters = [parameter_name(text) for text in split(parameters)]
        self.plain = {name for name, text in zip(self.parameters, split(parameters)) if re.match(f"^(?:const )?{PLAIN}$", text[: -len(name)])}


class Text:
    """One file without strings and comments, and what is defined where."""

    def __init__(self, path, text):
        self.path = path
        self.text = IGNORED.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)
        self.lines = [0] + [match.end() for match in re.finditer("\n", self.text)]
        self.definitions = []
        for match in DEFINITION.finditer(self.text):
            end = self.text.find("\n}", match.end())
            self.definitions.append(Definition(match.group(1), match.group(2), "" if match.group(2).isupper() else match.group(3), match.start(2), end if end > 0 else len(self.text)))
        for match in MACRO.finditer(self.text):
            self.definitions.append(Definition("", match.group(1), match.group(2), match.start(1), match.end()))
        self.definitions.sort(key=lambda one: one.start)

    def inside(self, place):
        """The function or macro that a place of the text is in."""
        number = bisect.bisect_right([one.start for one in self.definitions], place) - 1
        return self.definitions[number] if number >= 0 and place < self.definitions[number].end else None


class Flow:
    """is_function(name): one of the kernel's. is_taken(name, file): called through pointers, so that its callers are not all known;
    via: {function: a pointer, and no other holds it}."""

    def __init__(self, root, is_function, is_taken, via):
        self.is_function, self.is_taken, self.via = is_function, is_taken, via
        self.texts = {path: Text(path, text) for path, text in sources(root)}
        self.why = {}
        self.calls = defaultdict(list)  # {function: [(text, place of its arguments)]}
        self.assigned = defaultdict(list)  # {(whether it is a member's, name): [(text, place of the value)]}
        self.defined = {one.name for text in self.texts.values() for one in text.definitions}
        self.only_static = self.defined - {one.name for text in self.texts.values() for one in text.definitions if not one.is_static
                                           or text.path.endswith(".h")}
        for text in self.texts.values():
            for match in re.finditer(r"(?<![.>\w])(\w+)\(", text.text):
                self.calls[match.group(1)].append((text, match.start(), match.end()))
            for match in ASSIGNED.finditer(text.text):
                kind = MEMBERS if match.group(1) else VARIABLES
                self.assigned[(kind, match.group(2))].append((text, match.end()))
            for match in DECLARED.finditer(text.text):
                self.assigned[(VARIABLES, match.group(1))].append((text, match.end()))
            for pattern in (STORED, EXCHANGED):
                for match in pattern.finditer(text.text):
                    kind = MEMBERS if match.group(1).endswith((".", "->")) else VARIABLES
                    self.assigned[(kind, match.group(2))].append((text, match.end()))

    def of_member(self, name, seen=frozenset()):
        """{(function, its file or None)} that members of this name are given; None: not all of them are known."""
        return self._of(MEMBERS, name, self.assigned[(MEMBERS, name)], seen)

    def _of(self, kind, name, assigned, seen):
        if (kind, name) in seen or len(seen) > DEPTH_MAX:
            return set() if (kind, name) in seen else None
        found = set()
        for text, place in assigned:
            more = self._value(value_at(text.text, place), text, text.inside(place), seen | {(kind, name)})
            if more is None:
                self.why[name] = (text.path, bisect.bisect_right(text.lines, place), value_at(text.text, place)[:60])
                return None
            found |= more
        return found

    def of_variable(self, path, line, name):
        """The same of a variable or parameter that the code at this place calls."""
        text = self.texts.get(path)
        return None if text is None else self._value(name, text, text.inside(text.lines[line - 1]), frozenset())

    def _value(self, value, text, where, seen):
        value = value.replace("\\\n", " ").strip()
        while True:
            value, before = CAST.sub("", value.lstrip("&").strip()).strip(), value
            match = LOADED.match(value)
            if match:
                value = split(match.group(1))[0]
            if value.startswith("(") and closing(value, 1, "") == len(value) - 1:
                value = value[1:-1].strip()
            value = CHAINED.sub("", value)
            if value == before:
                break
        if value in ("NULL", "false", "true", "") or value[0].isdigit():
            return set()
        if value.startswith("{"):
            parts = [re.sub(r"^\[[^\]]*\]\s*=\s*", "", part) for part in split(value[1:].rstrip("} \n"))]
            return set().union(*(self._name(part, text, None, seen) or set() for part in parts if self.is_function(part)))
        if "?" in value:
            halves = [self._value(half, text, where, seen) for half in value.split("?", 1)[1].split(":", 1)]
            return None if None in halves or len(halves) < 2 else halves[0] | halves[1]
        element, value = value, re.sub(r"\[[^\]]*\]$", "", value)
        if NAME.match(value):
            return self._name(value, text, where, seen)
        match = MEMBER.match(value)
        if match:
            return self.of_member(match.group(1), seen)
        if OTHER.search(value):
            return set() if element == value else None
        return set() if self._is_plain(value.lstrip("*"), text, where) else None

    def _is_plain(self, name, text, where):
        """Whether a variable's declaration says that it is no pointer to a function, nor to one."""
        if where is not None and name in where.plain:
            return True
        declared = re.compile(rf"(?:^|[;{{}}(,]|\b(?:const|static|register|extern)\b)\s*{PLAIN}{re.escape(name)}\b(?!\()")
        return bool(NAME.match(name)) and bool(declared.search(text.text, where.start, where.end) if where is not None else None
                                               or declared.search(text.text))

    def _name(self, name, text, where, seen):
        local = [(other, place) for other, place in self.assigned[(VARIABLES, name)] if other is text and where is not None
                 and where.start <= place < where.end]
        if where is not None and name in where.parameters:
            found = set() if name in where.plain else self._argument(text, where, where.parameters.index(name), seen)
            more = self._of(where.name, name, local, seen)
            return None if found is None or more is None else found | more
        if local and re.search(rf"[\w*] \*?\*?{name}(?: =|;|,)|\(\*(?:const )?{name}\)\(", text.text[where.start : where.end]):
            return self._of(where.name, name, local, seen)
        everywhere = [one for one in self.assigned[(VARIABLES, name)] if one[0] is text]
        if everywhere and all(one.name != name for one in text.definitions):
            return self._of(VARIABLES + text.path, name, everywhere, seen)
        if self.is_function(name) and self._is_visible(name, text):
            return {(name, text.path if any(one.name == name for one in text.definitions) else None)}
        if name in self.defined or CONSTANT.match(name):
            return set()  # not in this kernel; a number
        if self._is_plain(name, text, where):
            return set()
        return None

    def _is_visible(self, name, text):
        return name not in self.only_static or any(one.name == name for one in text.definitions)

    def _callers(self, text, function):
        for other, start, place in self.calls[function.name] + self.calls[self.via.get(function.name, "")]:
            is_own = other is text or not (function.is_static and text.path.endswith(".c")) and all(one.name != function.name for one in other.definitions)
            if is_own and not is_declaration(other.text, start):
                yield other, start, place

    def _argument(self, of, function, number, seen):
        key = (of.path, function.name, number)
        if key in seen:
            return set()
        is_known = function.name in self.via or not self.is_taken(function.name, of.path)
        if not is_known or len(seen) > DEPTH_MAX:
            return None
        found = set()
        for text, start, place in self._callers(of, function):
            arguments = split(arguments_at(text.text, place))
            more = self._value(arguments[number], text, text.inside(start), seen | {key}) if number < len(arguments) else None
            if more is None:
                self.why[function.name] = (text.path, bisect.bisect_right(text.lines, place), str(arguments)[:60])
                return None
            found |= more
        return found


def sources(root):
    for folder in FOLDERS:
        for path, _, files in os.walk(os.path.join(root, folder)):
            for file in (f for f in files if f.endswith((".c", ".h"))):
                with open(os.path.join(path, file), encoding="utf-8") as text:
                    yield os.path.relpath(os.path.join(path, file), root), text.read()


def is_declaration(text, place):
    """Whether the name there is being declared or defined, not called: a type is before it, at the left margin."""
    before = text[text.rfind("\n", 0, place) + 1 : place]
    return bool(re.match(r"(#define |[A-Za-z_][\w\s*]*[\s*]$|[A-Z_]+\([^)]*\) [\w\s*]*$)", before)) and not before.startswith(" ")


def arguments_at(text, place):
    """The text from there to the bracket that closes."""
    return text[place : closing(text, place, "")]


def value_at(text, place):
    return text[place : closing(text, place, ",;")]


def closing(text, place, ends):
    depth = 0
    while place < len(text):
        if text[place] in "([{":
            depth += 1
        elif text[place] in ")]}":
            depth -= 1
            if depth < 0:
                return place
        elif depth == 0 and text[place] in ends:
            return place
        place += 1
    return place


def split(text):
    """The parts between commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += letter in "([{"
        depth -= letter in ")]}"
        if letter == "," and depth == 0:
            parts.append(text[start:place].strip())
            start = place + 1
    return parts + [text[start:].strip()] if text.strip() else []


def parameter_name(text):
    match = re.search(r"\(\*\s*(\w+)", text) or re.search(r"(\w+)\s*(?:\[[^\]]*\]\s*)*(?:MAYBE_UNUSED|UNUSED)?\s*$", text)
    return match.group(1) if match else ""
