"""Browsers, signed in by the one-time link."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from serving.gateway.auth.local_issuer import LocalIssuer
from tests.support.services.gateway import RunningGateway

ALL = "predict feedback review admin"


def sign_in_link(gateway: RunningGateway, user: str, scopes: str = ALL) -> str:
    code = LocalIssuer.open(gateway.directory).one_time_code(user, scopes.split())
    return f"{gateway.url}/sign-in/link?code={code}"


@contextmanager
def browse(gateway: RunningGateway, user: str, scopes: str = ALL) -> Iterator[httpx.Client]:
    """A browser without scripts: cookies, redirects, pages."""
    headers = {"Accept": "text/html"}
    with httpx.Client(base_url=gateway.url, headers=headers, follow_redirects=True, timeout=30) as client:
        assert client.get(sign_in_link(gateway, user, scopes)).status_code == 200
        yield client


def csrf_of(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page.text)
    assert found, page.text
    return found[1]


@pytest.fixture
def eva(gateway: RunningGateway) -> Iterator[httpx.Client]:
    """An agronomist without scripts."""
    with browse(gateway, "eva", "predict feedback") as client:
        yield client


# Of a module: while it is open an event loop runs in this thread, and tests with a loop of their own fail.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; skips if there is none."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on PATH (Debian: apt-get install chromium)")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


def open_context(
    chromium: Browser, gateway: RunningGateway, user: str, **options: object
) -> tuple[BrowserContext, list[str]]:
    """A signed-in browser, and the requests it sends to other origins."""
    context = chromium.new_context(**options)  # type: ignore[arg-type]
    elsewhere: list[str] = []

    def note(url: str) -> None:
        if not url.startswith((gateway.url, "data:", "blob:")):
            elsewhere.append(url)

    context.on("request", lambda request: note(request.url))
    page = context.new_page()
    page.goto(sign_in_link(gateway, user))
    page.close()
    return context, elsewhere
