import unicodedata

import pytest

from phytoflow.data.ingest.layout.class_names import class_labels, similar_findings

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Löwenzahn") for form in ("NFC", "NFD"))


@pytest.mark.parametrize("merge", [True, False])
def test_two_unicode_forms_of_one_text_are_always_one_class(merge: bool) -> None:
    labels = class_labels([COMPOSED, DECOMPOSED, "rust"], merge)
    assert labels == {COMPOSED: COMPOSED, DECOMPOSED: COMPOSED, "rust": "rust"}
    (finding,) = similar_findings(labels)
    assert (finding.kind, finding.level) == ("merged classes", "note")
    assert "(composed)" in finding.files[0] and "(decomposed)" in finding.files[0]


@pytest.mark.parametrize(
    "names", [("Rust", "rust"), ("leaf rust", "leaf  rust"), (" rust", "rust "), ("leaf rust", "leafrust")]
)
def test_names_that_differ_in_case_or_spaces_are_reported_and_merged_on_request(
    names: tuple[str, str],
) -> None:
    apart = class_labels([*names, "scab"], merge=False)
    assert set(apart.values()) == {*names, "scab"}
    (warning,) = similar_findings(apart)
    assert warning.level == "warning" and "data.merge_similar_classes=true" in warning.text
    assert all(repr(name) in warning.files[0] for name in names)
    merged = class_labels([*names, "scab"], merge=True)
    assert merged[names[0]] == merged[names[1]] == " ".join(min(names).split())
    assert {finding.kind for finding in similar_findings(merged)} == {"merged classes"}


def test_full_width_and_compatibility_characters_are_similar() -> None:
    (warning,) = similar_findings(class_labels(["RUST", "rust", "ﬁg", "fig"], merge=False))
    assert warning.count == 2


@pytest.mark.parametrize("invisible", ["\u200b", "\u200d", "\ufeff", "\u00ad", "\ufe0f"])
def test_names_that_differ_in_invisible_characters_are_similar(invisible: str) -> None:
    (warning,) = similar_findings(class_labels(["rust", f"ru{invisible}st"], merge=False))
    assert warning.count == 1
    assert len(set(class_labels(["rust", f"ru{invisible}st"], merge=True).values())) == 1


@pytest.mark.parametrize("names", [("-1", "1"), ("a_b", "ab"), ("a/b", "ab"), ("NA", "N"), ("1.0", "1")])
def test_other_differences_are_differences(names: tuple[str, str]) -> None:
    labels = class_labels(names, merge=True)
    assert len(set(labels.values())) == 2
    assert similar_findings(class_labels(names, merge=False)) == []
