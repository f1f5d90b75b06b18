"""What annotations of public functions are taken to mean."""

from __future__ import annotations

from importlib import import_module

from photosim.arguments.kinds import kinds_of
from photosim.systems.harness.system import System


def test_names_mean_what_their_own_module_imports() -> None:
    """Two rooms have a Kind: whichever was imported first must not stand for the other's."""
    import_module("photosim.systems.harness.data")
    import_module("photosim.training.hardware.found")
    found = dict(kinds_of.__wrapped__(System.__init__))["reads"]
    assert any(kind.fits(("samples", "graph")) for kind in found)
    assert not any(kind.fits((1.0,)) for kind in found)
