"""Netlists: read from YAML and JSON files, checked against the library, written back.

    netlist = read("netlists/add_drop_ring.yml")
    warnings = check(netlist)
    text = to_yaml(netlist)

Every error names file, line and column, what was found, what would do, and the nearest name.
"""

from photosim.netlist.check import check, not_simulated, notes
from photosim.netlist.find import find, gallery
from photosim.netlist.reader import from_dict, read, read_text
from photosim.netlist.save import save
from photosim.netlist.size import check_size
from photosim.netlist.write import to_gdsfactory, to_yaml

__all__ = [
    "check",
    "check_size",
    "find",
    "from_dict",
    "gallery",
    "not_simulated",
    "notes",
    "read",
    "read_text",
    "save",
    "to_gdsfactory",
    "to_yaml",
]
