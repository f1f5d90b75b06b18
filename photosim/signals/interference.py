"""Light of separate lasers that interferes at a detector: questions that add powers refuse it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAINT = 1e-3
"""Interference that changes the current of a detector by less than this part of it does not count."""


class InterferenceError(ParameterError):
    """Light of separate lasers interferes at a detector, and the question adds their powers."""


@dataclass(frozen=True)
class Lit:
    """The light at one detector: responsivity (ports, lines) in A/W, and fields in sqrt(W).

    fields: (..., lines, ports).  bandwidth: of the detector in Hz.
    """

    name: str
    bandwidth: float
    responsivity: NDArray[np.float64]
    fields: NDArray[np.complex128]


def refuse_interference(
    question: str, sources: Sequence[str], frequency: NDArray[np.float64], lit: Iterable[Lit]
) -> None:
    """Raise InterferenceError where light of two lasers interferes at a detector.

    sources: names of the source of each line.  frequency: in Hz, (lines,). Two lines interfere where they are
    of different sources and less than the detector's bandwidth apart, or of one source and at one frequency:
    then the current depends on their phases, which `question` does not have.
    """
    order = np.argsort(frequency, kind="stable")
    rising = frequency[order]
    of = np.unique(np.asarray(sources, dtype=np.str_), return_inverse=True)[1][order]
    for one in lit:
        light = float(np.einsum("po,...op->...", np.abs(one.responsivity), np.abs(one.fields) ** 2).max())
        ends = np.searchsorted(rising, rising + one.bandwidth, side="right")
        for k, first in enumerate(order):
            near = np.arange(k + 1, ends[k])
            near = near[(of[near] != of[k]) | (rising[near] == rising[k])]
            if not near.size:
                continue
            beats = np.einsum(
                "...p,...jp,p->...j",
                one.fields[..., first, :],
                np.conj(one.fields[..., order[near], :]),
                one.responsivity[:, first],
            )
            most = np.abs(beats).reshape(-1, near.size).max(axis=0)
            strong = np.flatnonzero(2.0 * most > FAINT * light)
            if strong.size:
                second = int(near[strong[0]])
                names = sources[first], sources[order[second]]
                apart = float(rising[second] - rising[k])
                _refuse(question, one, names, apart, 2.0 * float(most[strong[0]]))


def _refuse(question: str, one: Lit, names: tuple[str, str], apart: float, beat: float) -> None:
    sources = " and ".join(repr(name) for name in dict.fromkeys(names))
    what = f"Light of {sources} interferes" if len(set(names)) > 1 else f"Two lines of {sources} interfere"
    within = f"{apart:.4g} Hz apart, within its bandwidth of {one.bandwidth:.4g} Hz"
    where = within if apart else "at one frequency"
    message = (
        f"{what} at {one.name!r} ({where}): the current changes by up to {beat:.3g} A to "
        f"either side with the phase between them, which {question} does not have, since it adds powers. Use "
        "ps.transient, or light one source at a time."
    )
    raise InterferenceError(message)
