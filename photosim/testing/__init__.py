"""Laws of physics as tests: for components, tables, circuits, devices and learning rules, anybody's.

    import photosim as ps
    ps.testing.check(my_component)      # raises LawBroken with the smallest settings that break a law

`photosim test NAME` does the same on the command line, and `pytest --photosim-laws parts.py` in a test suite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from photosim.lazy import attach

if TYPE_CHECKING:
    from photosim.testing.checking import Report, check, laws
    from photosim.testing.law import Law, LawBroken, Verdict

_HOMES = {
    "Law": "law",
    "LawBroken": "law",
    "Report": "checking",
    "Verdict": "law",
    "check": "checking",
    "laws": "checking",
}
__all__ = ["Law", "LawBroken", "Report", "Verdict", "check", "laws"]


__getattr__, __dir__ = attach(__name__, _HOMES)
