"""Static files: style sheet, scripts, icons, the web manifest. Their URLs carry a hash of the content."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Response

from phytoflow.html import page, palette

router = APIRouter(include_in_schema=False)
_FOLDER = Path(__file__).with_name("static")
_STYLE = "console.css"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}


@cache
def asset(name: str) -> bytes | None:
    """A static file's content; None if there is none of that name."""
    path = _FOLDER / name
    if path.suffix not in _TYPES or path.parent != _FOLDER or not path.is_file():
        return None
    content = path.read_bytes()
    if name == _STYLE:  # the pages of runs and the console share one palette and one style sheet
        shared = palette.css_variables() + Path(page.__file__).with_name("style.css").read_text()
        content = shared.encode() + content
    return content


@cache
def asset_url(name: str) -> str:
    """URL of a static file; another one once its content changes."""
    content = asset(name)
    if content is None:
        raise FileNotFoundError(name)
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """A static file."""
    content = asset(name)
    if content is None:
        raise HTTPException(404, "there is no such file")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(content, headers=headers, media_type=_TYPES[Path(name).suffix])


@router.get("/manifest.webmanifest")
async def manifest() -> Response:
    """The web manifest: the console can be installed on a phone."""
    return Response(asset("manifest.webmanifest"), media_type=_TYPES[".webmanifest"])


@router.get("/favicon.ico")
async def favicon() -> Response:
    """The icon."""
    return Response(asset("icon-192.png"), media_type="image/png")
