"""Forms in which other tools write tables: what differs from the usual, and what stays a refusal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photosim import files
from photosim.errors import DataError, ParameterError
from photosim.model import SampledData
from photosim.model.conditioning import condition
from photosim.smatrix import SMatrix

FREQUENCY = np.array([1.9e14, 1.92e14, 1.95e14, 2.0e14])


def block(to: str, source: str, values: np.ndarray, kind: str = "'transmission'", mode: str = "'TE'") -> str:
    rows = "".join(
        f"{f:.17g} {abs(z):.17g} {np.angle(z):.17g}\n" for f, z in zip(FREQUENCY, values, strict=True)
    )
    return f"('{to}',{mode},1,'{source}',1,{kind})\n({len(values)},3)\n{rows}"


def matrix() -> np.ndarray:
    rng = np.random.default_rng(4)
    return 0.3 * (rng.normal(size=(4, 2, 2)) + 1j * rng.normal(size=(4, 2, 2)))


def text(s: np.ndarray, order: tuple[int, ...] = (0, 1), **form: str) -> str:
    kinds = {True: form.get("diagonal", "'transmission'"), False: "'transmission'"}
    mode = form.get("mode", "'TE'")
    return "".join(
        block(f"port {a + 1}", f"port {b + 1}", s[:, a, b], kinds[a == b], mode) for a in order for b in order
    )


@pytest.mark.parametrize("suffix", [".sparam", ".dat"])
@pytest.mark.parametrize(
    "form",
    [{}, {"mode": "TE"}, {"mode": '"TE"'}, {"diagonal": "'ReturnLoss'"}, {"diagonal": "'returnloss'"}],
)
def test_lumerical_forms_are_read(tmp_path: Path, form: dict[str, str], suffix: str) -> None:
    s = matrix()
    for order in ((0, 1), (1, 0)):
        (tmp_path / f"t{suffix}").write_text(text(s, order, **form), encoding="utf-8")
        table = files.read_table(tmp_path / f"t{suffix}")
        assert table.ports == ("o1", "o2")
        np.testing.assert_allclose(table.s, s, atol=1e-15)


def test_ten_ports_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = [10, 2, 1]
    one = np.ones(4, dtype=complex) / 10
    body = "".join(block(f"port {a}", f"port {b}", one * (a + b / 100)) for a in names for b in names)
    (tmp_path / "t.sparam").write_text(body, encoding="utf-8")
    table = files.read_table(tmp_path / "t.sparam")
    assert table.ports == ("o1", "o2", "o10")
    np.testing.assert_allclose(table.s[0, 2, 1], 1.002)


def test_rows_in_any_order_are_sorted_and_a_frequency_given_twice_is_refused(tmp_path: Path) -> None:
    s = matrix()
    lines = text(s).splitlines()
    blocks = [lines[k : k + 6] for k in range(0, len(lines), 6)]
    shuffled = "\n".join("\n".join([*b[:2], b[4], b[2], b[5], b[3]]) for b in blocks)
    (tmp_path / "t.sparam").write_text(shuffled, encoding="utf-8")
    table = files.read_table(tmp_path / "t.sparam")
    assert np.array_equal(table.frequency_Hz, FREQUENCY)
    np.testing.assert_allclose(table.s, s, atol=1e-15)
    twice = "\n".join("\n".join([*b[:5], b[2]]) for b in blocks)
    (tmp_path / "t.sparam").write_text(twice, encoding="utf-8")
    with pytest.raises(DataError, match=r"t\.sparam:6: the frequency 1\.9e\+14 Hz was given before"):
        files.read_table(tmp_path / "t.sparam")


@pytest.mark.parametrize("suffix", [".dat", ".txt"])
def test_columns_come_in_any_order_and_a_frequency_only_once(tmp_path: Path, suffix: str) -> None:
    s = matrix()
    rows = [
        " ".join([f"{f:.17g}", *(f"{abs(z):.17g} {np.angle(z):.17g}" for z in one.ravel())])
        for f, one in zip(FREQUENCY, s, strict=True)
    ]
    path = tmp_path / f"t{suffix}"
    path.write_text("\n".join(rows[k] for k in (2, 0, 3, 1)), encoding="utf-8")
    table = files.read_table(path)
    np.testing.assert_allclose(table.frequency_Hz, FREQUENCY, rtol=0)
    np.testing.assert_allclose(table.s, s, atol=1e-15)
    path.write_text("\n".join([*rows, rows[1]]), encoding="utf-8")
    with pytest.raises(DataError, match=r":5: the frequency 1.92e\+14 Hz stands in line 2 already"):
        files.read_table(path)


def test_columns_without_a_header_under_dat_are_those_of_txt(tmp_path: Path) -> None:
    body = "".join(f"{f:.17g} 0.01 0.1 0.98 {k / 9} 0.98 {k / 9} 0.02 0.3\n" for k, f in enumerate(FREQUENCY))
    for name in ("t.dat", "t.txt"):
        (tmp_path / name).write_text(body, encoding="utf-8")
    assert files.read_table(tmp_path / "t.dat") == files.read_table(tmp_path / "t.txt")


def test_touchstone_may_begin_at_zero_and_be_latin_1(tmp_path: Path) -> None:
    pytest.importorskip("skrf")
    body = "! at 25\u00b0C\n# GHz S RI R 50\n0 0.5 0\n193000 0.25 0.5\n194000 0.5 0\n"
    for encoding in ("latin-1", "utf-8"):
        (tmp_path / "t.s1p").write_text(body, encoding=encoding)
        table = files.read_table(tmp_path / "t.s1p")
        assert table.frequency_Hz.tolist() == [1.93e14, 1.94e14]
        assert table.s[:, 0, 0].tolist() == [0.25 - 0.5j, 0.5]
    (tmp_path / "t.s1p").write_text("# GHz S RI R 50\n0 0.5 0\n", encoding="utf-8")
    with pytest.raises(DataError, match="no frequency but 0 Hz"):
        files.read_table(tmp_path / "t.s1p")


def through(amplitudes: list[float]) -> SampledData:
    s = np.zeros((len(amplitudes), 2, 2), dtype=complex)
    s[:, 0, 1] = s[:, 1, 0] = amplitudes
    return SampledData(np.linspace(1.9e14, 2e14, len(amplitudes)), s, ("o1", "o2"), file="t")


def test_a_harmless_excess_is_clipped_and_a_diverged_solve_is_refused() -> None:
    harmless = condition(through([0.9971, 0.9944, 0.9854, 1.003, 0.982, 0.991]), "passive")
    grid = np.linspace(1.9e14, 2e14, 5001)
    assert np.abs(harmless.interpolant(grid)[:, 0, 1]).max() <= 1.0 + 2e-9
    assert harmless.removed < 0.02
    with pytest.raises(ParameterError, match=r"largest singular value of .* diverged.*simulate it again"):
        condition(through([0.9, 1.2, 40.0, 5900.0, 3.0, 0.9]), "passive")


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6)
TRICKY = [
    "o1", "in", "a_b", "a", "a_a", "_a", "a_", "o2@TE", "1", "o01", "port 2", "x y", "x ", "a,b", "a=b", "!x",
    "#x", "a\0", "\r", "\n", "\u2028", "\ufeffa", "[1]", "'", '"', "",
]  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(
    names=st.lists(st.one_of(NAMES, st.sampled_from(TRICKY)), min_size=1, max_size=3, unique=True),
    modes=st.sampled_from([(), ("TE",), ("TE", "TM")]),
    suffix=st.sampled_from([".sparam", ".dat", ".npz", ".nc", ".csv", ".ts", ".s*p"]),
    points=st.integers(1, 4),
    batch=st.sampled_from([(), (), (2,), (2, 3)]),
)
def test_what_is_written_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
    names: list[str],
    modes: tuple[str, ...],
    suffix: str,
    points: int,
    batch: tuple[int, ...],
) -> None:
    if suffix in {".ts", ".s*p"}:
        pytest.importorskip("skrf", reason="Touchstone files need the extra 'touchstone'")
    ports = tuple(f"{name}@{mode}" for name in names for mode in modes) if modes else tuple(names)
    rng = np.random.default_rng(points)
    shape = (*batch, points, len(ports), len(ports))
    values = np.asarray(rng.normal(size=shape) + 1j * rng.normal(size=shape), dtype=np.complex128)
    result = SMatrix(np.linspace(1.5, 1.6, points), ports, values)
    path = tmp_path_factory.mktemp("written") / f"s{suffix.replace('*', str(len(ports)))}"
    try:
        files.write(path, result)
    except DataError as error:
        whys = ["does not bring the port name"]
        if batch and suffix not in {".npz", ".nc"}:
            whys.append("holds one spectrum")
        assert any(why in str(error) for why in whys)  # noqa: PT017
        assert not path.exists()
        return
    back = files.read(path)
    assert set(back.ports) == set(ports)
    np.testing.assert_allclose(back.wl, result.wl, rtol=1e-15)
    for start in ports:
        for end in ports:
            np.testing.assert_allclose(back[start, end].values, result[start, end].values, atol=1e-13)


@pytest.mark.parametrize("suffix", [".sparam", ".dat", ".npz", ".nc", ".csv", ".ts", ".s4p"])
def test_plain_names_and_modes_are_never_refused(tmp_path: Path, suffix: str) -> None:
    if suffix in {".ts", ".s4p"}:
        pytest.importorskip("skrf", reason="Touchstone files need the extra 'touchstone'")
    for ports in (
        ("o1", "o2", "o3", "o4"),
        ("in", "drop", "add", "through_2"),
        ("a@TE", "a@TM", "b@TE", "b@TM"),
    ):
        values = np.asarray(np.arange(32.0).reshape(2, 4, 4) + 1j, dtype=np.complex128)
        files.write(tmp_path / f"s{suffix}", SMatrix(np.array([1.5, 1.6]), ports, values))
        back = files.read(tmp_path / f"s{suffix}")
        assert back.ports == ports
        np.testing.assert_allclose(back.values, values, atol=1e-13)


def test_modes_of_a_result_come_back(tmp_path: Path) -> None:
    ports = ("o1@TE", "o1@TM", "o2@TE", "o2@TM")
    values = np.asarray(np.arange(32.0).reshape(2, 4, 4) + 1j, dtype=np.complex128)
    for suffix in (".sparam", ".dat"):
        files.write(tmp_path / f"s{suffix}", SMatrix(np.array([1.5, 1.6]), ports, values))
        back = files.read(tmp_path / f"s{suffix}")
        assert back.ports == ports
        np.testing.assert_allclose(back.values, values, atol=1e-13)


@pytest.mark.parametrize("label", ["mode 1", "TE mode 1", "'mode 1'", "TE"])
@pytest.mark.parametrize("kind", ["transmission", "'ReturnLoss'"])
@pytest.mark.parametrize("port", ["port {}", "'port {}'"])
def test_labels_without_quotes_may_have_spaces(tmp_path: Path, label: str, kind: str, port: str) -> None:
    """Lumerical's own label is "mode 1"; without quotes it was not a block's first line."""
    ways = [(1, 1, 0.1), (1, 2, 0.7), (2, 1, 0.8), (2, 2, 0.2)]
    path = tmp_path / "part.dat"
    path.write_text(
        "".join(
            f"({port.format(to)},{label},1,{port.format(source)},1,{kind})\n(2,3)\n"
            f"1.9e14 {size} 0.0\n2.0e14 {size} 0.0\n"
            for to, source, size in ways
        )
    )
    s = files.read(path)
    assert s.ports == ("o1", "o2")
    assert s.values[0] == pytest.approx(np.array([[0.1, 0.7], [0.8, 0.2]]))


@pytest.mark.parametrize(
    ("unit", "factor"), [("Hz", 1.0), ("kHz", 1e3), ("MHZ", 1e6), ("ghz", 1e9), ("THz", 1e12)]
)
@pytest.mark.parametrize("place", ["# {} S RI R 50", "# S RI {} R 50 ! swept in THz", "#{} S RI"])
def test_touchstone_in_any_unit_of_frequency(tmp_path: Path, unit: str, factor: float, place: str) -> None:
    rows = [(193.4e12, 0.5, 0.1), (193.5e12, 0.4, 0.2)]
    text = "\n".join(f"{f / factor!r} {a} {b}" for f, a, b in rows)
    path = tmp_path / "light.s1p"
    path.write_text(f"! of a laboratory in GHz\n{place.format(unit)}\n{text}\n", encoding="utf-8")
    table = files.read_table(path)
    assert np.allclose(table.frequency_Hz, [193.4e12, 193.5e12], rtol=1e-14, atol=0.0)
    assert np.allclose(table.s[:, 0, 0], [0.5 - 0.1j, 0.4 - 0.2j])


def test_another_unit_of_frequency_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "light.s1p"
    path.write_text("! comment\n# PHz S RI R 50\n0.1934 0.5 0.1\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"2.*'phz' is not a unit of frequency; they are Hz, kHz"):
        files.read_table(path)
