from phytoflow.data.ingest.findings import Finding, Findings

EMPTY = Finding.of_names("empty", "refused", "Files that cannot be used: empty", [f"a/{n}" for n in range(5)])
FINDINGS = Findings(
    files=62,
    used=55,
    skipped=2,
    refused=5,
    classes={"a": 25, "b": 30},
    imbalance_ratio=1.2,
    findings=(EMPTY,),
)


def test_findings_survive_json() -> None:
    assert Findings.model_validate_json(FINDINGS.model_dump_json()) == FINDINGS
    assert FINDINGS.of("empty") is not None and FINDINGS.of("truncated") is None


def test_lines_name_the_first_files_and_count_the_rest() -> None:
    assert FINDINGS.lines() == [
        "55 of 62 files are used, in 2 classes; 2 skipped, 5 refused.",
        "refused: Files that cannot be used: empty: 5 (a/0, a/1, a/2, ...)",
    ]


def test_a_file_name_cannot_write_lines_of_its_own() -> None:
    odd = Finding.of_names("empty", "note", "Empty", ["a\nrefused: all is well\x1b[2J"])
    (_, line) = FINDINGS.model_copy(update={"findings": (odd,)}).lines()
    assert line == r"note: Empty: 1 (a\nrefused: all is well\x1b[2J)"
