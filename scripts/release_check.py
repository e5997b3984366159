"""Check all that a release is made of, and leave its files in ``dist``: ``just release-check``.

Version and changelog agree; sdist and wheel are built twice with equal bytes, pass ``twine check
--strict``, and are installed into fresh environments where ``cimis demo`` runs; the manual's pages,
bill of materials, citation and workflows hold. With ``--released TAG`` the changelog has to have
the version's section and the tag its number. Checkers that are no part of the lock run by uvx; what
is absent is said, and fails the check with ``--released``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
_EPOCH = "1767225600"
"""Of a tree without git: the first of 2026."""
_TOOLS = {
    "package page": ("--from", "twine", "--with", "readme_renderer[md]"),
    "bill of materials": ("--from", "cyclonedx-bom==7.5.0"),
    # of 2021, and the only one; it needs a module that setuptools has dropped since
    "citation": ("--with", "setuptools<81", "--from", "cffconvert==2.0.0"),
    "workflows": ("--from", "check-jsonschema==0.39.0"),
}

missing: list[str] = []


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(*words: str | Path, cwd: Path = ROOT, **more: str) -> str:
    """Run a command and return what it printed; end with it where it fails."""
    done = subprocess.run(  # noqa: S603 - our own words
        [str(word) for word in words],
        cwd=cwd,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | more,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"failed: {' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout


def uvx(what: str, *words: str | Path) -> bool:
    """Run a checker that is no part of the lock; tell whether it could be run."""
    if shutil.which("uvx") is None:
        missing.append(f"{what}: needs uvx")
        return False
    run("uvx", "--quiet", *_TOOLS[what], *words)
    return True


def check_version(tag: str | None) -> str:
    """Return the one version, after comparing all that name it."""
    text = (ROOT / "cimis/version.py").read_text("utf-8")
    version = re.search(r'__version__ = "([^"]+)"', text)
    assert version is not None
    own = version[1]
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    recipe = re.search(
        r'^ +version: "([^"]+)"$', (ROOT / "recipe/recipe.yaml").read_text("utf-8"), re.MULTILINE
    )
    for name, found in {"CITATION.cff": cited, "recipe/recipe.yaml": recipe}.items():
        if found is None or found[1] != own:
            raise SystemExit(f"{name} names another version than cimis/version.py, {own}")
    if tag is not None:
        changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
        if not re.search(rf"^## \[{re.escape(own)}\] - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE):
            raise SystemExit(f"CHANGELOG.md has no section of {own}")
        if tag != f"v{own}":
            raise SystemExit(f"the tag is {tag}, the version {own}")
    return own


def export(source: Path, target: Path) -> None:
    """Copy what is under version control (or, of a tree without git, all) into a new folder."""
    if not (source / ".git").exists():
        away = shutil.ignore_patterns(".venv*", ".*_cache", "__pycache__", "dist")
        shutil.copytree(source, target, symlinks=True, ignore=away)
        return
    for name in run("git", "ls-files", "-z").split("\0"):
        if name and os.path.lexists(source / name):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name, follow_symlinks=False)


def built(tree: Path, folder: Path, epoch: str) -> dict[str, str]:
    """Build sdist and, of it, the wheel into a folder; return the hash of each."""
    run(
        *(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, tree),
        SOURCE_DATE_EPOCH=epoch,
    )
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


def check_build() -> list[Path]:
    """Build twice, in two places, and compare; put the distributions into ``dist``."""
    epoch = _EPOCH
    if (ROOT / ".git").exists():
        epoch = run("git", "log", "-1", "--format=%ct").strip()
    with tempfile.TemporaryDirectory() as name:
        here, there = Path(name, "here"), Path(name, "elsewhere", "there")
        export(ROOT, here)
        export(here, there)
        one = built(here, Path(name, "one"), epoch)
        two = built(there, Path(name, "two"), epoch)
        if one != two:
            raise SystemExit(f"built twice, the bytes differ: {one} {two}")
        shutil.rmtree(DIST, ignore_errors=True)
        shutil.copytree(Path(name, "one"), DIST)
    for path, digest in one.items():
        say(f"  {digest}  {path}")
    (DIST / "SHA256SUMS").write_text("".join(f"{d}  {p}\n" for p, d in one.items()), "utf-8")
    return [DIST / path for path in one]


def check_installed(package: Path) -> None:
    """Install a distribution into a fresh environment and let it walk its whole way."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        run(sys.executable, "-m", "venv", home / "env")
        python = home / "env/bin/python"
        run(python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", package)
        cimis = home / "env/bin/cimis"
        told = run(cimis, "demo", cwd=home, CIMIS_CONFIG=str(home / "none.toml"))
        if "station,days,eto_mm,rain_mm" not in told:
            raise SystemExit(f"the demo of {package.name} did not end well:\n{told}")
        for page in ("cimis.1", "cimis-query.1"):
            if not (home / "env/share/man/man1" / page).is_file():
                raise SystemExit(f"{package.name} installs no manual page {page}")


def check_manual() -> None:
    """Let the readers of manual pages find no fault in them."""
    pages = sorted((ROOT / "docs/man").glob("*.1"))
    checker = next((name for name in ("mandoc", "man") if shutil.which(name)), None)
    if checker is None:
        missing.append("manual pages: needs mandoc or man")
        return
    form = ("-T", "lint", "-W", "warning") if checker == "mandoc" else ("--warnings", "-l")
    for page in pages:
        run(checker, *form, page)


def main() -> None:
    """Check one after the other, and say what was checked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--released", metavar="TAG", help="the tag of a release that is due now")
    tag = parser.parse_args().released
    say(f"version    {check_version(tag)} in all places")
    packages = check_build()
    say("build      twice, with equal bytes")
    if uvx("package page", "twine", "check", "--strict", *packages):
        say("twine      check --strict, the package's page rendered")
    for package in packages:
        check_installed(package)
        say(f"demo       from {package.name}, in a fresh environment")
    check_manual()
    say("manual     pages without a warning")
    bom = DIST / "cimis.cdx.json"
    lock = ROOT / "requirements.lock"
    if uvx("bill of materials", "cyclonedx-py", "requirements", lock, "--of", "JSON", "-o", bom):
        say(f"materials  {bom.relative_to(ROOT)}, of the lock")
    citation = ROOT / "CITATION.cff"
    if uvx("citation", "cffconvert", "--validate", "-i", citation):
        say("citation   after its schema")
    flows = sorted((ROOT / ".github/workflows").glob("*.yml"))
    schema = ("check-jsonschema", "--builtin-schema", "vendor.github-workflows")
    if uvx("workflows", *schema, *flows):
        say("workflows  after their schema")
    if shutil.which("actionlint"):
        run("actionlint", *flows)
        say("workflows  by actionlint")
    for line in missing:
        say(f"not checked: {line}")
    if missing and tag is not None:
        raise SystemExit("a release needs every check")


if __name__ == "__main__":
    main()
