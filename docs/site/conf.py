"""Settings of Sphinx for the site that `python docs/build.py site` assembles and builds."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # docstrings.py is copied beside this file

import docstrings

import photosim

project = "photosim"
author = "The photosim developers"
copyright = "The photosim developers, MIT licence"  # noqa: A001 - Sphinx's name
version = release = photosim.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["build/**"]
nitpicky = False

# Notebooks come with their outputs: docs/build.py runs them before.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
# Links of a page to files of the checkout that are not pages become downloads.
suppress_warnings = ["myst.xref_ambiguous"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80

html_theme = "pydata_sphinx_theme"
html_title = f"photosim {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "header_links_before_dropdown": 10,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "use_edit_page_button": False,
}
# Formulas are drawn by MathJax from its public address when a page is read; the build needs no network.


def setup(app: object) -> None:
    """Let docstrings be read in the form that they have in the source."""
    app.connect("autodoc-process-docstring", docstrings.process)  # type: ignore[attr-defined]
