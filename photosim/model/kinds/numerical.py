"""Components without a closed form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.model.claims import Symmetries
from photosim.model.kinds.base import Judged
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Numerical(Judged):
    """A component without a closed form: its function returns the S-matrix as an array."""

    reciprocal: bool = False
    lossless_when: Mapping[str, Any] | None = None
    symmetries: Symmetries = field(default_factory=dict)
    ports_of: Callable[..., tuple[str, ...]] | None = None
    aliases_of: Callable[..., Mapping[str, str]] | None = None
    structure_of: Callable[..., tuple[tuple[int, int], ...]] | None = None
    reciprocal_when: Callable[..., bool] | None = None
    series_of: Callable[..., NDArray[np.complex128]] | None = None

    kind = "numerical"

    def reciprocal_for(self, settings: Mapping[str, Any]) -> bool:
        """Return whether every path of an instance with these settings is equal in both directions."""
        if self.reciprocal_when is None:
            return self.reciprocal
        return self.reciprocal_when(**self.full(settings))

    def ports_for(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the ports for these settings."""
        return self.ports if self.ports_of is None else tuple(self.ports_of(**self.full(settings)))

    def aliases_for(self, settings: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the other names of the ports for these settings."""
        return self.aliases if self.aliases_of is None else self.aliases_of(**self.full(settings))

    def structure(self, settings: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
        """Return the (to, from) port numbers of the elements that can be non-zero; all, unless declared."""
        if self.structure_of is not None:
            return tuple(self.structure_of(**self.full(settings)))
        size = len(self.ports_for(settings))
        return tuple((a, b) for a in range(size) for b in range(size))

    def s(self, wl: ArrayLike, **settings: Any) -> NDArray[np.complex128]:
        """Return the S-matrix, shape (W, P, P) indexed [to, from], at wavelengths wl (W,) in um."""
        self.check(settings)
        grid = as_wavelengths(wl)
        return np.asarray(self.function(grid, **self.full(settings)), dtype=np.complex128)

    def series(self, wl: ArrayLike, orders: int, **settings: Any) -> NDArray[np.complex128]:
        """Return the Taylor coefficients in wavelength of the S-matrix, shape (orders, W, P, P).

        Raises ParameterError for a part that declared none.
        """
        if self.series_of is None:
            message = (
                f"A {self.name} has no exact derivative in wavelength, so group delay and dispersion "
                "of a circuit that holds one are not known."
            )
            raise ParameterError(message)
        grid = np.atleast_1d(np.asarray(wl, dtype=np.float64))
        return np.asarray(self.series_of(grid, orders, **self.full(settings)), dtype=np.complex128)
