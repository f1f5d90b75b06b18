"""Wrong values deep inside an entry of `analyses`: one sentence with the line of the very value."""

from __future__ import annotations

from pathlib import Path

import pytest

import photosim as ps
from photosim import runner
from photosim.errors import NetlistError

RING = """\
instances: {ring: {component: ring_double, settings: {radius: 10.0, coupling: 0.03}}}
ports: {in: "ring,in", drop: "ring,drop"}
terminate: ["ring,add", "ring,through"]
specification:
- quantity: resonance
  from: in
  to: drop
  within: [1.54, 1.56]
analyses:
- kind: KIND
  wl: "1.54:1.56:11"
"""
YIELD = """\
  variation:
    width: {die: 1.0e-3, local: 1.0e-3}
    correlation_length: 100.0
    places:
      ring: [0, 0]
  tuning:
    heaters: [ring.phase]
    points: 5
"""
DESIGN = """\
  vary: [ring.coupling, ring.radius]
  constraints:
  - sum: {ring.coupling: 1.0}
    at_most: 0.5
"""


@pytest.mark.parametrize(
    ("kind", "more", "old", "new", "said"),
    [
        ("yield", YIELD, "die: 1.0e-3", "dye: 1.0e-3", r"13:5: .*width.* no option 'dye'.*mean 'die'"),
        ("yield", YIELD, "[0, 0]", "[.nan, 0]", r"12:3: .*place of 'ring' must be \[x, y\]"),
        ("yield", YIELD, "100.0", "far", r"14:5: .*'correlation_length' must be a .*number, but is the text"),
        ("yield", YIELD, "points: 5", "points: -5", r"19:5: .*tuning: 'points' must be a whole number"),
        ("yield", YIELD, "within: [1.54, 1.56]", "within: [1.54]", r"8:3: specification, entry 1: .*within"),
        ("yield", YIELD, "to: drop", "to: dorp", r"5:3: specification, entry 1: .*'dorp'"),
        ("optimise", DESIGN, "[ring.coupling, ring.radius]", "7", r"12:3: .*names, patterns or a mapping"),
        ("optimise", DESIGN, "coupling: 1.0", "coupling: red", r"14:11: .*entry 1: sum: .*number, but is"),
        ("optimise", DESIGN, "at_most: 0.5", "at_most: .inf", r"15:5: .*'at_most' must be a finite number"),
        ("optimise", DESIGN, "at_most: 0.5", "at_mots: 1", r"15:5: .*no option 'at_mots'.*mean 'at_most'"),
        ("optimise", DESIGN, "{ring.coupling: 1", "{ring.couplin: 1", r"14:5: .*mean 'ring.coupling'"),
    ],
)  # fmt: skip
def test_the_line_of_a_value_deep_inside_is_named(
    tmp_path: Path, kind: str, more: str, old: str, new: str, said: str
) -> None:
    text = (RING.replace("KIND", kind) + more).replace(old, new)
    file = tmp_path / "n.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(NetlistError, match=rf"n\.yml:{said}") as told:
        runner.prepare(ps.load(file))
    assert "\n" not in str(told.value)
