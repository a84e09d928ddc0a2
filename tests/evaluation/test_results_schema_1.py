"""Metrics of bundles made before schema 2; the first file is one that commit 210d6d1 wrote."""

import json
from pathlib import Path

import pytest

from phytoflow.evaluation.results import read_metrics

FILE = Path(__file__).with_name("metrics_schema_1.json")


def test_a_file_of_schema_1_is_read_under_the_new_names(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_bytes(FILE.read_bytes())
    old, new = json.loads(FILE.read_text()), read_metrics(tmp_path)
    assert new.schema_version == 2
    assert new.accuracy == old["accuracy"]
    assert new.confidence_level == old["confidence"]
    assert new.per_class["scab"].f1 == old["per_class"]["scab"]["f1"]
    assert new.calibration is not None and new.selective is not None and new.ood is not None
    assert new.calibration.ece_if_calibrated == old["calibration"]["by_chance"]
    assert new.calibration.ece_if_calibrated_p95 == old["calibration"]["by_chance_most"]
    assert new.calibration.excess_ece == old["calibration"]["beyond_chance"]
    assert new.selective.aurc == old["selective"]["area"]
    assert new.selective.reject_below == old["selective"]["ask_below"]
    assert new.selective.rejection_rate == old["selective"]["asked"]
    assert new.selective.selective_risk == old["selective"]["error_kept"]
    assert new.ood.false_positive_rate == old["open_set"]["refused"]
    assert new.leaks is not None and new.leaks.random.accuracy == old["leaks"]["random"]["accuracy"]
    assert new.background_bias is not None and new.background_bias.border == old["background"]["border"]
    assert new.external is None and new.variants is None and new.cpu_latency_ms is None


def test_parts_that_few_evaluations_have_are_translated_too(tmp_path: Path) -> None:
    old = json.loads(FILE.read_text())
    old["open_set"]["strangers"] = {"photos": 9, "auroc": 0.9, "fpr95": 0.2, "accepted": 0.1}
    old["robustness"] = {
        "photos": 50,
        "clean": 0.9,
        "accuracy": {"blur": [0.9, 0.8, 0.7, 0.6, 0.5]},
        "mean_corruption_error": 0.3,
        "worst_corruption": "blur",
        "worst_class": ["rust", 0.6],
        "worst_group": ["rust", "blur", 0.5],
        "background": None,
    }
    old["ways"] = {"photos": 9, "confidence": 0.9, "tried": []}
    old["field"] = {
        "name": "orchard",
        "photos": 32,
        "groups": 32,
        "trained_on": None,
        "accuracy": 0.8,
        "macro_f1": 0.8,
        "intervals": {"accuracy": [0.7, 0.9]},
        "drops": {"accuracy": {"own": 0.9, "lost": 0.1, "interval": [0.05, 0.15]}},
        "per_class": {"rust": {"photos": 32, "found": 0.8, "own": None}},
        "folders": {"RUST": "rust"},
        "left_out": [],
        "refused": 0.25,
    }
    (tmp_path / "metrics.json").write_text(json.dumps(old))
    new = read_metrics(tmp_path)
    assert new.ood is not None and new.ood.external is not None and new.ood.external.auroc == 0.9
    assert new.robustness is not None
    assert (new.robustness.worst_class.label, new.robustness.worst_group.corruption) == ("rust", "blur")
    assert new.variants is not None and new.variants.confidence_level == 0.9
    assert new.external is not None
    assert new.external.unknown_rate == 0.25
    assert new.external.per_class["rust"].recall == pytest.approx(0.8)
    assert new.external.drops["accuracy"].lost == pytest.approx(0.1)
