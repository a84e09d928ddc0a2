"""`python -m scripts.console_screenshots LINK PHOTO...`: pictures of the console for docs/images.

LINK is what `phytoflow gateway link` prints. The photos are identified, one of them gets feedback, and every
page is photographed at phone and desktop widths, in light and dark. Some of the pictures stand in the docs.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

PAGES = {
    "history": "/history",
    "review": "/review",
    "trends": "/trends?days=1",
    "model": "/model",
    "system": "/system",
    "account": "/account",
}
_WIDTHS = {"phone": 360, "desktop": 1280}
_COLOURS = 128  # of the palette: the files become four times smaller


def main(
    link: Annotated[str, typer.Argument(help="A one-time link to the console.")],
    photos: Annotated[list[Path], typer.Argument(help="Photos to identify.")],
    output: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("docs/images"),
    only: Annotated[str, typer.Option(help="Names of pictures, with commas; empty: all.")] = "",
) -> None:
    """Takes the pictures."""
    output.mkdir(parents=True, exist_ok=True)
    wanted = set(filter(None, only.split(",")))
    arguments = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        state = _sign_in(browser, link)
        base = "{0.scheme}://{0.netloc}".format(urlsplit(link))
        for scheme in ("light", "dark"):
            for name, width in _WIDTHS.items():
                context = browser.new_context(
                    storage_state=state,
                    color_scheme=scheme,
                    viewport={"width": width, "height": 800},
                )
                _take(context.new_page(), base, photos, output, f"{name}-{scheme}", wanted)
                context.close()
        browser.close()


def _sign_in(browser: Browser, link: str) -> object:
    context = browser.new_context()
    context.new_page().goto(link)
    state = context.storage_state()
    context.close()
    return state


def _take(page: Page, base: str, photos: list[Path], output: Path, kind: str, wanted: set[str]) -> None:
    page.goto(base)
    page.set_input_files("#files", [str(photo) for photo in photos])
    page.locator(".feedback").nth(len(photos) - 1).wait_for()
    for heat in page.locator("[data-heat]").all()[:1]:
        heat.fill("60")
    _save(page, output, f"console-identify-{kind}", wanted)
    page.locator("article").last.locator("button[value=right]").click()
    page.locator(".thanks").wait_for()
    for name, path in PAGES.items():
        page.goto(base + path)
        _save(page, output, f"console-{name}-{kind}", wanted)


def _save(page: Page, output: Path, name: str, wanted: set[str]) -> None:
    if wanted and name not in wanted:
        return
    page.evaluate("document.querySelectorAll('img').forEach(img => { img.loading = 'eager'; })")
    page.wait_for_load_state("networkidle")
    content = page.screenshot(full_page=True)
    picture = Image.open(io.BytesIO(content)).convert("RGB").quantize(_COLOURS)
    picture.save(output / f"{name}.png", optimize=True)


if __name__ == "__main__":
    typer.run(main)
