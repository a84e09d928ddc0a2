"""Vendored files are what they say, and small."""

import hashlib
import re
from pathlib import Path

import httpx

from serving.gateway.console import assets
from tests.support.services.gateway import RunningGateway

STATIC = Path(assets.__file__).with_name("static")


def test_vendored_files_have_the_documented_hash() -> None:
    rows = re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})`", (STATIC / "README.md").read_text(), re.M)
    assert [name for name, _ in rows] == ["htmx.min.js"]
    for name, digest in rows:
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest


def test_the_console_sends_little_script() -> None:
    assert sum(path.stat().st_size for path in STATIC.glob("*.js")) <= 120_000


def test_files_are_kept_by_browsers_and_nothing_else_is_served(gateway: RunningGateway) -> None:
    answer = httpx.get(gateway.url + assets.asset_url("console.css"))
    assert "immutable" in answer.headers["cache-control"] and "--green" in answer.text
    for path in ("/static/README.md", "/static/..%2fview.py", "/static/none.js", "/static/htmx.LICENSE"):
        assert httpx.get(gateway.url + path).status_code == 404
    manifest = httpx.get(f"{gateway.url}/manifest.webmanifest").json()
    for icon in manifest["icons"]:
        assert httpx.get(gateway.url + icon["src"]).status_code == 200


def test_templates_have_no_inline_script_or_style() -> None:
    for template in (STATIC.parent / "templates").glob("*.html"):
        text = template.read_text()
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=", text), template.name
