"""Files of S-parameters: round trips through every format, the real files, signs, and damage."""

from __future__ import annotations

import builtins
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim import files
from photosim.errors import DataError
from photosim.files import npz
from photosim.model.sampled import SampledData
from photosim.smatrix import SMatrix

REAL = ("ybranch_te1550.sparam", "bdc_te1550.sparam", "dc_halfring_gap100nm_radius10um.dat", "gc_te1550.txt")


def table(ports: tuple[str, ...] = ("o1", "o2", "o3"), points: int = 5) -> SampledData:
    rng = np.random.default_rng(7)
    shape = (points, len(ports), len(ports))
    s = (0.3 * (rng.normal(size=shape) + 1j * rng.normal(size=shape))).astype(np.complex128)
    return SampledData(np.linspace(187.5e12, 199.9e12, points) + 1e3 * rng.random(points), s, ports)


@pytest.mark.parametrize("suffix", [".sparam", ".dat", ".s3p", ".ts", ".npz", ".nc", ".csv"])
@pytest.mark.parametrize("points", [1, 2, 9])
def test_round_trip(tmp_path: Path, suffix: str, points: int) -> None:
    if suffix in {".s3p", ".ts"}:
        pytest.importorskip("skrf", reason="Touchstone files need the extra 'touchstone'")
    first = table(points=points)
    files.write(tmp_path / f"a{suffix}", first)
    again = files.read_table(tmp_path / f"a{suffix}")
    assert again.ports == first.ports
    np.testing.assert_allclose(again.frequency_Hz, first.frequency_Hz, rtol=4e-16)
    np.testing.assert_allclose(again.s, first.s, atol=1e-15)  # magnitude and phase round each number
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("suffix", [".sparam", ".dat", ".ts", ".npz"])
def test_real_files_survive_every_format(siepic: Path, tmp_path: Path, name: str, suffix: str) -> None:
    if suffix == ".ts":
        pytest.importorskip("skrf", reason="Touchstone files need the extra 'touchstone'")
    first = files.read_table(siepic / name)
    files.write(tmp_path / f"a{suffix}", first)
    # Phases of up to a hundred radians keep fourteen digits.
    np.testing.assert_allclose(files.read_table(tmp_path / f"a{suffix}").s, first.s, atol=3e-14)


def test_real_files_hold_what_their_first_lines_say(siepic: Path) -> None:
    splitter = files.read_table(siepic / "ybranch_te1550.sparam")
    assert splitter.ports == ("o1", "o2", "o3")
    assert splitter.modes == ("TE",) * 3
    assert splitter.frequency_Hz[0] == 1.8737e14
    assert splitter.s[0, 0, 0] == pytest.approx(0.0380561 * np.exp(-2.56957j))
    half = files.read_table(siepic / "dc_halfring_gap100nm_radius10um.dat")
    assert (half.ports, half.modes[0], half.s.shape) == (("o1", "o2", "o3", "o4"), "mode 1", (101, 4, 4))
    # Its light leaves at the opposite side: |S31| is 0.95, |S41| 0.3, |S21| almost nothing.
    assert np.abs(half.s[50, :, 0]) == pytest.approx([0.0009, 0.0008, 0.958, 0.28], abs=0.01)
    grating = files.read_table(siepic / "gc_te1550.txt")
    assert grating.frequency_Hz[-1] == 214137470000000.0
    last = [
        0.007851923519814853 * np.exp(1.256586634331008j),
        0.1215476436639323 * np.exp(0.8459962865741367j),
    ]
    assert list(grating.s[-1, 0]) == pytest.approx(last)
    assert np.abs(grating.s[-1, 1, 0]) == pytest.approx(0.08552356427913760)


@pytest.mark.parametrize("name", REAL)
def test_phases_of_real_files_rise_with_frequency(siepic: Path, name: str) -> None:
    # Light arrives later than it enters: the delay of the strongest path is positive, S is not conjugated.
    from photosim.model.unwrapping import delays

    found = files.read_table(siepic / name)
    strongest = np.unravel_index(np.abs(found.s).mean(axis=0).argmax(), found.s.shape[1:])
    assert delays(found.frequency_Hz, found.s)[strongest] > 5e-14


@pytest.mark.parametrize("suffix", [".s3p", ".ts"])
def test_touchstone_has_the_other_sign_of_time(tmp_path: Path, suffix: str) -> None:
    skrf = pytest.importorskip("skrf", reason="Touchstone files need the extra 'touchstone'")
    first = table()
    files.write(tmp_path / f"a{suffix}", first)
    network = skrf.Network(str(tmp_path / f"a{suffix}"))
    np.testing.assert_allclose(network.s, np.conj(first.s), atol=1e-15)
    # Of a guide, scikit-rf sees a phase that falls with frequency, as its own lines have.
    guide = SampledData(
        first.frequency_Hz, np.exp(2j * np.pi * first.frequency_Hz * 1e-15)[:, None, None], ("o1",)
    )
    files.write(tmp_path / "g.s1p", guide)
    assert np.all(np.diff(np.unwrap(np.angle(skrf.Network(str(tmp_path / "g.s1p")).s[:, 0, 0]))) < 0)


def test_touchstone_of_others_in_all_formats(tmp_path: Path) -> None:
    pytest.importorskip("skrf", reason="Touchstone files need the extra 'touchstone'")
    (tmp_path / "a.s2p").write_text(
        "! two ports, S21 before S12\n# THz S MA R 50\n".replace("THz", "GHz")
        + "190000 0.1 0  0.5 -90  0.4 -45  0.2 180\n191000 0.1 0  0.5 -91  0.4 -46  0.2 180\n",
        encoding="utf-8",
    )
    found = files.read_table(tmp_path / "a.s2p")
    assert found.frequency_Hz[0] == pytest.approx(1.9e14)
    assert found.s[0, 1, 0] == pytest.approx(0.5j)
    assert found.s[0, 0, 1] == pytest.approx(0.4 * np.exp(0.25j * np.pi))
    (tmp_path / "b.ts").write_text(
        "[Version] 2.0\n# GHz S DB R 50\n[Number of Ports] 1\n[Number of Frequencies] 1\n"
        "[Network Data]\n190000 -20 30\n[End]\n",
        encoding="utf-8",
    )
    assert files.read_table(tmp_path / "b.ts").s[0, 0, 0] == pytest.approx(0.1 * np.exp(-1j * np.pi / 6))


def test_touchstone_without_its_extra_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "skrf":
            raise ImportError(name)
        return real(name, *rest, **named)

    (tmp_path / "a.s1p").write_text("# Hz S RI R 50\n", encoding="utf-8")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match=r"needs scikit-rf: pip install 'photosim\[touchstone\]'\.$"):
        files.read_table(tmp_path / "a.s1p")
    with pytest.raises(DataError, match=r"pip install 'photosim\[touchstone\]'"):
        files.write(tmp_path / "b.s3p", table())
    assert not (tmp_path / "b.s3p").exists()


def test_a_result_writes_itself_as_touchstone(tmp_path: Path) -> None:
    pytest.importorskip("skrf", reason="Touchstone files need the extra 'touchstone'")
    s = files.smatrix_of(table())
    written = [s.to_touchstone(tmp_path / name) for name in ("a", "b.s3p", "c.ts")]
    assert [path.name for path in written] == ["a.s3p", "b.s3p", "c.ts"]
    for path in written:
        np.testing.assert_allclose(files.read(path).values, s.values, atol=1e-15)
    with pytest.raises(DataError, match=r"suffix '\.csv'; known are \.s3p, \.ts"):
        s.to_touchstone(tmp_path / "d.csv")
    with pytest.raises(DataError, match=r"3 ports make a \.s3p file") as refused:
        s.to_touchstone(tmp_path / "d.s2p")
    with pytest.raises(DataError, match=re.escape(str(refused.value))):
        files.write(tmp_path / "d.s2p", s)
    assert str(refused.value).startswith(f"Cannot write {tmp_path / 'd.s2p'}:")
    assert len(list(tmp_path.iterdir())) == 3


def test_modes_of_one_port_become_ports(tmp_path: Path) -> None:
    ports, modes = ("o1@TE", "o1@TM", "o2@TE", "o2@TM"), ("TE", "TM", "TE", "TM")
    both = SampledData(np.array([1.9e14, 1.91e14]), table(ports, 2).s, ports, modes)
    files.write(tmp_path / "a.dat", both)
    text = (tmp_path / "a.dat").read_text(encoding="utf-8")
    assert '["port 1",""]\n["port 2",""]\n("port 1","TE",1,"port 1",1,"transmission")\n(2,3)\n' in text
    assert '("port 2","TM",2,"port 1",1,"transmission")' in text
    again = files.read_table(tmp_path / "a.dat")
    assert again.ports == both.ports
    assert again.modes == both.modes
    np.testing.assert_allclose(again.s, both.s, atol=1e-15)


def test_results_are_written_as_parts_and_read_as_results(tmp_path: Path) -> None:
    values = np.arange(12).reshape(3, 2, 2) * np.complex128(0.1 + 0.1j)
    s = SMatrix(np.array([1.5, 1.55, 1.6]), ("in", "out"), values)
    files.write(tmp_path / "a.sparam", s)
    again = files.read(tmp_path / "a.sparam")
    np.testing.assert_allclose(again.wl, s.wl, rtol=1e-15)
    np.testing.assert_allclose(again.values, s.values, atol=1e-15)
    assert again.ports == s.ports
    with pytest.raises(DataError, match=r"not a selection; write \.csv"):
        files.write(tmp_path / "b.sparam", s, [("in", "out")])
    batch = SMatrix(s.wl, s.ports, np.stack([s.values, s.values]))
    with pytest.raises(DataError, match=r"holds one spectrum.*shape \(2,\)"):
        files.write(tmp_path / "b.sparam", batch)


ANNOUNCED = """\
[Version] 2.0
# Hz S RI R 50
[Number of Ports] 1
[Number of Frequencies] 2
[Network Data]
1e14 0 0
"""
BLOCK = "('port 1','TE',1,'port 1',1,'transmission')\n(2,3)\n1.9e14 0.5 0.1\n1.91e14 0.5 0.2\n"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.sparam", "", r"a\.sparam:1: the file ends without a block"),
        ("a.sparam", "hello\n", r"a\.sparam:1: a block starts with a line such as"),
        ("a.sparam", BLOCK.replace("(2,3)", "2 3"), r"a\.sparam:2: the size of the block is missing"),
        ("a.sparam", BLOCK.replace("(2,3)", "(2,4)"), r"a\.sparam:2: a block has rows of 3 numbers"),
        ("a.sparam", BLOCK.replace("(2,3)", "(999999999,3)"), r"a\.sparam:2: a block has rows of 3 numbers"),
        ("a.sparam", BLOCK.replace("(2,3)", "(3,3)"), r"a\.sparam:4: the file ends here, within the block"),
        ("a.sparam", BLOCK.replace("0.5 0.2", "0.5"), r"a\.sparam:4: a row holds frequency, magnitude"),
        ("a.sparam", BLOCK.replace("0.5 0.2", "0.5 x"), r"a\.sparam:4: 'x' is not a number"),
        ("a.sparam", BLOCK.replace("0.5 0.2", "nan 1"), r"a\.sparam:4: 'nan' is not finite"),
        ("a.sparam", BLOCK.replace("1.91e14", "1.9e14"), r"a\.sparam:4: the frequency 1\.9e"),
        ("a.sparam", BLOCK.replace("transmission", "noise"), r"a\.sparam:1: a block of 'noise' is not known"),
        ("a.sparam", BLOCK + BLOCK, r"a\.sparam:5: this element was given before, on line 1"),
        ("a.sparam", BLOCK + BLOCK.replace("'port 1'", "'port 2'", 1), r"none from 'port 2' to 'port 1'"),
        ("a.sparam", BLOCK + BLOCK.replace("port 1", "port 2").replace("1.9e", "1.8e"), r":5: the freq"),
        ("a.txt", "1.9e14 1 2\n1.91e14 1\n", r"a\.txt:2: this row has 2 columns, the first has 3"),
        ("a.txt", "1.55 1 2\n", r"a\.txt:1: a row starts with a frequency in Hz, but here with 1\.55"),
        ("a.txt", "\n1.9e14 1 2 3\n", r"a\.txt:2: a table of P ports has 1 \+ 2 P\^2 columns"),
        ("a.txt", "# nothing\n", r"a\.txt:1: the file holds no rows"),
        ("a.s1p", "# Hz S RI R 50\n1.9e14 0.1 abc\n", r"a\.s1p:2: 'abc' is not a number"),
        ("a.s1p", "1.9e14 0.1 0.2\n", r"a\.s1p:1: a Touchstone file has a line such as"),
        ("a.s1p", "# Hz S RI R 50\n1.9e14 0.1\n", r"cannot be read as a Touchstone file"),
        ("a.s1p", "# Hz Z RI R 50\n1.9e14 0.1 0.2\n", r"holds Z parameters; S-parameters alone are read"),
        ("a.s9999p", "# Hz S RI R 50\n", r"announces 9999 ports; the bound is 1000"),
        ("a.ts", "[Version] 2.0\n# Hz S RI R 50\n[Number of Ports] 1000000000\n", r"it announces 1000000000"),
        (
            "a.ts",
            ANNOUNCED,
            r"announces 2 frequencies but holds 1: it may have been cut",
        ),
        ("a.doc", "", r"Cannot read .*a\.doc: known suffixes are"),
    ],
)  # fmt: skip
def test_damage_is_one_sentence_with_file_and_line(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    if name.startswith(("a.s1p", "a.s9", "a.ts")):
        pytest.importorskip("skrf", reason="Touchstone files need the extra 'touchstone'")
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        files.read_table(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_an_archive_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write(tmp_path / "a.npz", table(points=1000))
    monkeypatch.setattr(npz, "MAX_BYTES", 100_000)
    with pytest.raises(DataError, match=r"unpacked it has \d+ bytes; the bound is 100000\.$"):
        files.read_table(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["a.sparam", "a.txt"])
def test_what_is_no_text_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"is not text: byte 0 does not fit"):
        files.read_table(tmp_path / name)


@pytest.mark.parametrize("name", REAL)
def test_real_files_damaged_at_random_are_refused_or_read(siepic: Path, tmp_path: Path, name: str) -> None:
    text = (siepic / name).read_bytes()
    rng = np.random.default_rng(11)
    refused = 0
    for _ in range(40):
        broken = bytearray(text)
        for at in rng.integers(0, len(text), 5):
            broken[at] = rng.integers(32, 127)
        (tmp_path / name).write_bytes(bytes(broken[: rng.integers(1, len(text) + 1)]))
        try:
            files.read_table(tmp_path / name)
        except DataError:
            refused += 1
    assert refused > 20
