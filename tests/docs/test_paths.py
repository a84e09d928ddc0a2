"""Files and folders of the project that pages name are there."""

import re
from pathlib import Path

import pytest

from tests.support.documents import ROOT, pages

_PATH = re.compile(
    r"`((?:phytoflow|serving|pipelines|components|manifests|kustomize|tests|scripts|images|notebooks|benchmarks|docs"
    r"|\.github)/[\w./-]+)`"
)
_PREDICTOR = re.compile(r"`((?:transport|protocol|inputs|engine|batching|observability)/[\w./-]+\.py)`")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_named_files_are_there(page: Path) -> None:
    for name in _PATH.findall(page.read_text()):
        assert (ROOT / name).exists(), f"{page.relative_to(ROOT)}: {name}"


def test_the_architecture_names_files_that_exist_somewhere() -> None:
    text = (ROOT / "docs" / "explanation" / "architecture.md").read_text()
    files = {
        path.name for room in ("phytoflow", "serving", "pipelines") for path in (ROOT / room).rglob("*.py")
    }
    named = set(re.findall(r"`(\w+\.py)`", text))
    assert len(named) > 10 and named - files == set()


def test_the_architecture_names_files_of_the_predictor() -> None:
    names = _PREDICTOR.findall((ROOT / "docs" / "explanation" / "architecture.md").read_text())
    assert len(names) > 10
    for name in names:
        assert (ROOT / "serving" / "predictor" / name).exists(), name
