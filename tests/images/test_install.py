"""`images/install`: the lock's packages with their hashes, torch from an index of its builds."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

INSTALL = Path(__file__).resolve().parents[2] / "images" / "install"
UV = Path(sys.executable).with_name("uv")
LOCKED = ("leafcount==1.0", "nvidia-fake==1.0", "torch==2.0", "torchmetrics==1.0", "torchvision==1.0")
BUILDS = ("torch==2.0+cpu", "torchvision==1.0+cpu")


def wheel(folder: Path, name: str, version: str, needs: str = "") -> str:
    """Writes a wheel that holds nothing into a simple index, and gives its hash."""
    module = name.replace("-", "_")
    file = folder / name / f"{module}-{version}-py3-none-any.whl"
    file.parent.mkdir(parents=True, exist_ok=True)
    info = f"{module}-{version}.dist-info"
    needed = f"Requires-Dist: {needs}\n" if needs else ""
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}"
        )
        made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{info}/RECORD", f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    (file.parent / "index.html").write_text(f'<a href="{file.name.replace("+", "%2B")}">{file.name}</a>')
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Two indexes, ``usual`` and ``builds``, and ``lock.txt``; the address of the first two."""
    lock = "# made by make lock\n"
    for line in LOCKED:
        name, version = line.split("==")
        needs = "nvidia-fake" if name == "torch" else ""
        lock += f"{line} \\\n    --hash=sha256:{wheel(tmp_path / 'usual', name, version, needs)}\n"
    for line in BUILDS:
        wheel(tmp_path / "builds", *line.split("=="))
    (tmp_path / "lock.txt").write_text(lock)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def install(folder: Path, address: str, *index: str) -> subprocess.CompletedProcess[str]:
    """Runs the script with a cache of its own."""
    told = {"VENV": str(folder / "venv"), "UV": str(UV), "UV_DEFAULT_INDEX": f"{address}/usual"}
    told |= {"UV_CACHE_DIR": str(folder / "cache"), "UV_NO_CONFIG": "1"}
    command = [str(INSTALL), str(folder / "lock.txt"), *index]
    return subprocess.run(command, env=os.environ | told, capture_output=True, text=True, check=False)


def installed(folder: Path) -> set[str]:
    """Names and versions in the environment."""
    found = (folder / "venv").rglob("*.dist-info")
    return {path.name.removesuffix(".dist-info").replace("_", "-").replace("-", "==", -1) for path in found}


def names(lines: tuple[str, ...]) -> set[str]:
    """As ``installed`` writes them."""
    return {line.replace("-", "==") for line in lines}


def test_without_an_index_everything_is_as_locked(served: str, tmp_path: Path) -> None:
    done = install(tmp_path, served)
    assert done.returncode == 0, done.stderr
    assert installed(tmp_path) == names(LOCKED)


def test_torch_comes_from_its_index_and_nothing_else_does(served: str, tmp_path: Path) -> None:
    done = install(tmp_path, served, f"{served}/builds")
    assert done.returncode == 0, done.stderr
    assert installed(tmp_path) == names((*BUILDS, "leafcount==1.0", "torchmetrics==1.0"))


def test_a_package_that_is_not_the_locked_one_is_refused(served: str, tmp_path: Path) -> None:
    wheel(tmp_path / "usual", "leafcount", "1.0", needs="torch")
    for index in ((), (f"{served}/builds",)):
        done = install(tmp_path, served, *index)
        assert done.returncode != 0 and "leafcount" in done.stderr
