"""The pipeline's dataset, made by KFP's local runner: four parts give the bytes of one."""

import hashlib
from pathlib import Path

import pytest
from kfp import dsl, local

from components.configure import configure
from pipelines.compile_options import CompileOptions
from pipelines.stages import make_dataset
from tests.support.photo_folder import encoded, make_folder, picture, write

ROOT = Path(__file__).resolve().parents[2]
OVERRIDES = "data: {shard_bytes: 20000}\nserving: {publish: false}"


def dataset_of(parts: int, data: Path, output: Path) -> dict[str, str]:
    """Digest of each file of the dataset.

    In a loop, KFP's local runner replaces outputs of other tasks by the item of the loop (kfp 2.17). The plan
    is therefore made first and given to the pipeline.
    """

    @dsl.pipeline
    def make(data: str, data_version: str, code_version: str, for_preprocess: str) -> None:
        plan = {"data_version": data_version, "code_version": code_version, "for_preprocess": for_preprocess}
        make_dataset(data, plan, CompileOptions(parts=parts, retries=False))

    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(output), enable_caching=True)
    plan = configure(
        data=str(data), preset="default", seed=1, overrides=OVERRIDES, output=str(output)
    ).outputs
    names = ("data_version", "code_version", "for_preprocess")
    make(data=str(data), **{name: plan[name] for name in names})
    (summary,) = output.rglob("dataset.json")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in summary.parent.iterdir()}


def test_four_parts_give_the_dataset_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    photos = make_folder(tmp_path / "photos", {"rust": 20, "healthy": 25})
    write(photos / "rust" / "near.png", encoded(picture(1003), "PNG"))
    one = dataset_of(1, photos, tmp_path / "one")
    assert "train-000000.tar" in one
    assert dataset_of(4, photos, tmp_path / "four") == one
    scans = list((tmp_path / "four").rglob("rows"))
    assert len(scans) == 4
