"""What both pipelines share."""

from __future__ import annotations

from typing import Any


def test_both_pipelines_train_and_publish_in_the_same_way(
    compiled: list[dict[str, Any]], compiled_search: list[dict[str, Any]]
) -> None:
    shared = ("train", "export", "evaluate", "gate")
    dags = [
        doc[0]["components"]["comp-exit-handler-1"]["dag"]["tasks"] for doc in (compiled, compiled_search)
    ]
    for name in shared:
        assert dags[0][name] == dags[1][name], name
    producers = [
        dag["train"]["inputs"]["artifacts"]["dataset"]["taskOutputArtifact"]["producerTask"] for dag in dags
    ]
    assert producers == ["preprocess", "preprocess"]
    plans = [
        dag["preprocess"]["inputs"]["parameters"]["settings"]["taskOutputParameter"]["producerTask"]
        for dag in dags
    ]
    assert plans == ["configure", "configure-search"]
