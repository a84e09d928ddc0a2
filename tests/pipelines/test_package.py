"""The pipeline as a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from kfp import components

from phytoflow.errors import StorageError
from pipelines.compile_options import CompileOptions
from pipelines.package import submit_command, write_package


@pytest.mark.parametrize(
    ("name", "written"), [("p.yaml", "p.yaml"), ("p.yml", "p.yml"), ("p", "p.yaml"), ("v1.2", "v1.2.yaml")]
)
def test_kfp_loads_what_is_written(name: str, written: str, tmp_path: Path) -> None:
    target = write_package(tmp_path / name, CompileOptions(image="registry/pipeline:1"))
    assert target == tmp_path / written and list(tmp_path.iterdir()) == [target]
    loaded = components.load_component_from_file(str(target))
    assert set(loaded.component_spec.inputs) == {"data", "output", "preset", "seed", "overrides"}


def test_workers_make_it_the_pipeline_that_searches(tmp_path: Path) -> None:
    target = write_package(tmp_path / "p.yaml", CompileOptions(image="registry/pipeline:1", workers=2))
    assert "name: phytoflow-search\n" in target.read_text()
    assert "search" in components.load_component_from_file(str(target)).component_spec.inputs


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("")
    with pytest.raises(StorageError, match="folder is no folder"):
        write_package(tmp_path / "folder" / "p.yaml", CompileOptions())


def test_the_command_quotes_the_file() -> None:
    assert " -f 'a b.yaml' " in submit_command(Path("a b.yaml"))
