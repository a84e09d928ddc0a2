"""A bundle small enough to write by hand: the registry reads its manifest and copies its files."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.bundle.bundle import write_manifest
from phytoflow.bundle.manifest import BundleManifest, ModelFile, ProbePhoto, Provenance
from phytoflow.data.images.preprocessing import Preprocessing


@pytest.fixture(scope="session")
def write_bundle() -> Callable[..., Path]:
    def write(folder: Path, model: bytes = b"weights", run_id: str = "") -> Path:
        folder.mkdir(parents=True)
        (folder / "model.onnx").write_bytes(model)
        sha256 = hashlib.sha256(model).hexdigest()
        file = ModelFile(
            file="model.onnx",
            sha256=sha256,
            bytes=len(model),
            max_probability_difference=0.0,
            top1_agreement=1.0,
            photos_compared=1,
        )
        manifest = BundleManifest(
            name="leaf",
            classes=("healthy", "scab"),
            backbone="tf_efficientnet_lite0",
            head="linear",
            parameters=1,
            preprocessing=Preprocessing(),
            models={"onnx": file},
            probes=(ProbePhoto(file="probes/0.jpg", label="scab", probabilities=(0.1, 0.9)),),
            provenance=Provenance(data_hash="d" * 12, code_version="0", settings={}, run_id=run_id),
        )
        write_manifest(folder, manifest)
        return folder

    return write
