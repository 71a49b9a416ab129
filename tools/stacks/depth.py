"""The deepest path through a call graph. Recursion is followed as often as it is declared to go, and is an error otherwise."""
from collections import namedtuple

# chain: [(function, depth at which it was entered, by which pointer)] from the entry down.
Deepest = namedtuple("Deepest", "bytes chain")


class Recursion(Exception):
    pass


class Depths:
    """own(f) is the bytes f uses by itself, edges(f) gives (callee, depth, what). bounds: {function: (group,
    how often functions of the group are at work on one stack)}; inside: {(caller, callee): the group that must be at work}."""

    def __init__(self, own, edges, bounds, inside=()):
        self.own, self.edges, self.bounds, self.inside = own, edges, bounds, dict(inside)
        self.component, self.known, self.used_bounds = {}, {}, set()

    def deepest(self, entry):
        self._components(entry)
        state = self._enter(entry, None, ())
        self._solve(state)
        chain, at = [(entry, 0, "")], state
        while True:
            total, choice = self.known[at]
            if choice is None:
                return Deepest(self.known[state][0], chain)
            at, depth, what = choice
            chain.append((at[0], chain[-1][1] + depth, what))

    def _enter(self, callee, caller, counts):
        """The state in which a callee starts: itself, and what is left of each bound in the knot it belongs to."""
        knot = self.component.get(callee)
        outer = self.inside.get((caller, callee))
        if outer is not None and caller is not None and dict(counts).get(outer[0]) == outer[1]:
            return False
        if caller is None or self.component[caller] != knot:
            counts = knot[1] if knot else ()
        if callee in self.bounds:
            self.used_bounds.add(callee)
            left, group = dict(counts), self.bounds[callee][0]
            if group in left:
                if left[group] == 0:
                    return None
                left[group] -= 1
            counts = tuple(sorted(left.items()))
        return callee, counts

    def _solve(self, first):
        """Depth first, without Python's own recursion. None in known: under way."""
        path = [(first, None)]
        while path:
            state, iterator = path[-1]
            if iterator is None:
                if state in self.known:
                    path.pop()
                    continue
                self.known[state] = None
                best = [self.own(state[0]), None]
                iterator = (iter(self.edges(state[0])), best)
                path[-1] = (state, iterator)
            edges, best = iterator
            for callee, depth, what in edges:
                if depth > best[0]:
                    best[0], best[1] = depth, None
                inner = self._enter(callee, state[0], state[1])
                if inner is False:  # not where nothing is under way yet
                    continue
                if inner is None:  # as often as declared: this one finds out, and goes no further
                    if depth + self.own(callee) > best[0]:
                        best[0], best[1] = depth + self.own(callee), None
                    continue
                if inner not in self.known:
                    # comes back to this edge once the callee is known
                    path[-1] = (state, (again((callee, depth, what), edges), best))
                    path.append((inner, None))
                    break
                if self.known[inner] is None:
                    raise Recursion([s[0] for s, _ in path[[s for s, _ in path].index(inner):]])
                if depth + self.known[inner][0] > best[0]:
                    best[0], best[1] = depth + self.known[inner][0], (inner, depth, what)
            else:
                self.known[state] = tuple(best)
                path.pop()

    def _components(self, entry):
        """Tarjan: each function's knot of mutual recursion, with the bounds declared in it."""
        index, low, stack, inside = {}, {}, [], set()
        path = []

        def start(node):
            index[node] = low[node] = len(index)
            stack.append(node)
            inside.add(node)
            path.append((node, iter(self.edges(node))))

        if entry in self.component:
            return
        start(entry)
        while path:
            node, edges = path[-1]
            for callee, _, _ in edges:
                if callee in self.component:
                    continue
                if callee not in index:
                    start(callee)
                    break
                if callee in inside:
                    low[node] = min(low[node], index[callee])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == index[node]:
                    members = []
                    while not members or members[-1] != node:
                        members.append(stack.pop())
                        inside.discard(members[-1])
                    counts = tuple(sorted({self.bounds[m] for m in members if m in self.bounds}))
                    for member in members:
                        self.component[member] = (node, counts)


def again(first, rest):
    yield first
    yield from rest
