"""The streamed run that an analysis of kind transient asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from photosim.analysis.progress import Progress, silent
from photosim.analysis.streams.result import StreamResult
from photosim.analysis.streams.run import stream
from photosim.analysis.transient_options import TransientOptions
from photosim.arguments import public

if TYPE_CHECKING:
    from photosim.circuit import Circuit


@public
def streamed(
    circuit: Circuit,
    options: TransientOptions,
    seed: int | None = None,
    *,
    checkpoint: Path | None = None,
    progress: Progress = silent,
) -> StreamResult:
    """Return the result of a streamed run with these options.

    checkpoint: file for the state of the run, from which a later call continues.  seed: replaces that of the
    options.  progress: called as progress(name, done, total) after each step.
    """
    eye = options.eye
    return stream(
        circuit, options.duration, sample_rate=options.sample_rate, drive=options.drive,
        inputs=options.inputs, wl=options.wl, noise=options.noise,
        seed=options.seed if seed is None else seed, quasi_static=options.quasi_static,
        signal=None if eye is None else eye.signal, symbol_rate=None if eye is None else eye.rate,
        checkpoint=checkpoint, progress=progress, name=options.name, **options.settings,
    )  # fmt: skip
