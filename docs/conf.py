"""How Sphinx makes the site of these pages: strictly, with nothing loaded from elsewhere."""

from __future__ import annotations

import re

from docutils.nodes import Element
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

from cimis.version import __version__

project = "cimis"
author = "the authors of cimis"
release = version = __version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
highlight_language = "none"
myst_heading_anchors = 4

html_theme = "furo"
html_title = "cimis"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_search_summary = False  # would read pages by requests, which a browser refuses to file://

nitpicky = True
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90
autodoc_class_signature = "separated"  # results are given, not made
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_param = False  # types of docstrings are words, those of signatures are links
napoleon_use_rtype = False

nitpick_ignore_regex = [("py:class", r"(?!cimis\.).*")]
"""Types of other packages, and words for types in docstrings: all other names must be known."""

_INTERNAL = """\
cimis.health.finding.Finding cimis.health.finding.Mark
cimis.pages.page.Page cimis.pipeline.care.verify.Finding cimis.pipeline.chunks.footer.Footer
cimis.pipeline.chunks.given.table.ArrowStream cimis.pipeline.chunks.key.ChunkKey
cimis.pipeline.decode.allocs.AllocReport cimis.pipeline.errors._RequestError
cimis.pipeline.fetch.window.Fetched cimis.pipeline.service.timings.Timings
cimis.queries.answers.wish.Wish cimis.queries.export.models.Site cimis.queries.quality.FlagPolicy
"""
nitpick_ignore = [("py:class", name) for name in _INTERNAL.split()]
"""Types that results hold for their own use."""


def known_by_its_last_word(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: Element
) -> Element | None:
    """Lead a type that a signature names alone (``Lacks``) to the one place that describes it."""
    if node.get("refdomain") != "py":
        return None
    wanted = str(node["reftarget"]).rpartition(".")[2]
    if not wanted[:1].isupper():  # a function's name alone says too little
        return None
    homes = env.domains["py"].objects  # type: ignore[attr-defined] # the Python domain has them
    entries = [entry for name, entry in homes.items() if name.rpartition(".")[2] == wanted]
    found = {(entry.docname, entry.node_id) for entry in entries}
    if len(found) != 1:
        return None
    ((page, anchor),) = found
    return make_refnode(app.builder, str(node["refdoc"]), page, anchor, content)


def with_other_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    """List on the start page the tutorials that there are, and at the end what it does not name."""
    if docname != "index":
        return
    pages = sorted(app.env.found_docs - {"index"})
    tutorials = [page for page in pages if page.startswith("tutorials/")]
    named = {*re.findall(r"^(?:.*<)?([\w/-]+)>?$", source[0], re.MULTILINE), *tutorials}
    rest = [page for page in pages if page not in named]
    text = source[0].replace("(tutorials)", "\n".join(tutorials))
    source[0] = text.replace("(the rest)", "\n".join(rest))


def setup(app: Sphinx) -> None:
    """Join what is made here with Sphinx's run."""
    app.connect("source-read", with_other_pages)
    app.connect("missing-reference", known_by_its_last_word)
