"""The device library: one family of components a file, each component said once.

Importing a file registers its components. photosim does that when one of them is
first requested (photosim/model/shelf.py says where each is declared).
"""

# The files stand in components/ and are imported as photosim.components; under a second
# name every component would be declared twice.
if __name__ != "photosim.components":
    raise ImportError(f"import photosim.components, not {__name__!r}")
