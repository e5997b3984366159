"""The site is made strictly, hangs together, and needs no host, for its search neither."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from cimis import Store
from cimis.cli.app import COMMANDS
from tests.pages.browsing import chromium
from tests.project.test_documentation import ROOT

LOADING = {
    ("script", "src"),
    ("img", "src"),
    ("link", "href"),
    ("iframe", "src"),
    ("source", "src"),
}
"""What a browser asks for by itself."""


class Page(HTMLParser):
    """What a page links to, what it loads, and which places in it have names."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.names: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in what one tag says."""
        for name, value in attrs:
            if value and name == "id":
                self.names.add(value)
            elif value and (tag, name) == ("a", "href"):
                self.links.append(value)
            elif value and (tag, name) in LOADING:
                self.loaded.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, made as ``just docs`` makes it: a warning is a failure, all of them are told."""
    folder = tmp_path_factory.mktemp("site")
    recipe = (ROOT / "justfile").read_text()
    (flags,) = re.findall(r"sphinx-build\" (.+?) docs build/site", recipe)
    assert {"-W", "--keep-going", "-n"} <= set(flags.split())
    words = [sys.executable, "-m", "sphinx", *flags.split(), "docs", str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


def within(link: str) -> bool:
    return not urlsplit(link).scheme and not urlsplit(link).netloc


def test_every_page_of_docs_is_on_the_site_and_in_its_list(
    pages: dict[Path, Page], site: Path
) -> None:
    wanted = {
        path.relative_to(ROOT / "docs").with_suffix(".html") for path in ROOT.glob("docs/**/*.md")
    }
    assert wanted <= {path.relative_to(site) for path in pages}
    listed = {urlsplit(link).path for link in pages[site / "index.html"].links}
    assert {path.as_posix() for path in wanted - {Path("index.html")}} <= listed


def test_every_link_within_the_site_leads_to_a_place_that_exists(pages: dict[Path, Page]) -> None:
    wrong = []
    for path, page in pages.items():
        for link in filter(within, page.links):
            parts = urlsplit(link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target in pages:
                found = not parts.fragment or unquote(parts.fragment) in pages[target].names
            else:
                found = target.is_file()
            if not found and parts.fragment != "":
                wrong.append(f"{path.name}: {link}")
    assert not wrong


def test_nothing_is_loaded_from_a_host(pages: dict[Path, Page], site: Path) -> None:
    loaded = {link for page in pages.values() for link in page.loaded}
    assert loaded
    assert not [link for link in loaded if not within(link) and not link.startswith("data:")]
    sheets = {path: path.read_text("utf-8") for path in site.rglob("*.css")}
    assert sheets
    pattern = re.compile(r"(?:@import\s+|url\()\s*['\"]?(?:https?:)?//")
    assert not [path.name for path, text in sheets.items() if pattern.search(text)]


def test_every_command_and_every_public_method_has_its_place(pages: dict[Path, Page]) -> None:
    names = {name for page in pages.values() for name in page.names}
    assert {f"cimis-{command}" for command in COMMANDS} <= names
    methods = {name for name in dir(Store) if not name.startswith("_")} - {"engine", "mirrors"}
    assert {f"cimis.Store.{name}" for name in methods} <= names
    public = [name for name in __import__("cimis").__all__ if not name.startswith("_")]
    assert {f"cimis.{name}" for name in public} <= names


def test_the_search_works_from_the_disk_and_asks_no_host(site: Path) -> None:
    asked: list[str] = []
    with chromium() as browser:
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{(site / 'search.html').as_uri()}?q=provisional")
        page.wait_for_selector("#search-results li a")
        found = page.eval_on_selector_all("#search-results li a", "all => all.map(a => a.href)")
    assert any("concepts/provisional.html" in link for link in found)
    assert {urlsplit(link).scheme for link in asked} == {"file"}
