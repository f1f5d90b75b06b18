"""The kinds of component, a file each: what all have, and what each can be asked.

`photosim.model` declares them.
"""

from photosim.model.kinds.base import Model, Remark, port_names
from photosim.model.kinds.block import Block
from photosim.model.kinds.closed_form import ClosedForm, Entries
from photosim.model.kinds.composite import Composite
from photosim.model.kinds.electronics import ClockRecovery, Electronic, Equaliser, Stage
from photosim.model.kinds.ends import Detector, Source
from photosim.model.kinds.network import Network, Reading
from photosim.model.kinds.nonlinear import Memory, Nonlinear
from photosim.model.kinds.numerical import Numerical

__all__ = [
    "Block",
    "ClockRecovery",
    "ClosedForm",
    "Composite",
    "Detector",
    "Electronic",
    "Entries",
    "Equaliser",
    "Memory",
    "Model",
    "Network",
    "Nonlinear",
    "Numerical",
    "Reading",
    "Remark",
    "Source",
    "Stage",
    "port_names",
]
