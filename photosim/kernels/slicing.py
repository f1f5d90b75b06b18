"""Light behind a modulator that pixels drive one after the other."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract", "nsz"})
def modulated(stream: Any, pulse: Any, centre: Any, half: Any, real: Any, imaginary: Any, out: Any) -> None:
    """Fill out[b, n] with the light of image b at sample n, n = pixel times samples plus phase.

    stream: (B, pixels) of the images.  pulse: (before + 1 + after pixels, samples), what one pixel of 1 adds
    to the drive in the pixels around, last first.  centre, half: middle and half width of the range of the
    drive.  real, imaginary: Chebyshev coefficients (D,) of the modulator's answer over that range.
    """
    images, pixels = stream.shape
    around, samples = pulse.shape
    degree = real.size
    for b in range(images):
        for pixel in range(pixels - around + 1):
            for phase in range(samples):
                drive = stream[b, pixel] * pulse[0, phase]
                for k in range(1, around):
                    drive += stream[b, pixel + k] * pulse[k, phase]
                # What is nowhere negative stays so behind a low-pass of one pole.
                x = (max(drive, drive * 0) - centre) / half
                # Clenshaw's recurrence, for both parts at once.
                a1, a2, b1, b2 = x * 0, x * 0, x * 0, x * 0
                for d in range(degree - 1, 0, -1):
                    a1, a2 = 2 * x * a1 - a2 + real[d], a1
                    b1, b2 = 2 * x * b1 - b2 + imaginary[d], b1
                out[b, pixel * samples + phase] = complex(x * a1 - a2 + real[0], x * b1 - b2 + imaginary[0])


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract", "nsz"})
def detected(light: Any, rest: Any, samples: Any, first: Any, out: Any, still: Any) -> None:
    """Fill still[b] with the first power of image b, out[b, first + n] with what sample n adds to it.

    light: (B, samples or more), without rest[b], which all samples of an image share.
    """
    for b in range(rest.size):
        real, imaginary = rest[b].real, rest[b].imag
        before = (light[b, 0].real + real) ** 2 + (light[b, 0].imag + imaginary) ** 2
        still[b] = before
        for n in range(samples):
            x, y = light[b, n].real + real, light[b, n].imag + imaginary
            out[b, first + n] = x * x + y * y - before
