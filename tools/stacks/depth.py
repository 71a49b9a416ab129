"""The deepest path through a call graph. Recursion is followed as often as it is declared to go, and is an error otherwise.

Functions with a declared bound cut the graph: what is between them has no circle, so the deepest way from each function to
each of them is found once. The search then goes from one to the next, with what is left of each bound.
"""
from collections import namedtuple

# chain: [(function, depth at which it was entered, by which pointer)] from the entry down.
Deepest = namedtuple("Deepest", "bytes chain")
# The deepest way from a function: into each cut, {node: (depth, edge)}, and to any end, (depth, edge); edge None: itself.
Ways = namedtuple("Ways", "cuts end")


class Recursion(Exception):
    pass


class Depths:
    """own(f) is the bytes f uses by itself, edges(f) gives (callee, depth, what). bounds: {function: (group,
    how often functions of the group are at work on one stack)}; refused(f): the bytes of a call beyond that; inside:
    {(caller, callee): the group that must be at work}."""

    def __init__(self, own, edges, bounds, inside=(), refused=None):
        self.refused = refused or own
        self.own, self.edges, self.bounds, self.inside = own, edges, bounds, dict(inside)
        self.ways, self.used_bounds = {}, set()
        self.groups = {}

    def deepest(self, entry, absent=()):
        """absent: groups of which no more than the first function's own frame comes into it."""
        known = {}
        start = (self._cut_of(entry), tuple(sorted(self._enter(entry, self._counts(entry, absent), absent).items())))
        self._search(start, known, frozenset(absent))
        chain, at, state = [(entry, 0, "")], 0, start
        while state is not None:
            _, cut, state = known[state]
            at = self._follow(chain, at, cut)
        return Deepest(known[start][0], chain)

    def _cut_of(self, function):
        return function, None

    # The ways between cuts.

    def _cut(self, caller, callee):
        """The node that this call leads to where it cuts the graph: a function, and what must be at work for it."""
        outer = self.inside.get((caller, callee))
        if outer is not None or callee in self.bounds:
            return callee, outer
        return None

    def _ways(self, function):
        """Depth first, without Python's own recursion. None in ways: under way."""
        if function not in self.ways:
            path = [(function, iter(self.edges(function)), [], {})]
            self.ways[function] = None
            while path:
                self._step(path)
        return self.ways[function]

    def _step(self, path):
        function, edges, ends, cuts = path[-1]
        for edge in edges:
            callee, depth, _ = edge
            cut = self._cut(function, callee)
            if cut is not None:
                better(cuts, cut, depth, edge)
                continue
            if callee not in self.ways:
                self.ways[callee] = None
                path[-1] = (function, again(edge, edges), ends, cuts)
                path.append((callee, iter(self.edges(callee)), [], {}))
                return
            ways = self.ways[callee]
            if ways is None:
                names = [one[0] for one in path]
                raise Recursion(names[names.index(callee) :])
            ends.append((depth + ways.end[0], edge))
            for node, (further, _) in ways.cuts.items():
                better(cuts, node, depth + further, edge)
        ends.append((self.own(function), None))
        self.ways[function] = Ways(cuts, max([(depth, edge) for depth, edge in ends if edge is None or depth > self.own(function)],
                                             key=lambda one: one[0]))
        path.pop()

    def _follow(self, chain, base, cut):
        """Adds the functions on the way from the last of the chain to a cut, or to the end; returns the depth there."""
        while True:
            function = chain[-1][0]
            ways = self._ways(function)
            edge = ways.cuts[cut][1] if cut is not None else ways.end[1]
            if edge is None:
                return base
            base += edge[1]
            is_there = cut is not None and self._cut(function, edge[0]) == cut
            chain.append((edge[0], base, edge[2]))
            if is_there:
                return base

    # The search.

    def _counts(self, entry, absent):
        """What is left of each bound that can matter from here on."""
        return {group: 0 if group in absent else count for group, count in self._reachable(entry)}

    def _reachable(self, function):
        """{(group, count)} of the bounds of all cuts that can follow."""
        if function not in self.groups:
            seen, waiting = set(), [function]
            found = {self.bounds[function]} if function in self.bounds else set()
            while waiting:
                for callee, outer in self._ways(waiting.pop()).cuts:
                    if callee not in seen:
                        seen.add(callee)
                        waiting.append(callee)
                        found.update({self.bounds[callee]} if callee in self.bounds else ())
                    if outer is not None:
                        found.add(outer)
            self.groups[function] = frozenset(found)
        return self.groups[function]

    def _enter(self, function, counts, absent):
        """The counts inside a function that the caller is about to enter; None: as often as declared."""
        if function in self.bounds:
            self.used_bounds.add(function)
            group = self.bounds[function][0]
            if counts[group] == 0:
                return None
            counts = {**counts, group: counts[group] - 1}
        matters = {group for group, _ in self._reachable(function)}
        return {group: left for group, left in counts.items() if group in matters}

    def _after(self, cut, counts, absent):
        """The state behind a cut: None where the call ends at once, False where it cannot come to it."""
        (function, outer), counts = cut, dict(counts)
        if outer is not None and outer[0] not in absent and counts[outer[0]] == outer[1]:
            return False
        inner = self._enter(function, counts, absent)
        return inner if inner is None else (cut, tuple(sorted(inner.items())))

    def _search(self, first, known, absent):
        """known: {state: (bytes, the cut that the deepest path goes on to, the state behind it)}"""
        path = [(first, iter(self._ways(first[0][0]).cuts.items()), [(self._ways(first[0][0]).end[0], None, None)])]
        known[first] = None
        while path:
            state, cuts, best = path[-1]
            for cut, (depth, edge) in cuts:
                after = self._after(cut, state[1], absent)
                if after is False:
                    continue
                if after is None:
                    best.append((depth + self.refused(cut[0]), cut, None))
                elif after not in known:
                    known[after] = None
                    ways = self._ways(cut[0])
                    path[-1] = (state, again((cut, (depth, edge)), cuts), best)
                    path.append((after, iter(ways.cuts.items()), [(ways.end[0], None, None)]))
                    break
                elif known[after] is None:
                    states = [one[0] for one in path]
                    raise Recursion([one[0][0] for one in states[states.index(after) :]])
                else:
                    best.append((depth + known[after][0], cut, after))
            else:
                known[state] = max(best, key=lambda one: one[0])
                path.pop()


def better(ways, node, depth, edge):
    if node not in ways or depth > ways[node][0]:
        ways[node] = (depth, edge)


def again(first, rest):
    yield first
    yield from rest
