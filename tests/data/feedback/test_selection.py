"""Which accepted predictions are collected."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from phytoflow.client.gateway.answers import AcceptedPrediction, ModelVersion
from phytoflow.data.feedback.selection import is_folder_name, select


def accepted(id_: str, sha256: str = "", label: str | None = "rust", **changes: object) -> AcceptedPrediction:
    fields: dict[str, object] = {
        "id": id_,
        "created": datetime(2026, 5, 4, 10, 30, tzinfo=UTC),
        "source": "rest",
        "file_name": "a.jpg",
        "prediction": "scab",
        "confidence": 0.75,
        "known": True,
        "novelty": 0.5,
        "top": [],
        "latency_ms": 10.0,
        "model": ModelVersion(name="leaf", version="v1"),
        "request_id": "r",
        "photo_stored": True,
        "review": "accepted",
        "corrected_label": label,
        "user": "u1",
        "photo_sha256": sha256 or id_ * 2,
    }
    return AcceptedPrediction.model_validate(fields | changes)


def test_a_photo_is_collected_once_under_its_first_prediction() -> None:
    selection = select([accepted("2", "same"), accepted("1", "same"), accepted("3", "other")])
    assert [one.accepted.id for one in selection.selected] == ["1", "3"]
    assert selection.skipped == {"2": "the same photo as 1"} and selection.ids == {"1", "2", "3"}


def test_contradicting_classes_of_one_photo_are_not_used() -> None:
    selection = select([accepted("1", "same", "rust"), accepted("2", "same", "scab"), accepted("3")])
    assert [one.accepted.id for one in selection.selected] == ["3"]
    assert set(selection.skipped) == {"1", "2"} and "several classes" in selection.skipped["1"]


@pytest.mark.parametrize(
    "label", ["", ".hidden", "..", "a/b", "a\\b", " rust", "a\nb", "x" * 256, "__MACOSX", "a:b", "end."]
)
def test_a_label_that_is_no_folder_is_skipped_in_words(label: str) -> None:
    assert not is_folder_name(label)
    assert "cannot be the name of a folder" in select([accepted("1", label=label)]).skipped["1"]


@pytest.mark.parametrize("label", ["rust", "Apfel Schorf", "Löwenzahn", "-1", "NA", "rust (early)", "葉"])
def test_ordinary_labels_are_folders(label: str) -> None:
    assert is_folder_name(label)
