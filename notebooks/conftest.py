"""Which notebooks run: those whose packages are installed."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["photonic_layer_in_pytorch.ipynb"]


def pytest_report_header() -> list[str]:
    """Say which notebooks are left out."""
    return [f"{name} is skipped: PyTorch is not installed" for name in collect_ignore]
