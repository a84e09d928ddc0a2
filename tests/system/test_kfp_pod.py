"""The pod of a pipeline's step."""

import pytest

from phytoflow.system.kfp_pod import kfp_pod


def test_only_kubeflow_pipelines_names_the_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KFP_POD_NAME", raising=False)
    assert kfp_pod() == ""
    monkeypatch.setenv("KFP_POD_NAME", "run-7-train")
    assert kfp_pod() == "run-7-train"
