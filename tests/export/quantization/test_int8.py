"""int8 is kept if it agrees and is faster, or rejected with a reason; it is checked where it serves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from pydantic import ValidationError

from phytoflow.bundle.bundle import Bundle
from phytoflow.bundle.manifest import Provenance
from phytoflow.bundle.reports import Int8Trial
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import BundleError, ParityError, ServingError
from phytoflow.export.export import export
from phytoflow.export.quantization import int8 as module
from phytoflow.export.quantization.int8 import _rejection_reason
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.predictions import softmax
from phytoflow.models.checkpoint import save_trained
from phytoflow.storage.checksum import file_sha256
from tests.support.make_bundle import pictures, trained_model

LOOSE = ExportSettings(
    int8=True, int8_calibration_photos=16, int8_min_agreement=0.5, int8_max_accuracy_drop=1.0, probe_photos=6
)
Export = Callable[[Path, float], Path]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Export:
    """Exports a small model into a folder; the factor says how much faster int8 must be."""
    folder, trained = tmp_path_factory.mktemp("int8"), trained_model()
    (folder / "model").mkdir()
    save_trained(folder / "model", trained.model, trained.classes, trained.preprocessing, trained.summary)
    for number, photo in enumerate(pictures(90)):
        file = folder / "photos" / photo.label / f"{number:02d}{Path(photo.path).suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(photo.content)
    settings = DataSettings(validation_fraction=0.2)
    prepare(str(folder / "photos"), settings, trained.preprocessing, 0, folder / "dataset")
    provenance = Provenance(data_hash="0", code_version="test", settings={})

    def write(bundle: Path, faster: float) -> Path:
        with pytest.MonkeyPatch.context() as patch:  # on so small a model the speed is a matter of chance
            patch.setattr(module, "_FASTER", faster)
            export(folder / "model", Dataset.open(folder / "dataset"), LOOSE, provenance, bundle)
        return bundle

    return write


@pytest.fixture(scope="module")
def kept(exported: Export, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("kept") / "bundle", float("inf"))


def test_what_is_worth_it_is_a_file_of_the_bundle(kept: Path) -> None:
    manifest = Bundle.load(kept).manifest
    assert manifest.int8 is not None
    assert not manifest.int8.rejection_reason
    assert {trial.runtime for trial in manifest.int8.trials} == {"onnx", "openvino"}
    assert all(trial.agreement > 0.5 and 0 < trial.mean_difference < 0.1 for trial in manifest.int8.trials)
    assert all(trial.known_agreement is not None for trial in manifest.int8.trials)
    assert (kept / manifest.models["int8"].file).stat().st_size == manifest.int8.bytes
    assert (kept / manifest.models["onnx"].file).stat().st_size == manifest.int8.float_bytes


@pytest.mark.parametrize("runtime", ["onnx", "openvino", "auto"])
def test_a_predictor_serves_it_on_request(kept: Path, runtime: str) -> None:
    classifier = Classifier.load(kept, runtime, 1, precision="int8")  # type: ignore[arg-type]
    assert classifier.choice.precision == "int8"
    manifest = classifier.bundle.manifest
    answers = classifier.predict(classifier.bundle.probe_contents()).probabilities
    recorded = np.array([probe.probabilities for probe in manifest.probes])
    assert 1e-4 < np.abs(answers - recorded).max() <= (manifest.models["int8"].tolerance or 0)
    assert "in int8" in classifier.choice.reason
    outputs = classifier.outputs(np.zeros((1, 3, 64, 64), np.float32))
    assert outputs.probabilities is not None  # its file has the post-processing too
    expected = softmax(outputs.logits, manifest.temperature)
    np.testing.assert_allclose(outputs.probabilities, expected, atol=1e-6)
    assert Classifier.load(kept, "onnx", 1).choice.precision == "float32"


def test_auto_compares_it_with_float(kept: Path) -> None:
    tried = {
        str(trial.candidate) for trial in Classifier.load(kept, "onnx", 1, precision="auto").choice.trials
    }
    assert {"onnx", "onnx in int8"} <= tried


def test_a_machine_that_rounds_differently_refuses_it(kept: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(kept, tmp_path / "copy")
    file = copy / "model.int8.onnx"
    model = onnx.load(file)
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.int8 and values.ndim == 4:
            tensor.CopyFrom(numpy_helper.from_array((values // 3).astype(np.int8), tensor.name))
    onnx.save(model, file)
    manifest = json.loads((copy / "bundle.json").read_text())
    manifest["models"]["int8"]["sha256"] = file_sha256(file)
    (copy / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(ParityError, match="onnx in int8: off by"):
        Classifier.load(copy, "onnx", 1, precision="int8")
    assert Classifier.load(copy, "onnx", 1).choice.precision == "float32"


def test_what_is_not_faster_is_rejected_and_the_bundle_says_why(exported: Export, tmp_path: Path) -> None:
    bundle = exported(tmp_path / "bundle", 0.0)
    opened = Bundle.load(bundle)
    assert set(opened.manifest.models) == {"torchscript", "onnx"}
    assert not (bundle / "model.int8.onnx").exists()
    assert opened.manifest.int8 is not None
    assert "it is not faster" in opened.manifest.int8.rejection_reason
    with pytest.raises(BundleError, match="no int8 model; it was rejected: it is not faster"):
        Classifier.load(bundle, "auto", 1, precision="int8")


def test_a_bundle_without_it_says_so(bundle: Path) -> None:
    with pytest.raises(BundleError, match=r"export\.int8 was off"):
        Classifier.load(bundle, "auto", 1, precision="int8")
    with pytest.raises(ServingError, match="torchscript runtime has no int8"):
        Classifier.load(bundle, "torchscript", 1, precision="int8")


def trial(**other: float | None) -> Int8Trial:
    good = {"accuracy": 0.97, "float_accuracy": 0.97, "agreement": 0.995, "known_agreement": 1.0}
    good |= {"max_difference": 0.3, "mean_difference": 0.004, "probe_difference": 0.01}
    return Int8Trial(runtime="onnx", **(good | {"milliseconds": 2.0, "float_milliseconds": 4.0} | other))


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({}, ""),
        ({"known_agreement": None}, ""),
        ({"agreement": 0.9899}, "only 99.0% of photos get the float model's class, not 99.0%"),
        ({"agreement": 0.95}, "only 95.0% of photos"),
        ({"accuracy": 0.959}, "accuracy falls from 97.0% to 95.9%"),
        ({"known_agreement": 0.9}, "only 90.0% of photos are judged known or unknown"),
        ({"probe_difference": None}, "a probe photo changes its class"),
        ({"milliseconds": 3.9}, "it is not faster: 3.90 ms a photo, float 4.00 ms"),
    ],
)
def test_each_limit_rejects(other: dict[str, float | None], reason: str) -> None:
    reason_given = _rejection_reason([trial(**other)], ExportSettings(int8=True))
    assert reason in reason_given
    assert bool(reason_given) == bool(reason)


def test_a_fault_through_one_runtime_is_a_fault() -> None:
    slow = trial(milliseconds=9.0)
    assert not _rejection_reason([trial(), slow], ExportSettings(int8=True))  # the faster one would be taken
    assert "95.0%" in _rejection_reason([trial(), trial(agreement=0.95)], ExportSettings(int8=True))


def test_int8_is_made_from_onnx() -> None:
    with pytest.raises(ValidationError, match="made from onnx"):
        ExportSettings(int8=True, formats=("torchscript",))
