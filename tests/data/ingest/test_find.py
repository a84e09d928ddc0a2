import numpy as np
import pandas as pd

from phytoflow.data.ingest.find import find
from phytoflow.data.ingest.findings import Findings

NONE = np.empty((0, 2), np.int64)


def table_of(labels: list[str], reasons: dict[int, str] | None = None) -> pd.DataFrame:
    table = pd.DataFrame({"label": labels, "misnamed": False, "animated": False, "reason": ""})
    table["path"] = [f"{label}/{number}.jpg" for number, label in enumerate(labels)]
    for at, reason in (reasons or {}).items():
        table.loc[at, "reason"] = reason
    return table


def test_nothing_to_say() -> None:
    findings = find(table_of(["a"] * 30 + ["b"] * 40), ["a", "b"], NONE)
    assert findings.findings == ()
    assert (findings.files, findings.used, findings.classes) == (70, 70, {"a": 30, "b": 40})
    assert findings.imbalance_ratio == 1.333


def test_every_file_left_out_is_named_once() -> None:
    reasons = {0: "truncated", 1: "truncated", 2: "unreadable: Permission denied", 3: "duplicate of a/9.jpg"}
    findings = find(table_of(["a"] * 30 + ["b"] * 30, reasons), ["a", "b"], NONE)
    named = {finding.kind: finding.files for finding in findings.findings if finding.level == "excluded"}
    assert named == {
        "truncated": ("a/0.jpg", "a/1.jpg"),
        "unreadable": ("a/2.jpg",),
        "exact duplicate": ("a/3.jpg",),
    }
    assert findings.used == 56


def test_classes() -> None:
    findings = find(table_of(["a"] * 100 + ["b"] * 5), ["a", "b", "c"], NONE)
    said = {finding.kind: (finding.count, finding.files) for finding in findings.findings}
    assert said == {
        "empty class": (1, ("c",)),
        "tiny class": (1, ("b: 5",)),
        "imbalance": (2, ("b: 5", "a: 100")),
    }
    assert findings.imbalance_ratio == 20


def test_near_duplicates_count_used_photos_only() -> None:
    table = table_of(["a"] * 20 + ["b"] * 20, {1: "duplicate of a/0.jpg"})
    findings = find(table, ["a", "b"], np.array([[0, 1], [2, 3], [4, 30]]))
    near, across = findings.of("near-duplicate"), findings.of("near-duplicate across labels")
    assert near and near.files == ("a/2.jpg ~ a/3.jpg", "a/4.jpg ~ b/30.jpg")
    assert across and across.files == ("a/4.jpg ~ b/30.jpg",) and across.level == "warning"


def test_findings_survive_json_and_read_as_lines() -> None:
    findings = find(table_of(["a"] * 30 + ["b"] * 30, dict.fromkeys(range(5), "empty")), ["a", "b"], NONE)
    assert Findings.model_validate_json(findings.model_dump_json()) == findings
    assert findings.lines() == [
        "55 of 60 files are used, in 2 classes.",
        "excluded: Files left out: empty: 5 (a/0.jpg, a/1.jpg, a/2.jpg, ...)",
    ]
