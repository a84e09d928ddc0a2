"""`phytoflow data` as a person calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.photo_folder import encoded, make_folder, picture, write


def phytoflow(*arguments: str | bytes) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "phytoflow.cli", "data", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def test_check_says_what_there_is_and_writes_the_table_and_the_page(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "photos", {"healthy": 4, "rust": 4})
    write(root / "rust" / "empty.jpg", b"")
    write(root / ".DS_Store", b"")
    code, out, _ = phytoflow("check", str(root), "--output", str(tmp_path / "out"))
    assert code == 0
    assert "8 of 10 files are used, in 2 classes; 1 skipped, 1 refused." in out
    assert "(rust/empty.jpg)" in out and "(.DS_Store)" in out
    findings = json.loads((tmp_path / "out" / "findings.json").read_text())
    assert findings["used"] + findings["skipped"] + findings["refused"] == findings["files"] == 10
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "findings.json",
        "photos.csv",
        "data.html",
    }


def test_check_refuses_in_words_with_exit_code_3(tmp_path: Path) -> None:
    for number, part in enumerate(("color", "grayscale")):
        make_folder(tmp_path / "photos" / part, {"healthy": 3, "rust": 3}, first_seed=100 * number)
    code, _, err = phytoflow("check", str(tmp_path / "photos"))
    assert code == 3
    assert "hold the same folders, healthy, rust" in err and "What to do:" in err and "Traceback" not in err
    code, out, _ = phytoflow("check", str(tmp_path / "photos"), "--set", "data.check_layout=false")
    assert code == 0 and "12 of 12 files are used, in 2 classes" in out


def test_check_of_names_that_are_not_utf8_and_of_names_that_move_the_cursor(tmp_path: Path) -> None:
    root = make_folder(tmp_path / os.fsdecode(b"ph\xf6tos"), {"healthy": 4, "r\x1b[31must": 4})
    write(root / "healthy" / os.fsdecode(b"x\xe4.jpg"), encoded(picture(1)))
    write(root / "healthy" / os.fsdecode(b"bad\xe4.jpg"), b"")
    output = os.fsencode(tmp_path) + b"/out\xff"
    code, out, err = phytoflow("check", os.fsencode(root), "--output", output)
    assert code == 0, err
    assert r"bad\xe4.jpg" in out and "\x1b" not in out and r"r\x1b[31must: 4" in out
    assert (Path(os.fsdecode(output)) / "findings.json").exists()
    code, _, err = phytoflow("check", os.fsencode(root) + b"/none")
    assert code == 3 and "Traceback" not in err


def test_the_version_counts_the_files_of_labels(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "photos", {"mixed": 2})
    labels = write(tmp_path / "labels.csv", b"path,label\nmixed/0.jpg,a\n")
    setting = ("--set", f"data.labels_csv={labels}")
    code, first, _ = phytoflow("version", str(root), *setting)
    assert code == 0
    labels.write_bytes(b"path,label\nmixed/0.jpg,b\n")
    assert phytoflow("version", str(root), *setting)[1] != first


def test_an_unknown_public_set_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    code, _, err = phytoflow("download", "plantvilage", str(tmp_path / "x"))
    assert code == 2 and "plantvillage, dandelion" in err


def test_a_sample_is_drawn(tmp_path: Path) -> None:
    code, out, _ = phytoflow("sample", str(tmp_path / "leaves"), "--photos-per-class", "4")
    assert code == 0 and "drew 4 photos a class" in out
    assert all(len(list(folder.iterdir())) == 4 for folder in (tmp_path / "leaves").iterdir())
