"""From waves to currents: light sources, detection, noise and the electronics behind."""

from photosim.signals.contributions import Contributions, Tone, contributions
from photosim.signals.detection import photocurrents
from photosim.signals.noise import TERMS, effective_bits
from photosim.signals.operating import Line, OperatingPoint, Receiver, operating_point
from photosim.signals.paths import Passage, passages
from photosim.signals.sampling import sample

__all__ = [
    "TERMS", "Contributions", "Line", "OperatingPoint", "Passage", "Receiver", "Tone", "contributions",
    "effective_bits", "operating_point", "passages", "photocurrents", "sample",
]  # fmt: skip
