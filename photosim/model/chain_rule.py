"""Derivatives of a formula that stands as lines of code, by the chain rule from line to line.

A derivative of the whole expression by every setting costs sympy seconds, since it asks each node anew for
its symbols and signs. Here each line is differentiated by what stands on its right, and the lines between
settings and results are then eliminated one by one, those that cost the fewest products first (Markowitz's
order: griewank2008, chapter 10). What results have in common is computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

CONSTANT = 0.02
"""Cost of a product that does not depend on wavelength, beside one that does."""


class Code:
    """Lines (symbol, expression), each of which may use the symbols of those before, and what they lead to.

    targets: the expressions that are wanted.  varying: symbols that differ from wavelength to wavelength.
    """

    def __init__(self, targets: Sequence[Any], wl: Any) -> None:
        import sympy

        shared, reduced = sympy.cse(targets, order="none")
        self.lines: list[tuple[Any, Any]] = []
        self.targets = list(reduced)
        self._place: dict[Any, int] = {}
        self._varying = {wl}
        for symbol, expression in shared:
            self._add(symbol, expression)

    def needed(self, targets: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Return the lines that targets use, directly or through others."""
        wanted = {symbol for target in targets for symbol in target.free_symbols}
        kept = []
        for symbol, expression in reversed(self.lines):
            if symbol in wanted:
                kept.append((symbol, expression))
                wanted |= expression.free_symbols
        return kept[::-1]

    def slopes(self, targets: Sequence[Any], by: Sequence[Any]) -> list[list[Any]]:
        """Return the derivatives of targets, a list for each symbol of `by`, and add the lines they use."""
        graph = _Graph(by)
        for symbol, expression in [*self.needed(targets), *enumerate(targets)]:
            graph.enter(symbol, {u: self._slope(expression, u) for u in self._moving(expression, graph)})
        costs = {v: self._cost(graph, v) for v in graph.into if not isinstance(v, int)}
        while costs:
            line = min(costs, key=lambda v: (costs[v], self._place[v]))
            del costs[line]
            for v in self._eliminate(graph, line):
                if v in costs:
                    costs[v] = self._cost(graph, v)
        return [[graph.into.get(k, {}).get(x, 0 * x) for k in range(len(targets))] for x in by]

    def _moving(self, expression: Any, graph: _Graph) -> list[Any]:
        """Return the symbols of an expression that depend on those of the derivative, in a fixed order."""
        found = expression.free_symbols & graph.out.keys()
        return sorted(found, key=lambda u: (self._place.get(u, -1), u.name))

    def _slope(self, expression: Any, symbol: Any) -> Any:
        return self._named(expression.diff(symbol))

    def _eliminate(self, graph: _Graph, line: Any) -> set[Any]:
        """Join what leads to a line with what it leads to; return its neighbours, whose costs change."""
        before, after = graph.into.pop(line), graph.out.pop(line)
        for v in after:
            edge = graph.into[v].pop(line)
            for u, slope in before.items():
                graph.join(u, v, self._named(graph.into[v].get(u, 0) + edge * slope))
        for u in before:
            del graph.out[u][line]
        return {*before, *(v for u in before for v in graph.out[u])}

    def _cost(self, graph: _Graph, line: Any) -> float:
        """Return how many products eliminating a line takes."""
        before = [self._weight(slope) for slope in graph.into[line].values()]
        after = [self._weight(graph.into[v][line]) for v in graph.out[line]]
        return sum(max(a, b) for a in before for b in after if a and b)

    def _weight(self, slope: Any) -> float:
        if slope.is_number:
            return 0.0
        return CONSTANT if self._varying.isdisjoint(slope.free_symbols) else 1.0

    def _named(self, expression: Any) -> Any:
        """Return a symbol for an expression, as a new line, or what needs no line itself."""
        import sympy

        if expression.is_Atom or expression.is_number:
            return expression
        symbol = sympy.Dummy(f"d{len(self.lines)}")
        self._add(symbol, expression)
        return symbol

    def _add(self, symbol: Any, expression: Any) -> None:
        self._place[symbol] = len(self.lines)
        self.lines.append((symbol, expression))
        if not self._varying.isdisjoint(expression.free_symbols):
            self._varying.add(symbol)


class _Graph:
    """Slopes of lines by lines: into[v][u] is that of v by u, and out[u] has every such v as a key."""

    def __init__(self, by: Sequence[Any]) -> None:
        self.into: dict[Any, dict[Any, Any]] = {}
        self.out: dict[Any, dict[Any, None]] = {x: {} for x in by}

    def enter(self, line: Any, slopes: dict[Any, Any]) -> None:
        """Enter a line, or a target by its number, with its slopes by the lines before it."""
        for u, slope in slopes.items():
            if slope != 0:
                self.join(u, line, slope)
        if line in self.into and not isinstance(line, int):
            self.out[line] = {}

    def join(self, u: Any, v: Any, slope: Any) -> None:
        """Set the slope of v by u."""
        self.into.setdefault(v, {})[u] = slope
        self.out[u][v] = None
