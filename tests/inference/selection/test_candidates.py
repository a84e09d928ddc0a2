"""Which runtimes and precisions are compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import BundleError
from phytoflow.inference.selection import candidates as module
from phytoflow.inference.selection.candidates import Candidate, list_candidates
from tests.support.golden import BUNDLE


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "has_gpu", lambda: False)
    monkeypatch.setattr(module, "has_bf16", lambda: False)


def with_int8(bundle: Bundle) -> Bundle:
    models = bundle.manifest.models | {"int8": bundle.manifest.models["onnx"]}
    return Bundle(bundle.path, bundle.manifest.model_copy(update={"models": models}))


def test_light_runtimes_are_compared_and_torch_only_with_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = Bundle.load(BUNDLE)
    assert list_candidates(bundle, None, "float32") == (Candidate("onnx"), Candidate("openvino"))
    monkeypatch.setattr(module, "has_gpu", lambda: True)
    assert Candidate("torchscript") in list_candidates(bundle, None, "float32")


def test_auto_adds_the_precisions_that_are_fast_here_and_in_the_bundle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bundle = Bundle.load(BUNDLE)
    assert list_candidates(bundle, "onnx", "auto") == (Candidate("onnx"),)
    assert list_candidates(with_int8(bundle), "onnx", "auto") == (
        Candidate("onnx"),
        Candidate("onnx", "int8"),
    )
    monkeypatch.setattr(module, "has_bf16", lambda: True)
    assert list_candidates(bundle, None, "auto")[-1] == Candidate("openvino", "bf16")
    assert list_candidates(bundle, "onnx", "auto") == (Candidate("onnx"),)  # only OpenVINO has bf16


def test_int8_is_listed_for_the_runtimes_that_read_it() -> None:
    bundle = Bundle.load(BUNDLE)
    expected = (Candidate("onnx", "int8"), Candidate("openvino", "int8"))
    assert list_candidates(with_int8(bundle), None, "int8") == expected
    with pytest.raises(BundleError, match="it was rejected: it is not faster"):
        list_candidates(bundle, None, "int8")


def test_a_bundle_that_nothing_installed_can_load_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "usable", lambda *_: False)
    with pytest.raises(BundleError, match="no installed runtime") as raised:
        list_candidates(Bundle.load(BUNDLE), None, "float32")
    assert "onnxruntime" in raised.value.remedy


def test_a_candidate_is_written_with_its_precision(tmp_path: Path) -> None:
    assert [str(Candidate("onnx")), str(Candidate("openvino", "bf16"))] == ["onnx", "openvino in bf16"]
