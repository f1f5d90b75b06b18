"""Signs, numbering and constants that every part of photosim relies on.

Time dependence is exp(-i omega t). A wave that travels a length L gains
exp(+i beta L), the cross port of a coupler carries +i sqrt(k), and the group
delay is +d arg S / d omega. Wave amplitudes are in sqrt(W). Lengths and
wavelengths are in um, propagation loss in dB/cm, everything else in SI units.
"""

from __future__ import annotations

# Exact by definition of the SI (BIPM, SI Brochure, 9th edition, 2019).
SPEED_OF_LIGHT_M_S = 299_792_458.0
SPEED_OF_LIGHT_UM_S = 299_792_458.0e6
PLANCK_J_S = 6.626_070_15e-34
ELEMENTARY_CHARGE_C = 1.602_176_634e-19
BOLTZMANN_J_K = 1.380_649e-23

ROOM_TEMPERATURE_K = 300.0


def standard_aliases(ports: tuple[str, ...], inputs: int) -> dict[str, str]:
    """Return the in0.., out0.. names of ports numbered clockwise from the lower left.

    The first `inputs` ports are on the left, counted upwards; the rest are on
    the right, counted downwards, so out0 is the last port and lies beside in0:
    a 2x2 part has in0 = o1, in1 = o2, out1 = o3, out0 = o4. A part with one
    input also answers to "in", one with one output to "out".
    """
    left, right = ports[:inputs], ports[inputs:][::-1]
    names = {f"in{k}": port for k, port in enumerate(left)}
    names |= {f"out{k}": port for k, port in enumerate(right)}
    if len(left) == 1:
        names["in"] = left[0]
    if len(right) == 1:
        names["out"] = right[0]
    own = frozenset(ports)  # a medium has thousands of ports
    return {alias: port for alias, port in names.items() if alias not in own}
