"""How Sphinx makes the site: of the pages as they are read in the repository, and of what is generated.

``make site`` builds it into ``build/site``; every warning is an error. The source is the whole
repository, so that links between pages hold in both places. With ``SPIKEPROOF_LOG`` set, seconds and
certificates of that proof log stand in the status pages.
"""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pages
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "spikeproof"
release = version_of("spikeproof")
author = copyright = "the spikeproof authors"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/site/index"
include_patterns = ["*.md", "docs/**", "benchmarks/results/*.md"]
exclude_patterns = ["docs/images"]
suppress_warnings = ["myst.header"]  # pages begin with the heading that suits them where they are read

myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath"]

autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"spikeproof {release}"
html_static_path = ["static"]
html_css_files = ["tables.css"]
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"


def setup(app: Sphinx) -> None:
    """Pages are generated before any is read; a picture in Mermaid is shown as its text."""
    app.connect("builder-inited", lambda built: pages.write(Path(built.srcdir) / "docs/site/generated"))
    app.add_lexer("mermaid", TextLexer)
