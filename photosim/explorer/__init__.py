"""A circuit in the browser: `photosim explore FILE` serves one page to this machine alone.

`serving` binds the port and runs the server, `app` has the addresses, `guard` refuses strangers. What a page
asks is answered by functions of plain data: `desk` (the netlist being edited), `knobs` (its settings),
`curves` (spectra), `guides` (the drawing and its powers), `judged` (metrics and specification), `times`
(traces and eyes), `exports` (files). The page itself, without any library but uPlot, stands in `page/`.
"""

from photosim.explorer.serving import explore

__all__ = ["explore"]
