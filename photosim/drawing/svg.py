"""A placed schematic as SVG text: plain shapes and text, no script, no font to load."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from photosim.drawing.boxes import LINE, Box

if TYPE_CHECKING:
    from photosim.drawing.layout import Layout, PlacedBox, PlacedWire, Point

MARGIN = 26.0
_HEADING = 30.0
_FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"
_FILLS = {
    "part": "#F6F7F9", "group": "#E8F0FA", "source": "#FDEBDD", "detector": "#E4F2E9", "numerical": "#F1EAF7",
}  # fmt: skip
_EDGES = {
    "part": "#4A5563", "group": "#2F6DB3", "source": "#C45A12", "detector": "#1F7A4D", "numerical": "#74509B",
}  # fmt: skip
_OPTICAL = "#1C2733"
_ELECTRICAL = "#B07D00"
_QUIET = "#66717F"
_OPEN = "#C43C3C"


def render(layout: Layout, title: str, notes: dict[tuple[str, str], str]) -> str:
    """Return the SVG document of `layout`.

    notes: ports without a wire, (box, port) to "open" or "terminated"; they are marked as such.
    """
    width = layout.width + 2.0 * MARGIN
    height = layout.height + 2.0 * MARGIN + _HEADING
    body = [_wire(wire, layout) for wire in layout.wires]
    body += [_box(placed) for placed in layout.boxes.values()]
    body += [_loose_end(layout.boxes[name].port(port), state) for (name, port), state in notes.items()]
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FONT}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#FFFFFF"/>',
        _text(MARGIN, MARGIN + 4.0, title, 14.0, _OPTICAL, bold=True),
        f'<g transform="translate({MARGIN:g} {MARGIN + _HEADING:g})">',
        *body,
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _box(placed: PlacedBox) -> str:
    box, x, y = placed.box, placed.x, placed.y
    if box.kind == "terminal":
        return _terminal(placed)
    edge = _EDGES[box.kind]
    shape = f'rx="5" fill="{_FILLS[box.kind]}" stroke="{edge}" stroke-width="1.2"'
    tag = f"id={quoteattr('instance-' + box.name)} data-instance={quoteattr(box.name)}"
    parts = [f'<g class="box instance" {tag}><title>{escape(box.notes or box.name)}</title>']
    if box.kind == "group":  # a second outline: there is a circuit inside
        parts.append(
            _rect(x - 3.0, y - 3.0, box.width + 6.0, box.height + 6.0, f'rx="7" fill="none" stroke="{edge}"')
        )
    parts.append(_rect(x, y, box.width, box.height, shape))
    parts += _label(box, x, y)
    for side in (box.left, box.right):
        parts += [_port(placed, port) for port in side]
    return "\n".join((*parts, "</g>"))


def _label(box: Box, x: float, y: float) -> list[str]:
    """Return name, component and settings, centred between the port names."""
    first = y + box.height / 2.0 - (len(box.lines) - 1) * LINE / 2.0 + 4.0
    styles = [(12.0, _OPTICAL), (10.5, _EDGES[box.kind])] + [(10.0, _QUIET)] * len(box.lines)
    middle = x + box.width / 2.0
    return [
        _text(middle, first + k * LINE, line, size, colour, anchor="middle", bold=k == 0)
        for k, (line, (size, colour)) in enumerate(zip(box.lines, styles, strict=False))
    ]


def _port(placed: PlacedBox, name: str) -> str:
    point = placed.port(name)
    colour = _ELECTRICAL if name in placed.box.electrical else _OPTICAL
    anchor = "end" if point.heading > 0 else "start"
    dot = f'<circle cx="{point.x:.1f}" cy="{point.y:.1f}" r="2.4" fill="{colour}"/>'
    return dot + _text(point.x - 6.0 * point.heading, point.y + 3.0, name, 9.0, _QUIET, anchor=anchor)


def _terminal(placed: PlacedBox) -> str:
    """Return an exposed port: a ring at the wire's end, and its name."""
    name = placed.box.lines[0]
    point = placed.port(placed.box.right[0] if placed.box.right else placed.box.left[0])
    anchor = "end" if point.heading > 0 else "start"
    look = f'fill="#FFFFFF" stroke="{_OPTICAL}" stroke-width="1.4"'
    ring = f'<circle cx="{point.x:.1f}" cy="{point.y:.1f}" r="3.4" {look}/>'
    label = _text(
        point.x - 8.0 * point.heading, point.y + 4.0, name, 12.0, _OPTICAL, anchor=anchor, bold=True
    )
    tag = f'class="port" id={quoteattr("port-" + name)} data-port={quoteattr(name)}'
    return f"<g {tag}>{ring}{label}</g>"


def _wire(wire: PlacedWire, layout: Layout) -> str:
    """Return one path: straight in lanes, a smooth bend in each channel."""
    start = wire.runs[0][0]
    steps = [f"M{start.x:.1f} {start.y:.1f}"]
    previous = None
    for run in wire.runs:
        if previous is not None:
            steps.append(_bend(previous, run[0]))
        steps.append(f"H{run[-1].x:.1f}")
        previous = run[-1]
    electrical = any(port in layout.boxes[name].box.electrical for name, port in wire.ends)
    look = f'stroke="{_ELECTRICAL}" stroke-dasharray="5 3"' if electrical else f'stroke="{_OPTICAL}"'
    ends = ":".join(",".join(end) for end in wire.ends)
    domain = "electricity" if electrical else "light"
    tag = f'class="wire {domain}" id={quoteattr("wire-" + ends)} data-wire={quoteattr(ends)}'
    return f'<path {tag} d="{" ".join(steps)}" fill="none" {look} stroke-width="1.4"/>'


def _bend(a: Point, b: Point) -> str:
    """Return the curve from a to b inside one channel: an S between its sides, a U on one side."""
    if a.x == b.x:
        # The curve reaches three quarters of its handles: this stays inside the narrowest channel.
        reach = min(18.0 + 0.16 * abs(b.y - a.y), 54.0) * (a.heading or 1)
        return f"C{a.x + reach:.1f} {a.y:.1f} {b.x + reach:.1f} {b.y:.1f} {b.x:.1f} {b.y:.1f}"
    if abs(a.y - b.y) < 0.05:
        return f"L{b.x:.1f} {b.y:.1f}"
    middle = (a.x + b.x) / 2.0
    return f"C{middle:.1f} {a.y:.1f} {middle:.1f} {b.y:.1f} {b.x:.1f} {b.y:.1f}"


def _loose_end(point: Point, state: str) -> str:
    """Return the mark of a port without a wire: a bar where terminated, an open ring where nobody said so."""
    x = point.x + 9.0 * point.heading
    stub = f'<path d="M{point.x:.1f} {point.y:.1f}H{x:.1f}" stroke="{_QUIET}" stroke-width="1.2"/>'
    if state == "terminated":
        return stub + _rect(x - 1.5, point.y - 5.0, 3.0, 10.0, f'fill="{_QUIET}"')
    place = f'cx="{x + 2.5 * point.heading:.1f}" cy="{point.y:.1f}"'
    ring = f'<circle {place} r="2.5" fill="none" stroke="{_OPEN}"/>'
    return f"{stub}{ring}"


def _rect(x: float, y: float, width: float, height: float, look: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {look}/>'


def _text(
    x: float, y: float, text: str, size: float, colour: str, *, anchor: str = "start", bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}"{weight}>{escape(text)}</text>'
