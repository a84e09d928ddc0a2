import numpy as np
import pandas as pd

from phytoflow.data.ingest.collect_findings import collect_findings
from phytoflow.data.ingest.findings import Finding

NONE = np.empty((0, 2), np.int64)


def table_of(labels: list[str], reasons: dict[int, str] | None = None, skipped: set[int] = frozenset()):  # type: ignore[assignment,no-untyped-def]
    """A table of photos, some of them with a reason why they are not used."""
    table = pd.DataFrame({"label": labels, "misnamed": False, "animated": False, "outside": False})
    table = table.assign(profile="", used_bits=0, stated_bits=0)
    table["path"] = [f"{label}/{number}.jpg" for number, label in enumerate(labels)]
    table["sha256"], table["files"] = table["path"], 1
    table["reason"] = [(reasons or {}).get(number, "") for number in range(len(labels))]
    table["skipped"] = [number in skipped for number in range(len(labels))]
    return table


def test_nothing_to_say() -> None:
    findings = collect_findings(table_of(["a"] * 30 + ["b"] * 40), ["a", "b"], NONE)
    assert findings.findings == ()
    assert (findings.files, findings.used, findings.classes) == (70, 70, {"a": 30, "b": 40})
    assert findings.imbalance_ratio == 1.333


def test_every_file_left_out_is_named_once_and_counted() -> None:
    reasons = {0: "truncated", 1: "truncated", 2: "unreadable: Permission denied", 3: "duplicate of a/9.jpg"}
    reasons |= {4: "hidden or system file", 5: "not_an_image"}
    table = table_of(["a"] * 30 + ["b"] * 30, reasons, skipped={4})
    table.loc[4, "files"] = 7  # a folder
    findings = collect_findings(table, ["a", "b"], NONE)
    named = {finding.kind: (finding.level, finding.count, finding.files) for finding in findings.findings}
    assert named == {
        "truncated": ("refused", 2, ("a/0.jpg", "a/1.jpg")),
        "unreadable": ("refused", 1, ("a/2.jpg",)),
        "exact duplicate": ("refused", 1, ("a/3.jpg = a/9.jpg",)),
        "not_an_image": ("refused", 1, ("a/5.jpg",)),
        "hidden or system file": ("skipped", 7, ("a/4.jpg",)),
    }
    assert (findings.files, findings.used, findings.skipped, findings.refused) == (66, 54, 7, 5)
    assert any("Files that cannot be used: not an image" in line for line in findings.lines())


def test_a_label_conflict_names_every_file_with_its_class() -> None:
    table = table_of(["a", "a", "b", *"ab" * 20])
    table.loc[[0, 1, 2], "sha256"] = "same"
    table.loc[[0, 1, 2], "reason"] = "the same content as x, which is labelled y"
    conflict = collect_findings(table, ["a", "b"], NONE).of("label conflict")
    assert conflict and conflict.count == 3
    assert conflict.files == ("a/0.jpg (a) = a/1.jpg (a) = b/2.jpg (b)",)


def test_a_leak_names_the_photo_in_the_other_part() -> None:
    table = table_of(["a"] * 30 + ["b"] * 30, {0: "shows the same as test/a/7.jpg"})
    leak = collect_findings(table, ["a", "b"], NONE).of("in two parts of the split")
    assert leak and (leak.level, leak.files) == ("refused", ("a/0.jpg ~ test/a/7.jpg",))


def test_classes() -> None:
    findings = collect_findings(table_of(["a"] * 100 + ["b"] * 5), ["a", "b", "c"], NONE)
    counted = {finding.kind: (finding.count, finding.files) for finding in findings.findings}
    assert counted == {
        "empty class": (1, ("c",)),
        "tiny class": (1, ("b: 5",)),
        "imbalance": (2, ("b: 5", "a: 100")),
    }
    assert findings.imbalance_ratio == 20


def test_photos_reached_through_links_out_of_the_folder() -> None:
    table = table_of(["a"] * 30 + ["b"] * 30)
    table.loc[3, "outside"] = True
    outside = collect_findings(table, ["a", "b"], NONE).of("outside the folder")
    assert outside and (outside.level, outside.files) == ("note", ("a/3.jpg",))


def test_near_duplicates_count_used_photos_only() -> None:
    table = table_of(["a"] * 20 + ["b"] * 20, {1: "duplicate of a/0.jpg"})
    findings = collect_findings(table, ["a", "b"], np.array([[0, 1], [2, 3], [4, 30]]))
    near, across = findings.of("near-duplicate"), findings.of("near-duplicate across labels")
    assert near and near.files == ("a/2.jpg ~ a/3.jpg", "a/4.jpg ~ b/30.jpg")
    assert across and across.files == ("a/4.jpg (a) ~ b/30.jpg (b)",) and across.level == "warning"


def test_findings_come_by_importance_with_those_of_the_folders_among_them() -> None:
    warning = Finding.of_names("similar classes", "warning", "Similar", ["'A' and 'a'"])
    table = table_of(["a"] * 30 + ["b"] * 30, {0: "empty", 1: "not a photo"}, skipped={1})
    table.loc[5, "animated"] = True
    findings = collect_findings(table, ["a", "b"], NONE, [warning])
    assert [finding.level for finding in findings.findings] == ["refused", "warning", "skipped", "note"]


def test_colour_profiles() -> None:
    table = table_of(["a"] * 30 + ["b"] * 30)
    table.loc[[0, 1, 2], "profile"] = ["Display P3", "Adobe RGB (1998)", "unreadable"]
    findings = collect_findings(table, ["a", "b"], NONE)
    converted, ignored = findings.of("colour profile"), findings.of("unreadable colour profile")
    assert converted and (converted.level, converted.files) == ("note", ("a/0.jpg", "a/1.jpg"))
    assert "(Adobe RGB (1998), Display P3)" in converted.text
    assert ignored and (ignored.level, ignored.files) == ("warning", ("a/2.jpg",))


def test_the_depth_of_samples() -> None:
    table = table_of(["a"] * 30 + ["b"] * 30)
    table.loc[[0, 1, 2], "used_bits"] = [12, 12, 10]
    table.loc[1, "stated_bits"] = 12
    findings = collect_findings(table, ["a", "b"], NONE)
    stated, low, mixed = (findings.of(kind) for kind in ("stated depth", "low depth", "mixed depth"))
    assert stated and stated.files == ("a/1.jpg",)
    assert low and low.files == ("a/0.jpg", "a/2.jpg") and "the whole set uses 12 bits" in low.text
    assert mixed and (mixed.level, mixed.files) == ("warning", ("a/2.jpg: 10 bits",))


def test_photos_of_full_depth_need_no_words() -> None:
    table = table_of(["a"] * 30 + ["b"] * 30)
    table.loc[0, "used_bits"] = 16
    assert collect_findings(table, ["a", "b"], NONE).findings == ()


def test_a_format_that_is_not_read_is_named() -> None:
    reasons = {0: "unsupported_format: GIF is not supported", 1: "unsupported_format: PDF is not supported"}
    findings = collect_findings(table_of(["a"] * 30 + ["b"] * 30, reasons), ["a", "b"], NONE)
    assert [finding.text for finding in findings.findings] == [
        "Files that cannot be used: unsupported format: GIF is not supported",
        "Files that cannot be used: unsupported format: PDF is not supported",
    ]
