"""What pyproject.toml cannot say: how an editable install finds the two packages that live outside photosim/.

Everything else is in pyproject.toml. `pip install -e .` puts the checkout itself on the path,
where the links photosim/components and photosim/gallery lead to components/ and netlists/. Python
then prefers the package to an empty folder of the same name: without this, a Python that is
started beside a checkout called photosim would take the checkout for the package. Where links are
plain files (Windows without developer mode), setuptools' own import hook maps the folders instead.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.editable_wheel import editable_wheel

HERE = Path(__file__).parent


class EditableInstall(editable_wheel):
    """An editable install by one path where the two links are links."""

    def finalize_options(self) -> None:
        """Take the checkout for the folder of all packages, if both links lead to one."""
        super().finalize_options()
        if all((HERE / "photosim" / name / "__init__.py").is_file() for name in ("components", "gallery")):
            self.package_dir = {"": "."}


setup(cmdclass={"editable_wheel": EditableInstall})
