"""Memory of this machine: work that needs more is refused before it starts, and long work says so."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path

from photosim.errors import ParameterError, PhotosimWarning

_CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")
"""Where Linux says what a container may take."""
_LONG = 60.0
"""Seconds from which a reader is told how long something takes, before it starts."""
_UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"))


@cache
def memory_bytes() -> float:
    """Return the bytes of memory that this process may use: the machine's, its container's or its own."""
    found = float("inf")
    with suppress(AttributeError, ValueError, OSError):  # Windows has no sysconf
        found = float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    with suppress(ImportError, OSError):  # Windows has none; "ulimit -v" sets it
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        found = min(found, float(limit)) if limit != resource.RLIM_INFINITY else found
    with suppress(OSError, ValueError):  # "max" is not a bound
        found = min(found, float(_CONTROL_GROUP.read_text(encoding="ascii")))
    return found


def size(number: float) -> str:
    """Return a number of bytes as people write it, such as "2.4 GB"."""
    for unit, name in _UNITS:
        if number >= unit:
            return f"{number / unit:.2g} {name}" if number < 100 * unit else f"{number / unit:.0f} {name}"
    return f"{number:.0f} bytes"


def require_memory(number: float, what: str, instead: str) -> None:
    """Raise ParameterError where work needs more bytes than there are: what it is, and what to do instead."""
    if number > memory_bytes():
        message = f"{what} would take {size(number)} of memory, and this machine has {size(memory_bytes())}"
        raise ParameterError(f"{message}: {instead}.")


def say_time(seconds: float, what: str, instead: str) -> None:
    """Warn where work takes more than a minute of a cloud machine's core: what it is, and what to do."""
    if seconds > _LONG:
        message = f"{what} takes about {duration(seconds)}: {instead}."
        warnings.warn(message, PhotosimWarning, stacklevel=3)


def duration(seconds: float) -> str:
    """Return a long time as people write it, such as "12 min"."""
    for unit, name in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:,.0f} {name}"
    return f"{seconds:.0f} s"
