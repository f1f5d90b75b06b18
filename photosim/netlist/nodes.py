"""Nodes of a .spi circuit: which ports meet at each, and what they become in a netlist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photosim.errors import NetlistError, listing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from photosim.errors import Mark
    from photosim.model import PortRef
    from photosim.netlist.marks import Marks
    from photosim.netlist.spice import Block, Line


class Nodes:
    """Ends at the nodes of a circuit: light joins two, a signal has one output and any number of inputs."""

    def __init__(self, block: Block, marks: Marks) -> None:
        self.block = block
        self.marks = marks
        self.optical: dict[str, list[PortRef]] = {}
        self.electrical: dict[str, list[PortRef]] = {}
        self.outputs: dict[PortRef, bool] = {}
        self.unseen: set[str] = set()
        self.terminate: list[PortRef] = []
        self.open_ends: set[PortRef] = set()

    def join(self, node: str, line: Line, port: str | None, electrical: Mapping[str, bool]) -> None:
        """Put a port of a part at a node; None is a pin that is not simulated."""
        if port is None:
            self.unseen.add(node)
            return
        self.marks.add(("connections", f"{line.name},{port}"), line.mark)
        end = (line.name, port)
        if port in electrical:
            self.outputs[end] = electrical[port]
            self.electrical.setdefault(node, []).append(end)
        else:
            self.optical.setdefault(node, []).append(end)
            _check_node(self.block, node, self.optical[node], line.mark)
        if node in self.electrical and node in self.optical:
            a, b = (",".join(ends[node][0]) for ends in (self.electrical, self.optical))
            message = f"{a!r} is electrical and {b!r} optical, but they meet at node {node!r}"
            raise NetlistError(message, line.mark)

    def exposed(self) -> dict[str, PortRef]:
        """Pins of the circuit, or nodes with one end where it lists none, and the port at each."""
        terminated = self.open_ends
        single = {
            node: ends[0]
            for node, ends in (*self.optical.items(), *self.electrical.items())
            if len(ends) == 1 and ends[0] not in terminated
        }
        if not self.block.pins:
            found = single
        else:
            missing = [p for p in self.block.pins if p not in self.optical and p not in self.electrical]
            for pin in missing:
                if pin not in self.unseen:
                    message = f"no part is at the pin {pin!r} of sub-circuit {self.block.name!r}"
                    raise NetlistError(message, self.block.mark)
            ends = {pin: self._at_pin(pin) for pin in self.block.pins if pin not in missing}
            found = {pin: end for pin, end in ends.items() if end is not None}
        self.terminate = [end for end in self.terminate if end not in {*found.values(), *self._joined()}]
        for pin, end in found.items():
            self.marks.add(("ports", pin), self.marks["connections", ",".join(end)])
        return found

    def _joined(self) -> list[PortRef]:
        return [end for ends in self.optical.values() if len(ends) == 2 for end in ends]

    def _at_pin(self, pin: str) -> PortRef | None:
        """The port that a pin shows; none where a signal from outside would reach several inputs."""
        if pin in self.optical:
            return self.optical[pin][0]
        ends = self.electrical[pin]
        drivers = [end for end in ends if self.outputs[end]]
        return (drivers or ends)[0] if len(drivers) == 1 or len(ends) == 1 else None

    def optical_pairs(self) -> list[tuple[PortRef, PortRef]]:
        """Ports that light joins."""
        return [(ends[0], ends[1]) for ends in self.optical.values() if len(ends) == 2]

    def electrical_pairs(self) -> list[tuple[PortRef, PortRef]]:
        """Each output with every input at its node; inputs without an output keep their own settings."""
        pairs = []
        for ends in self.electrical.values():
            drivers = [end for end in ends if self.outputs[end]]
            if len(drivers) == 1:
                pairs += [(drivers[0], end) for end in ends if end != drivers[0]]
        return pairs


def _check_node(block: Block, node: str, found: list[PortRef], mark: Mark) -> None:
    """Refuse a node that a third pin joins, or a second one where the node is a pin of the sub-circuit."""
    if len(found) > (1 if node in block.pins else 2):
        at = f"the pin {node!r} of sub-circuit {block.name!r}" if node in block.pins else f"node {node!r}"
        ends = listing(f"'{','.join(end)}'" for end in found)
        raise NetlistError(f"{ends} meet at {at}; light passes from one port to one other", mark)
