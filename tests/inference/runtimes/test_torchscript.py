"""TorchScript through torch."""

from pathlib import Path

import numpy as np
import torch

from phytoflow.bundle.bundle import Bundle
from phytoflow.inference.runtimes.torchscript import TorchScriptRuntime
from tests.support.golden import BUNDLE, PHOTOS, answers


def test_a_model_that_returns_logits_alone_has_no_other_outputs(tmp_path: Path) -> None:
    """As bundles of schema 1 do."""
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2)).eval()
    torch.jit.trace(module, torch.zeros(2, 3, 2, 2)).save(str(tmp_path / "model.pt"))  # type: ignore[no-untyped-call]
    runtime, tensor = TorchScriptRuntime(str(tmp_path / "model.pt"), 1, 1), np.ones((3, 3, 2, 2), np.float32)
    outputs = runtime.run(tensor)
    assert outputs.features is None and outputs.evidence is None
    with torch.no_grad():
        np.testing.assert_allclose(outputs.logits, module(torch.from_numpy(tensor)).numpy(), atol=1e-6)


def test_it_sets_the_number_of_threads_for_the_process() -> None:
    bundle = Bundle.load(BUNDLE)
    for threads in (2, 1):
        runtime = TorchScriptRuntime(str(bundle.model_path("torchscript")), threads, 1)
        assert torch.get_num_threads() == threads
    photo = bundle.manifest.preprocessing((PHOTOS / next(iter(answers()["photos"]["onnx"]))).read_bytes())
    outputs = runtime.run(photo[None])
    assert outputs.features is not None and outputs.evidence is not None and outputs.probabilities is None
