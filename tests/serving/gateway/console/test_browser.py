"""The console in Chromium: what people do, at phone and desktop widths, in light and dark."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.serving.gateway.api.test_predictions import _unique
from tests.serving.gateway.console.conftest import open_context
from tests.support.services.gateway import RunningGateway

PAGES = ("/", "/history", "/review", "/trends", "/model", "/runs", "/drift", "/system", "/account")


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    files = [tmp_path / f"leaf {n}.jpg" for n in range(2)]
    for file in files:
        file.write_bytes(_unique())
    return [str(file) for file in files]


def test_identify_correct_review(chromium: Browser, gateway: RunningGateway, photos: list[str]) -> None:
    """Two photos are answered, one is corrected in one click, and a reviewer accepts it by keyboard."""
    context, elsewhere = open_context(chromium, gateway, "ada", viewport={"width": 390, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(gateway.url)
    page.set_input_files("#files", photos)
    page.locator(".feedback").nth(1).wait_for()
    first = page.locator("article").first
    assert "leaf 1.jpg" in first.inner_text() and "ms" in first.inner_text()
    slider = first.locator("[data-heat]")
    slider.fill("70")
    assert first.locator(".heat").evaluate("heat => heat.style.opacity") == "0.7"
    first.locator("summary", has_text="It is").click()
    first.locator("input[name=other]").fill("powdery mildew")
    first.locator("button[value=label]").click()
    page.wait_for_selector(".thanks")
    assert "powdery mildew" in page.locator(".thanks").inner_text()
    context.close()
    assert not elsewhere and not errors

    reviewing, _ = open_context(chromium, gateway, "rita")
    page = reviewing.new_page()
    digest = hashlib.sha256(Path(photos[1]).read_bytes()).hexdigest()
    _review_until(page, gateway, digest)
    with gateway.client("rita", "review") as client:
        assert digest in client.get("/v1/feedback/accepted").text
    reviewing.close()


def _review_until(page: Page, gateway: RunningGateway, digest: str) -> None:
    with gateway.client("rita", "review") as client:
        for _ in range(50):
            if digest in client.get("/v1/feedback/accepted").text:
                return
            page.goto(f"{gateway.url}/review")
            page.keyboard.press("1")
            with page.expect_navigation():
                page.keyboard.press("a")


def test_drop_and_paste(chromium: Browser, gateway: RunningGateway) -> None:
    context, _ = open_context(chromium, gateway, "pia")
    page = context.new_page()
    page.goto(gateway.url)
    bytes_ = list(_unique())
    events = (("drop", "dataTransfer", "#identify"), ("paste", "clipboardData", "body"))
    for number, (event, holder, target) in enumerate(events):
        page.evaluate(
            """([bytes, event, holder, target]) => {
                const data = new DataTransfer();
                data.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", {type: "image/jpeg"}));
                const happened = new Event(event, {bubbles: true, cancelable: true});
                Object.defineProperty(happened, holder, {value: data});
                document.querySelector(target).dispatchEvent(happened);
            }""",
            [bytes_, event, holder, target],
        )
        page.locator(".feedback").nth(number).wait_for()
    context.close()


def test_a_photo_that_cannot_be_sent_says_so(
    chromium: Browser, gateway: RunningGateway, photos: list[str]
) -> None:
    context, _ = open_context(chromium, gateway, "pia")
    page = context.new_page()
    page.goto(gateway.url)
    page.route("**/identify", lambda route: route.abort())
    page.set_input_files("#files", photos[:1])
    page.wait_for_selector("article.refused")
    assert "could not be sent" in page.locator("article.refused").inner_text()
    context.close()


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits(
    chromium: Browser, gateway: RunningGateway, photos: list[str], width: int, scheme: str
) -> None:
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "bypass_csp": True}
    context, elsewhere = open_context(chromium, gateway, "vera", **options)
    page = context.new_page()
    page.goto(gateway.url)
    page.set_input_files("#files", photos[:1])
    page.wait_for_selector(".feedback")
    _check(page, "identified", width)
    action = page.locator("form[action^='/predictions/']").first.get_attribute("action")
    assert action
    for path in (*PAGES, action.removesuffix("/feedback"), "/nothing"):
        page.goto(gateway.url + path)
        _check(page, path, width)
    context.clear_cookies()
    page.goto(f"{gateway.url}/history")
    assert "/sign-in" in page.url
    _check(page, "/sign-in", width)
    context.close()
    assert not elsewhere


def _check(page: Page, path: str, width: int) -> None:
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == [], path
    assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_api_documentation_works_without_network(chromium: Browser, gateway: RunningGateway) -> None:
    context, elsewhere = open_context(chromium, gateway, "dev")
    page = context.new_page()
    page.goto(f"{gateway.url}/docs")
    page.wait_for_selector(".opblock-post")
    context.close()
    assert not elsewhere
