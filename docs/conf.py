"""The documentation site: ``make docs``, or ``sphinx-build -W -n --keep-going docs build/site``. Nothing is fetched."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

import coopgym  # noqa: E402

project, author, copyright = "coopgym", "The coopgym developers", "The coopgym developers, MIT licence"
version = release = coopgym.__version__

extensions = [
    "myst_parser", "sphinx_copybutton", "sphinx.ext.autodoc", "sphinx.ext.napoleon",
    "chapters", "commands", "learners", "mathml", "measures", "outside", "prose",  # docs/_ext
]  # fmt: skip
source_suffix = {".md": "markdown"}
exclude_patterns = ["_ext", "*.py"]

html_theme = "furo"
html_title = f"coopgym {release}"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0072B2", "color-brand-content": "#0072B2"},
    "dark_css_variables": {"color-brand-primary": "#56B4E9", "color-brand-content": "#56B4E9"},
    "top_of_page_buttons": [],
}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
copybutton_exclude = ".linenos, .gp, .go"

myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

autodoc_member_order = "bysource"
napoleon_numpy_docstring = False  # new docstrings are in Google style
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100

# Links to other projects' pages are made where their inventories may be fetched: COOPGYM_DOCS_LINKS=1 make docs.
if os.environ.get("COOPGYM_DOCS_LINKS"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "gymnasium": ("https://gymnasium.farama.org/", None),
        "numpy": ("https://numpy.org/doc/stable/", None),
        "pettingzoo": ("https://pettingzoo.farama.org/", None),
        "python": ("https://docs.python.org/3/", None),
        "torch": ("https://docs.pytorch.org/docs/stable/", None),
    }

nitpicky = True
# Types in signatures that no page here is about. Links and names that a page gives itself are never excused.
nitpick_ignore_regex = [
    ("py:class", r"(?!coopgym\.).*"),  # of other projects, whose inventories are not fetched, and aliases of the source
    ("py:exc", r"(?!coopgym\.).*"),  # in "Raises": Python's own, and those that are named without their module
    ("py:class", r"coopgym\.algorithms\.(onpolicy|offpolicy|rollout|seating|registry)\..*"),  # parts of learners
    ("py:class", r"coopgym\.(envs\.(episode|reward|vector)|integrations\..*)\..*"),  # what only its own room makes
]
