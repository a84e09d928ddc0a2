"""Bundles whose predictions follow by hand: the class is the colour that the photo has most of.

A conftest makes the fixtures known by importing them.
"""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from phytoflow.bundle.bundle import TRAINING_PHOTOS, Bundle, write_manifest
from phytoflow.bundle.manifest import BundleManifest, ModelFile, ProbePhoto, Provenance
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.storage.checksum import file_sha256

PREPROCESSING = Preprocessing(size=32)
COLOURS = ("red", "green", "blue")
_SCALE = 4.0  # logits are this times the mean of each channel, in -1..1


def jpeg(colour: tuple[int, int, int], seed: int = 0) -> bytes:
    noise = np.random.default_rng(seed).integers(-20, 21, (48, 48, 3))
    pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


SHADES = {"red": (200, 60, 60), "green": (60, 200, 60), "blue": (60, 60, 200)}


@pytest.fixture(scope="session")
def colour_photo() -> Callable[..., LabelledPhoto]:
    """A photo of one colour, labelled as said (rightly or not)."""

    def photo(colour: str, number: int, *, label: str = "", group: str = "") -> LabelledPhoto:
        label = label or colour
        path = f"{label}/{colour}-{number}.jpg"
        return LabelledPhoto(path, label, group or path, jpeg(SHADES[colour], number))

    return photo


@pytest.fixture(scope="session")
def colour_bundle() -> Callable[..., Path]:
    """Writes a bundle; ``confused`` swaps two colours, ``names`` are the classes' names instead of them."""

    def write(
        folder: Path,
        classes: Sequence[str] = COLOURS,
        confused: tuple[str, str] | None = None,
        trained_on: Sequence[str] = (),
        names: Sequence[str] = (),
    ) -> Path:
        folder.mkdir(parents=True)
        weights = np.eye(3, dtype=np.float32)[:, [COLOURS.index(name) for name in classes]] * _SCALE
        if confused:
            one, two = (list(classes).index(name) for name in confused)
            weights[:, [one, two]] = weights[:, [two, one]]
        onnx.save(_model(weights), folder / "model.onnx")
        _finish(folder, tuple(classes), weights, trained_on)
        if names:
            manifest = Bundle.load(folder).manifest
            probe = manifest.probes[0].model_copy(update={"label": names[0]})
            renamed = {"classes": tuple(names), "probes": (probe,)}
            write_manifest(folder, manifest.model_copy(update=renamed))
        return folder

    return write


def _model(weights: np.ndarray) -> onnx.ModelProto:
    nodes = [
        helper.make_node("GlobalAveragePool", ["input"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
        helper.make_node("MatMul", ["features", "weights"], ["logits"]),
    ]
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, 32, 32])
    asked = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", weights.shape[1]])
    graph = helper.make_graph(
        nodes, "colours", [given], [asked], [numpy_helper.from_array(weights, "weights")]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _finish(folder: Path, classes: tuple[str, ...], weights: np.ndarray, trained_on: Sequence[str]) -> None:
    probe = jpeg(SHADES[classes[0]])
    (folder / "probes").mkdir()
    (folder / "probes/0.jpg").write_bytes(probe)
    (folder / TRAINING_PHOTOS).write_text("".join(f"{digest}\n" for digest in trained_on))
    logits = PREPROCESSING(probe).mean(axis=(1, 2)) @ weights
    answer = np.exp(logits - logits.max())
    file = ModelFile(
        file="model.onnx",
        sha256=file_sha256(folder / "model.onnx"),
        bytes=(folder / "model.onnx").stat().st_size,
        max_probability_difference=1e-7,
        top1_agreement=1.0,
        photos_compared=8,
    )
    manifest = BundleManifest(
        name="colours",
        classes=classes,
        backbone="mean colour",
        head="linear",
        parameters=9,
        preprocessing=PREPROCESSING,
        models={"onnx": file},
        probes=(
            ProbePhoto(file="probes/0.jpg", label=classes[0], probabilities=tuple(answer / answer.sum())),
        ),
        provenance=Provenance(data_hash="d" * 64, code_version="0.1.0", settings={"seed": 1}, run_id="r1"),
    )
    write_manifest(folder, manifest)
