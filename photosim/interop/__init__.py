"""Bridges to other simulators; each needs its extra, as in `pip install 'photosim[sax]'`."""
