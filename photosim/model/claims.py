"""What a declaration claims of a component beyond its function: laws hold it to that (`photosim.testing`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from photosim.errors import ParameterError, did_you_mean, listing

Symmetries: TypeAlias = Mapping[tuple[str, ...], Mapping[str, Any]]
"""Orders of the ports in which a part is the same again, each with the settings at which that holds."""

_AT_SETTINGS = ("lossless_when", "real_when", "kramers_kronig_when")


def check_claims(model: Any) -> None:
    """Raise ParameterError for a claim about a setting or a port that the component does not have."""
    claims: list[tuple[str, Mapping[str, Any]]] = [(c, getattr(model, c, None) or {}) for c in _AT_SETTINGS]
    symmetries: Symmetries = getattr(model, "symmetries", {})
    for order, settings in symmetries.items():
        if sorted(order) != sorted(model.ports):
            message = (
                f"Component {model.name!r}: symmetries must list its ports in another order, "
                f"{listing(model.ports)}; got {listing(order)}."
            )
            raise ParameterError(message)
        claims.append(("symmetries", settings))
    for claim, settings in claims:
        for name in settings:
            if name not in model.parameters:
                known = tuple(model.parameters)
                message = (
                    f"Component {model.name!r}: {claim} has the setting {name!r}, which the component does "
                    f"not have.{did_you_mean(name, known)}"
                )
                raise ParameterError(message)
