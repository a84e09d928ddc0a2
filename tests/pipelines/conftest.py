"""The compiled pipeline, as kfp writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.compile_options import CompileOptions
from pipelines.package import write_package

GPU = CompileOptions(
    image="example.org/phytoflow/pipeline:abc123",
    accelerators=2,
    node_selector={"gpu": "a100"},
    tolerations=("nvidia.com/gpu",),
)


def _compiled(folder: Path, **changes: int) -> list[dict[str, Any]]:
    package = write_package(folder / "pipeline.yaml", GPU.model_copy(update=changes))
    return list(yaml.load_all(package.read_text(), yaml.CSafeLoader))


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Its two YAML documents, not to be changed: the pipeline, and what is Kubernetes' own."""
    return _compiled(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="session")
def compiled_in_parts(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The same pipeline with four pods that scan."""
    return _compiled(tmp_path_factory.mktemp("compiled"), parts=4)


@pytest.fixture(scope="session")
def compiled_search(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The pipeline that searches first, with three workers."""
    return _compiled(tmp_path_factory.mktemp("compiled"), workers=3)


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pipeline as a file that names an image."""
    return write_package(
        tmp_path_factory.mktemp("package") / "a pipeline.yaml", CompileOptions(image="registry/pipeline:1")
    )
