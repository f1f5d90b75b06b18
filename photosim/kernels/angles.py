"""Functions of angles, for the kernels that are written from the formulas of components.

They stand here and not in each written file, so that they are compiled once. Those files carry a hash of
this one in their names, since numba does not see that a kernel of another file has changed.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit


@njit(cache=True, fastmath={"contract", "nsz"}, error_model="numpy", forceinline=True)
def sin_cos(x: float) -> Any:
    """Sine and cosine in plain arithmetic, so that the loop over wavelengths vectorises.

    Reduction by pi/2 in four parts of 27 bits (exact up to 1e8 quarter turns),
    then the Taylor series on [-pi/4, pi/4], cut where the next term is below 1e-17. Of an
    angle beyond 2**43 no more than three digits are known, and none is answered: NaN.
    """
    n = (x * 0.6366197723675814 + 6755399441055744.0) - 6755399441055744.0
    r = x - n * 1.570796325802803
    r = r - n * 9.920935739593517e-10
    r = r - n * 5.721188709663575e-18
    r = r - n * 1.6446256936324258e-26
    r = r if abs(x) < 8796093022208.0 else math.nan
    z = r * r
    s = 1.6059043836821613e-10 + z * (-7.647163731819816e-13 + z * 2.8114572543455206e-15)
    s = 2.7557319223985893e-06 + z * (-2.505210838544172e-08 + z * s)
    s = -0.16666666666666666 + z * (0.008333333333333333 + z * (-0.0001984126984126984 + z * s))
    s = r + r * z * s
    c = -1.1470745597729725e-11 + z * (4.779477332387385e-14 + z * -1.5619206968586225e-16)
    c = -2.755731922398589e-07 + z * (2.08767569878681e-09 + z * c)
    c = 0.041666666666666664 + z * (-0.001388888888888889 + z * (2.48015873015873e-05 + z * c))
    c = 1.0 - 0.5 * z + z * z * c
    quarter = n - 4.0 * math.floor(n * 0.25)
    swap = quarter == 1.0 or quarter == 3.0  # noqa: PLR1714 - of {1.0, 3.0} numba would make a set
    sine = c if swap else s
    cosine = s if swap else c
    left = quarter == 1.0 or quarter == 2.0  # noqa: PLR1714
    return (-sine if quarter >= 2.0 else sine), (-cosine if left else cosine)


@njit(cache=True, fastmath={"contract", "nsz"}, error_model="numpy")
def sinc(x: float) -> float:
    """sin(x)/x, by its series near 0 where the quotient loses digits."""
    return 1.0 - x * x / 6.0 + x * x * x * x / 120.0 if abs(x) < 1e-3 else math.sin(x) / x
