"""Which notebooks run: those whose packages are installed."""

from importlib.util import find_spec

NEEDED = {
    "photonic_layer_in_pytorch.ipynb": ("torch",),
    "the_same_on_a_cluster.ipynb": ("distributed", "zarr"),
}
MISSING = {name: [own for own in needed if not find_spec(own)] for name, needed in NEEDED.items()}
collect_ignore = [name for name, missing in MISSING.items() if missing]


def pytest_report_header() -> list[str]:
    """Say which notebooks are left out."""
    return [f"{name} is skipped: {' and '.join(MISSING[name])} not installed" for name in collect_ignore]
