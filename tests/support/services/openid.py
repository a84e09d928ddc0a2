"""A real OpenID provider (npm's oidc-provider), and a person who signs in there."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from phytoflow.system.ports import free_port

_SOURCE = Path(__file__).with_name("oidc")


@contextmanager
def openid_provider(folder: Path, redirect_uri: str) -> Iterator[str]:
    """Runs a provider and gives its issuer; skips the test where npm cannot install it."""
    shutil.copytree(_SOURCE, folder, dirs_exist_ok=True)
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("no node and npm on PATH (Debian: apt-get install nodejs npm)")
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot install oidc-provider: {done.stderr.strip().splitlines()[-1:]}")
    port = free_port()
    with (folder / "provider.log").open("wb") as log:
        process = subprocess.Popen(
            [node, "provider.mjs", str(port), redirect_uri], cwd=folder, stdout=log, stderr=log
        )
    try:
        issuer = f"http://127.0.0.1:{port}"
        _await(issuer, process, folder / "provider.log")
        yield issuer
    finally:
        process.kill()
        process.wait(10)


def authorize(client: httpx.Client, url: str, user: str, redirect_uri: str) -> str:
    """Signs a person in at the provider's pages; the address to which the provider sends the browser back.

    Args:
        client: The browser.
        url: The authorization request.
        user: Any name.
        redirect_uri: Where the client is called back.
    """
    for _ in range(12):
        if url.startswith(redirect_uri):
            return url
        page = client.get(url, follow_redirects=False)
        if page.status_code == 200:  # the provider's form: first the sign-in, then the consent
            prompt = re.search(r'name="prompt" value="(\w+)"', page.text)
            assert prompt, page.text
            form = {"prompt": prompt[1], "login": user, "password": "any"}
            page = client.post(_action(page, url), data=form, follow_redirects=False)
        assert page.is_redirect, page.text
        url = str(page.url.join(page.headers["location"]))
    raise AssertionError(f"the provider never sent the browser back: {url}")


def _action(page: httpx.Response, url: str) -> str:
    action = re.search(r'action="([^"]+)"', page.text)
    return str(page.url.join(action[1])) if action else url


def _await(issuer: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        try:
            if httpx.get(f"{issuer}/.well-known/openid-configuration").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
