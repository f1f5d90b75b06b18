"""The device library: one family of components a file, each component said once.

Importing this package imports every file of the folder, and so registers its
components. photosim does that when a component is first requested.
"""

# The files stand in components/ and are imported as photosim.components; under a second
# name every component would be declared twice.
if __name__ != "photosim.components":
    raise ImportError(f"import photosim.components, not {__name__!r}")

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
