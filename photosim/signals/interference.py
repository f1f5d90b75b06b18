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
    order = np.argsort(frequency)
    for one in lit:
        light = float(np.einsum("po,...op->...", np.abs(one.responsivity), np.abs(one.fields) ** 2).max())
        for k, first in enumerate(order):
            for second in order[k + 1 :]:
                apart = float(frequency[second] - frequency[first])
                if apart > one.bandwidth and apart > 0.0:
                    break
                if sources[first] == sources[second] and apart > 0.0:
                    continue
                beat = one.fields[..., first, :] * np.conj(one.fields[..., second, :])
                most = float(np.abs(beat @ one.responsivity[:, first]).max())
                if 2.0 * most > FAINT * light:
                    _refuse(question, one, (sources[first], sources[second]), apart, 2.0 * most)


def _refuse(question: str, one: Lit, names: tuple[str, str], apart: float, beat: float) -> None:
    sources = " and ".join(repr(name) for name in dict.fromkeys(names))
    what = f"Light of {sources} interferes" if len(set(names)) > 1 else f"Two lines of {sources} interfere"
    within = f"{apart:.4g} Hz apart, within its bandwidth of {one.bandwidth:.4g} Hz"
    where = within if apart else "at one frequency"
    message = (
        f"{what} at {one.name!r} ({where}): the current changes by up to {beat:.3g} A to "
        f"either side with the phase between them, which {question} does not have, since it adds powers. Ask "
        "ps.transient, or light one source at a time."
    )
    raise InterferenceError(message)
