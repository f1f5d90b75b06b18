"""The kinds of component, a file each: what all have, and what each can be asked.

`photosim.model` declares them.
"""

from photosim.kinds.base import Model, Remark, port_names
from photosim.kinds.block import Block
from photosim.kinds.closed_form import ClosedForm, Entries
from photosim.kinds.composite import Composite
from photosim.kinds.electronics import Electronic, Stage
from photosim.kinds.ends import Detector, Source
from photosim.kinds.nonlinear import Memory, Nonlinear
from photosim.kinds.numerical import Numerical

__all__ = [
    "Block",
    "ClosedForm",
    "Composite",
    "Detector",
    "Electronic",
    "Entries",
    "Memory",
    "Model",
    "Nonlinear",
    "Numerical",
    "Remark",
    "Source",
    "Stage",
    "port_names",
]
