"""Waveforms: sequences against the shift registers of ITU-T O.150, and the files that hold samples."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.errors import DataError, NetlistError, ParameterError
from photosim.runner import run
from photosim.timedomain import sequences


@pytest.mark.parametrize(("order", "tap"), [(7, 6), (9, 5), (11, 9), (15, 14), (20, 3), (23, 18)])
def test_every_bit_of_a_sequence_is_that_of_its_shift_register(order: int, tap: int) -> None:
    """A register that starts full of ones, and whose next bit is the sum of two, leaves no bit open."""
    symbols = waveforms.prbs(1e9, order=order).symbols
    assert symbols is not None
    bits = symbols[1].astype(np.int64)
    assert bits.size == 2**order - 1
    assert bits[:order].all()
    np.testing.assert_array_equal(bits[order:], bits[:-order] ^ bits[order - tap : -tap])
    # One period has every state but zero: one more 1 than 0.
    assert bits.sum() == 2 ** (order - 1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_waveform_is_read_from_a_regular_file_of_bounded_size(tmp_path: Path) -> None:
    pipe, sparse, empty = tmp_path / "pipe.csv", tmp_path / "sparse.csv", tmp_path / "empty.csv"
    os.mkfifo(pipe)
    with sparse.open("wb") as file:
        file.truncate(waveforms.MAX_FILE_BYTES + 1)
    empty.write_text("", encoding="utf-8")
    refused = {
        pipe: "not a regular file",
        Path("/dev/zero"): "not a regular file",
        sparse: "bytes; a file",
        empty: "two columns",
        tmp_path / "missing.csv": "no such file",
    }
    for path, said in refused.items():
        with pytest.raises(DataError, match=said):
            waveforms.file(path)


NETLIST = """\
settings: {{v: 0.0}}
instances:
  laser: laser
  modulator: {{component: mach_zehnder_modulator, settings: {{voltage: v}}}}
  detector: photodetector
connections: {{"laser,o1": "modulator,o1", "modulator,o2": "detector,o1"}}
analyses:
  - {{kind: transient, name: t, duration: 1e-9, sample_rate: 1e11,
     drive: {{v: {{wave: file, path: {path}}}}}}}
"""


def test_a_waveform_that_a_netlist_names_lies_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    (folder / "drive.csv").write_text("0, 0\n1e-9, 1\n", encoding="utf-8")
    (elsewhere / "drive.csv").write_text("this one is not read", encoding="utf-8")
    inside, outside = folder / "inside.yml", folder / "outside.yml"
    inside.write_text(NETLIST.format(path="drive.csv"), encoding="utf-8")
    outside.write_text(NETLIST.format(path="../elsewhere/drive.csv"), encoding="utf-8")
    run(inside, out=tmp_path / "out")
    with pytest.raises(NetlistError, match=r"outside\.yml:\d+:\d+: .* lies outside the netlist's folder"):
        run(outside, out=tmp_path / "out2")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: waveforms.prbs(1e9, levels=2**60), "2, 4, 8 ... 256 levels"),
        (lambda: waveforms.prbs(1e9, levels=6), "2, 4, 8 ... 256 levels"),
        (lambda: waveforms.constant(1e200).sample(np.arange(9) / 1e9), "finite and at most 1e\\+100 in size"),
    ],
)
def test_extreme_waveforms_are_refused_in_a_sentence(make: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        make()


@pytest.mark.parametrize("rate", [1e-300, 1e12, 1e300])
def test_a_sequence_of_any_rate_is_read_at_once(rate: float) -> None:
    """What is read does not grow with the rate; the longest sequence is made once."""
    wave = waveforms.read_waveform({"wave": "prbs", "rate": rate, "order": 23, "levels": 256})
    assert wave.symbols is not None
    assert wave.symbols[1].size == 2**23 - 1


@pytest.mark.parametrize("light", [{"power": 1e9}, {"field": 1e200 + 0j}, {"field": 1e5}])
def test_light_brighter_than_any_is_refused(light: Any) -> None:
    one = ps.Circuit({"instances": {"g": "straight"}, "ports": {"in": "g,o1", "out": "g,o2"}})
    with pytest.raises(ParameterError, match=r"The power into 'in' rises to .* at most 1e\+06 W"):
        ps.transient(one, 1e-9, sample_rate=1e12, inputs={"in": light}, wl=1.55)


def test_stress_patterns_are_those_of_the_standard() -> None:
    bits = sequences.sequence(13).astype(int)
    twice = np.concatenate([bits, bits])
    later = twice[13:]
    assert np.array_equal(later, twice[12:-1] ^ twice[11:-2] ^ twice[1:-12] ^ twice[:-13])
    rate, heights = waveforms.prbs13q(56e9, low=0.0, high=3.0).symbols or (0.0, np.zeros(0))
    assert (rate, heights.size) == (56e9, 8191)
    # Of pairs of bits in Gray's code every second one of two periods of an odd length.
    first = twice.reshape(-1, 2)
    assert np.array_equal(heights, 2 * first[:, 0] + (first[:, 0] ^ first[:, 1]))
    _, stress = waveforms.ssprq(56e9, low=0.0, high=3.0).symbols or (0.0, np.zeros(0))
    # The digest of the symbols, one byte each, in the file SSPRQ_sequence.csv that IEEE 802.3 publishes.
    digest = hashlib.sha256(np.rint(stress).astype(np.uint8).tobytes()).hexdigest()
    assert digest == "f17f5effb8e68863e5355258186456e1c3b3c48b5519c1a0c46dac855fae3582"
