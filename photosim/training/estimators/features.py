"""Random optical features: a medium or any circuit as a transformer of scikit-learn's pipelines."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from photosim.bounds import is_number
from photosim.errors import ParameterError
from photosim.media.modulators import Dmd
from photosim.netlist.forms import INTEGRAL
from photosim.netlist.mappings import read
from photosim.reals import shown
from photosim.training.arrays import FloatArray
from photosim.training.estimators.recipe import drawn_seed, keywords_only
from photosim.training.estimators.samples import read_samples
from photosim.training.hardware.found import Found, Settings, read_hardware

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.media.camera import Camera
    from photosim.media.chain import OpticalChain

ROWS = 1024
"""Samples sent through a medium at a time: what bounds the memory of their frames."""
BRIGHT = 1 / 6
"""Mean reading as a share of the full well that exposure="auto" sets: exp(-6) of speckle grains saturate."""


@dataclass(frozen=True)
class _Bounds:
    """Bounds of the parameters that nothing else checks."""

    n_components: Annotated[int, Field(ge=1), INTEGRAL] | None
    levels: Annotated[int, Field(ge=1, le=256), INTEGRAL]
    noise: Literal["physical"] | None


class PhotonicTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Random optical features: each sample goes through a circuit, and the readings are its features.

    Behind a scattering medium every camera pixel reads |T x|^2 of one random projection, whose kernel is
    known in closed form (saade2016). Weight banks, meshes and other linear circuits hold a random matrix of
    independent normal entries of variance 1/features, and give linear projections. Of a circuit without a
    matrix (fields in, powers out), the output powers are the features.

    Parameters
    ----------
    hardware: netlist (path, or name in the gallery), Circuit or device.
    n_components: number of features; None for all pixels, for as many as a linear circuit has outputs, 100
        where that is not known.
    device: the instance meant; may be left out where the circuit has one bank, mesh or camera.
    levels: mirrors of a DMD are on or off: each number lights as many of `levels` groups of mirrors as it
        exceeds quantiles of the training samples; 1 compares with the median. Cells of an SLM show phases
        of pi times the standardised number over its largest size.
    exposure: of the camera in s; "auto" for a mean reading of 1/6 of the full well; None for the netlist's.
    noise: None, or "physical", that of light and detectors; steps and ends of converters stay.
    random_state: of random matrices and noise; a medium is that of its netlist.

    Attributes:
    ----------
    n_features_in_: number of numbers a sample.  hardware_: what was found, by name and kind.
    counters_: "frames", exposures of a camera so far, and "saturated", readings at the end of its scale.

    Examples:
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> x, y = load_digits(return_X_y=True)
    >>> pipeline = make_pipeline(PhotonicTransformer(hardware="opu", random_state=0), RidgeClassifier())
    >>> pipeline.fit(x[:1000], y[:1000]).score(x[1000:], y[1000:]) > 0.9
    True
    """

    @keywords_only
    def __init__(
        self,
        *,
        hardware: Any = "opu",
        n_components: int | None = None,
        device: str | None = None,
        levels: int = 1,
        exposure: Any = "auto",
        noise: str | None = None,
        random_state: Any = None,
    ) -> None:
        self.hardware = hardware
        self.n_components = n_components
        self.device = device
        self.levels = levels
        self.exposure = exposure
        self.noise = noise
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - as pipelines call it
        """Find the hardware, how numbers are shown, and the exposure, for X (samples, features).

        Raises ValueError for samples that are not finite numbers, ParameterError for wrong parameters and
        for hardware that is too small.
        """
        title = type(self).__name__
        asked = {item.name: getattr(self, item.name) for item in fields(_Bounds)}
        read(_Bounds, asked, title, noun="parameter")
        if self.exposure not in ("auto", None) and not (is_number(self.exposure) and self.exposure > 0):
            message = f"{title}: exposure must be 'auto', None or seconds, got {shown(self.exposure)}."
            raise ParameterError(message)
        x = read_samples(self, X, dtype=np.float64)
        self._rng = np.random.default_rng(drawn_seed(self.random_state))
        found = read_hardware(self.hardware, Settings(device=self.device, noise=self.noise))
        self.hardware_ = f"{found.name} ({found.kind})"
        self.scale_ = StandardScaler().fit(x)
        self.counters_ = {"frames": 0, "saturated": 0}
        self._maker: _Frames | _Product = (
            _Frames.of(self, found, x) if found.kind == "medium" else _Product.of(self, found, x.shape[1])
        )
        self._n_features_out = self._maker.count
        return self

    def transform(self, X: Any) -> FloatArray:
        """Return the features (samples, n_components) of X: readings over the full well, or projections."""
        check_is_fitted(self)
        x = read_samples(self, X, dtype=np.float64, reset=False)
        return self._maker.features(self, x)


@dataclass(frozen=True)
class _Frames:
    """Features as a camera reads them behind a medium.

    edges: numbers above which a group of mirrors is lit, (levels, features); None for an SLM.  largest: the
    largest standardised numbers, whose phase is pi.  places: for each mirror its group, -1 for none.
    """

    chain: OpticalChain
    edges: FloatArray | None
    largest: FloatArray
    places: NDArray[np.int64]
    count: int

    @classmethod
    def of(cls, own: PhotonicTransformer, found: Found, x: FloatArray) -> _Frames:
        if found.circuit is None:
            message = (
                "PhotonicTransformer reads the frames of a camera: give the medium's circuit or its "
                "netlist's name, not a device made of it."
            )
            raise ParameterError(message)
        chain = found.circuit.chain(own.device)
        mirrors, pixels = chain.modulator.pixels, chain.camera.pixels
        binary = isinstance(chain.modulator, Dmd)
        groups = x.shape[1] * (own.levels if binary else 1)
        count = pixels if own.n_components is None else own.n_components
        if groups > mirrors or count > pixels:
            what = f"{groups} groups of mirrors" if groups > mirrors else f"{count} components"
            has = f"{mirrors} mirrors" if groups > mirrors else f"{pixels} pixels"
            message = (
                f"{what[:1].upper()}{what[1:]} are requested, but {found.name!r} has {has}: give a netlist "
                "with more, or fewer levels, features or components."
            )
            raise ParameterError(message)
        shares = np.arange(1, own.levels + 1) / (own.levels + 1)
        scaled = own.scale_.transform(x)
        size = np.abs(scaled).max(axis=0)
        places = np.arange(mirrors) // (mirrors // groups)
        made = cls(
            chain,
            np.quantile(x, shares, axis=0) if binary else None,
            np.where(size > 0, size, 1.0),
            np.where(places < groups, places, -1),
            count,
        )
        return replace(made, chain=replace(chain, camera=made.exposed(own, x)))

    def exposed(self, own: PhotonicTransformer, x: FloatArray) -> Camera:
        """Return the camera as the parameters want it: exposure, and noise or none."""
        camera = self.chain.camera
        if own.exposure == "auto":
            waves = self.chain.fields(self.patterns(own, x[:ROWS]))
            mean = float(np.mean(waves.real**2 + waves.imag**2))
            well = camera.full_well if np.isfinite(camera.full_well) else 1e4
            camera = camera.exposed_for(mean, self.chain.wl, BRIGHT * well) if mean > 0 else camera
        elif own.exposure is not None:
            camera = replace(camera, exposure=float(own.exposure))
        return camera if own.noise else replace(camera, shot=False, read_noise=0.0, dark_rate=0.0)

    def patterns(self, own: PhotonicTransformer, x: FloatArray) -> NDArray[Any]:
        """Return what the modulator shows for samples, (samples, mirrors)."""
        if self.edges is None:
            groups = np.pi * np.clip(own.scale_.transform(x) / self.largest, -1.0, 1.0)
        else:
            groups = (x[:, np.newaxis, :] > self.edges).reshape(len(x), -1).astype(np.float64)
        return np.asarray(np.where(self.places < 0, 0.0, groups[:, self.places]))

    def features(self, own: PhotonicTransformer, x: FloatArray) -> FloatArray:
        """Return readings as shares of the full well, (samples, count)."""
        camera, parts = self.chain.camera, []
        for first in range(0, len(x), ROWS):
            waves = self.chain.fields(self.patterns(own, x[first : first + ROWS]))
            frame = self.chain.expose(waves, own._rng)  # noqa: SLF001 - two halves of one estimator
            own.counters_["frames"] += len(waves)
            own.counters_["saturated"] += frame.saturated
            parts.append(frame.electrons[:, : self.count])
        well = camera.full_well if np.isfinite(camera.full_well) else 1.0
        return np.concatenate(parts).astype(np.float64) / well


@dataclass(frozen=True)
class _Product:
    """Features as hardware other than a medium reads them.

    spare: inputs of the circuit that no number of a sample lights.
    """

    device: Any
    count: int
    spare: int = 0

    @classmethod
    def of(cls, own: PhotonicTransformer, found: Found, width: int) -> _Product:
        if found.carries:
            tile = found.tile
            count = own.n_components or (100 if tile is None else tile[0])
            matrix = own._rng.standard_normal((count, width)) / np.sqrt(width)  # noqa: SLF001
            return cls(found.feedback(matrix, own._rng), count)  # noqa: SLF001
        outputs, inputs = found.device.tile
        asked = outputs if own.n_components is None else own.n_components
        if width > inputs or asked > outputs:
            message = (
                f"{found.name!r} takes {inputs} numbers and gives {outputs} features, but {width} numbers "
                f"and {asked} components are requested: reduce the samples first, with PCA({inputs}) for "
                "instance, or give a larger circuit."
            )
            raise ParameterError(message)
        noisy = found.device.with_noise(own.noise, own._rng) if own.noise else found.device  # noqa: SLF001
        return cls(noisy, asked, inputs - width)

    def features(self, own: PhotonicTransformer, x: FloatArray) -> FloatArray:
        """Return the readings of standardised samples, (samples, count)."""
        sent = np.pad(own.scale_.transform(x), ((0, 0), (0, self.spare)))
        return np.asarray(self.device.apply(sent)[:, : self.count], dtype=np.float64)
