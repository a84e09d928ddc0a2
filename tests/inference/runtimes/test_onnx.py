"""How ONNX Runtime's threads wait: awake only where a photo has the CPUs to itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.inference.runtimes.onnx import OnnxRuntime


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[onnxruntime.InferenceSession]:
    """Every session that is made from now on."""
    found: list[onnxruntime.InferenceSession] = []
    real = onnxruntime.InferenceSession

    def remember(*arguments: object, **named: object) -> onnxruntime.InferenceSession:
        found.append(real(*arguments, **named))
        return found[-1]

    monkeypatch.setattr(onnxruntime, "InferenceSession", remember)
    return found


def spins(session: onnxruntime.InferenceSession) -> tuple[int, bool]:
    """Threads of a session, and whether they wait awake within a call."""
    options = session.get_session_options()
    awake = options.get_session_config_entry("session.intra_op.allow_spinning") == "1"
    assert options.get_session_config_entry("session.force_spinning_stop") == "1"
    return options.intra_op_num_threads, awake


def test_a_lone_call_has_every_thread_awake_and_concurrent_ones_have_one_each(
    bundle: Path, made: list[onnxruntime.InferenceSession]
) -> None:
    opened = Bundle.load(bundle)
    photo = opened.manifest.preprocessing(opened.probe_contents()[0])[None]
    runtime = OnnxRuntime(str(bundle / opened.manifest.models["onnx"].file), threads=1, concurrency=2)
    concurrent = runtime.run(photo).logits
    assert [spins(session) for session in made] == [(1, False)]
    exclusive = runtime.run(photo, exclusive=True).logits
    assert [spins(session) for session in made] == [(1, False), (2, True)]
    np.testing.assert_allclose(exclusive, concurrent, atol=1e-4)


def test_without_concurrency_there_is_one_session(
    bundle: Path, made: list[onnxruntime.InferenceSession]
) -> None:
    opened = Bundle.load(bundle)
    photo = opened.manifest.preprocessing(opened.probe_contents()[0])[None]
    OnnxRuntime(str(bundle / opened.manifest.models["onnx"].file), threads=2, concurrency=1).run(
        photo, exclusive=True
    )
    assert [spins(session) for session in made] == [(2, False)]
