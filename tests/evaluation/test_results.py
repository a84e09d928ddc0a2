import json
from pathlib import Path

import pytest

from phytoflow.errors import DataError, StorageError
from phytoflow.evaluation.results import Metrics, read_metrics
from tests.support.metrics import example_metrics


def test_metrics_survive_being_written(tmp_path: Path) -> None:
    metrics = example_metrics()
    (tmp_path / "metrics.json").write_text(metrics.model_dump_json())
    assert read_metrics(tmp_path) == metrics
    assert metrics.correct == 39


def test_unknown_fields_are_refused(tmp_path: Path) -> None:
    tree = json.loads(example_metrics().model_dump_json()) | {"accurracy": 1}
    (tmp_path / "metrics.json").write_text(json.dumps(tree))
    with pytest.raises(DataError, match="accurracy"):
        read_metrics(tmp_path)


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"metrics\.json"):
        read_metrics(tmp_path)
    (tmp_path / "metrics.json").write_text(example_metrics().model_dump_json()[:-20])
    with pytest.raises(DataError, match=r"metrics\.json"):
        read_metrics(tmp_path)


def test_a_measured_part_is_validated_too() -> None:
    with pytest.raises(ValueError, match="ood"):
        Metrics(**(dict(example_metrics()) | {"ood": {"method": "energy"}}))
