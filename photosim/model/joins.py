"""Names that are joined to each other, such as the nodes of a circuit between which a current passes."""

from __future__ import annotations


class Joins:
    """Disjoint sets of names; `parent` leads each name that was seen to the one that stands for its set."""

    def __init__(self) -> None:
        self.parent: dict[str, str] = {}

    def root(self, name: str) -> str:
        """Return the name that stands for the set of a name."""
        self.parent.setdefault(name, name)
        while self.parent[name] != name:
            self.parent[name] = self.parent[self.parent[name]]
            name = self.parent[name]
        return name

    def join(self, a: str, b: str) -> bool:
        """Make one set of two; return whether they were two."""
        first, second = self.root(a), self.root(b)
        self.parent[first] = second
        return first != second
