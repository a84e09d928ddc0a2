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


@pytest.fixture
def compiled(tmp_path: Path) -> list[dict[str, Any]]:
    """Its two YAML documents: the pipeline, and what is Kubernetes' own."""
    write_package(tmp_path / "pipeline.yaml", GPU)
    return list(yaml.safe_load_all((tmp_path / "pipeline.yaml").read_text()))


@pytest.fixture
def compiled_in_parts(tmp_path: Path) -> list[dict[str, Any]]:
    """The same pipeline with four pods that scan."""
    write_package(tmp_path / "parts.yaml", GPU.model_copy(update={"parts": 4}))
    return list(yaml.safe_load_all((tmp_path / "parts.yaml").read_text()))
