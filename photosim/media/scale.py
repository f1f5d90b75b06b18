"""One projection through a matrix of a trillion entries, in the memory of its result; it can be resumed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import photosim
from photosim.errors import DataError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from photosim.media.procedural import ProceduralMedium

ENTRIES = 2**33
"""Matrix entries between two lines of the log: ten seconds of one core, the most an interruption loses."""


def project_to_file(
    medium: ProceduralMedium,
    pattern: ArrayLike,
    path: str | Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.complex64]:
    """Return T x for one pattern of zeros and ones (inputs,), kept in the .npy file `path` as it grows.

    Called again after an interruption it goes on where it was; a log beside the file says how far it came and
    of which medium and pattern. `progress(done, outputs)` is called after each piece. The work is a few
    operations for each lit input and output, the memory that of pattern and result. Raises DataError where
    the file holds another projection.
    """
    found = np.asarray(pattern)
    if found.shape != (medium.inputs,) or not ((found == 0) | (found == 1)).all():
        message = f"One pattern of {medium.inputs} zeros and ones is projected to a file, got {found.shape}."
        raise ParameterError(message)
    lit = np.flatnonzero(found)
    place, log = Path(path), Path(f"{path}.log")
    name = _fingerprint(medium, lit)
    done = _done(place, log, name)
    out: Any = np.lib.format.open_memmap(place, "r+" if done else "w+", np.complex64, (medium.outputs,))
    step = max(4, ENTRIES // max(1, lit.size) // 4 * 4)
    while done < medium.outputs:
        end = min(done + step, medium.outputs)
        out[done:end] = medium.sum_columns(lit, slice(done, end))
        out.flush()
        done = end
        _write(log, {"projection": name, "done": done})
        if progress is not None:
            progress(done, medium.outputs)
    return out  # type: ignore[no-any-return]


def _fingerprint(medium: ProceduralMedium, lit: NDArray[np.int64]) -> str:
    """Return a name that two projections share only if they are the same."""
    own = (photosim.__version__, medium.shape, medium.seed, float(medium.transmission))
    return hashlib.sha256(repr(own).encode() + lit.astype("<i8").tobytes()).hexdigest()


def _done(place: Path, log: Path, name: str) -> int:
    """Return how many outputs a file holds already; DataError where they are of another projection."""
    if not log.exists():
        if place.exists():
            message = f"{place} exists, but there is no log {log.name} of a projection: name another file."
            raise DataError(message)
        return 0
    try:
        known = json.loads(log.read_text(encoding="utf-8"))
        same, done = known["projection"] == name, int(known["done"])
    except (ValueError, KeyError, TypeError):
        message = f"{log} is not the log of a projection: remove it and {place} to begin again."
        raise DataError(message) from None
    if not same:
        message = (
            f"{place} holds the projection of another medium or pattern, or of another version of photosim: "
            "name another file."
        )
        raise DataError(message)
    return done if place.exists() else 0


def _write(log: Path, entry: dict[str, Any]) -> None:
    """Replace the log in one step, so that it is whole whenever the run is stopped."""
    fresh = log.with_name(log.name + ".new")
    fresh.write_text(json.dumps(entry), encoding="utf-8")
    fresh.replace(log)
