"""Laws of physics as tests: for components, tables, circuits, devices and learning rules, anybody's.

    import photosim as ps
    ps.testing.check(my_component)      # raises LawBroken with the smallest settings that break a law

`photosim test NAME` does the same on the command line, and `pytest --photosim-laws parts.py` in a test suite.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562): pytest loads the plugin here in every run."""
    if name not in __all__:
        from photosim.errors import did_you_mean

        message = f"module 'photosim.testing' has no attribute {name!r}.{did_you_mean(name, __all__)}"
        raise AttributeError(message, name=name)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
