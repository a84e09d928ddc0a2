"""The site is built strictly, is complete and loads nothing from other hosts."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from tests.support.documents import ROOT, pages

ZENSICAL = Path(sys.executable).with_name("zensical")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`[^`\n]+`")
_LOADED = re.compile(r"<(?:script|link|img|iframe)[^>]*?(?:src|href)=[\"']?(https?:)?//", re.IGNORECASE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    command = [str(ZENSICAL), "build", "--strict"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build" / "site"


def test_every_page_of_the_navigation_is_built(site: Path) -> None:
    config = (ROOT / "mkdocs.yml").read_text()
    listed = re.findall(r": ([\w/-]+\.md)$", config, re.MULTILINE)
    assert len(listed) > 20
    for name in listed:
        page = name.removesuffix(".md").removesuffix("README").removesuffix("index").rstrip("/")
        assert (site / page / "index.html").exists(), name


def test_every_page_is_in_the_navigation() -> None:
    config = (ROOT / "mkdocs.yml").read_text()
    for page in sorted((ROOT / "docs").rglob("*.md")):
        name = page.relative_to(ROOT / "docs").as_posix()
        assert f" {name}\n" in config or re.match(r"decisions/(\d{4}|draft)-", name), f"{name} is in no menu"


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    html = list(site.rglob("*.html"))
    assert len(html) > 50
    for page in html:
        assert not (found := _LOADED.search(page.read_text())), f"{page.relative_to(site)}: {found}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(https?:)?//|@import", sheet.read_text()), sheet


def test_links_and_pictures_lead_somewhere() -> None:
    """Zensical checks links between pages; these are also pictures, and links of README.md to anything."""
    for page in [*pages(), *sorted((ROOT / "docs" / "decisions").glob("*.md"))]:
        for target in _LINK.findall(_CODE.sub("", page.read_text())):
            parts = urlsplit(target)
            if not parts.scheme and parts.path:
                assert (page.parent / unquote(parts.path)).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_the_configuration_is_read_by_both_tools() -> None:
    """Plain YAML without tags of one tool, and no plugin but those that each of them has built in."""
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    assert config["theme"]["font"] is False and "plugins" not in config
