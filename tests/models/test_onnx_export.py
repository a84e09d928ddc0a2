"""The tracing exporter."""

import logging
import warnings

import numpy as np
import onnxruntime
import torch

from phytoflow.models.onnx_export import quiet_exporters, trace_onnx


def test_the_content_runs_with_any_batch_size() -> None:
    network = torch.nn.Linear(3, 2).eval()
    content = trace_onnx(network, (torch.zeros(2, 3),), ["inputs"], ["outputs"])
    session = onnxruntime.InferenceSession(content)
    inputs = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    (outputs,) = session.run(None, {"inputs": inputs})
    with torch.no_grad():
        np.testing.assert_allclose(outputs, network(torch.from_numpy(inputs)).numpy(), atol=1e-6)


def test_loggers_are_as_before_even_after_an_error() -> None:
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with quiet_exporters():
                warnings.warn("deprecated", stacklevel=1)
                assert logger.level == logging.ERROR
                raise RuntimeError
        except RuntimeError:
            pass
    assert logger.level == before and caught == []
