"""`phytoflow data version` as a scheduled job uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image


def phytoflow(*arguments: str) -> str:
    command = [sys.executable, "-m", "phytoflow.cli", "data", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_new_photo_is_a_change_until_it_is_recorded(tmp_path: Path) -> None:
    photos, record = tmp_path / "photos", str(tmp_path / "record")
    for name in ("healthy", "scab"):
        (photos / name).mkdir(parents=True)
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(photos / name / "a.png")
    first = phytoflow("version", str(photos))
    assert json.loads(phytoflow("version", str(photos), "--recorded", record)) == {
        "version": first,
        "recorded": "",
        "changed": True,
    }
    phytoflow("record-version", first, record)
    assert json.loads(phytoflow("version", str(photos), "--recorded", record))["changed"] is False
    Image.fromarray(np.ones((8, 8, 3), np.uint8)).save(photos / "scab" / "b.png")
    changed = json.loads(phytoflow("version", str(photos), "--recorded", record))
    assert changed["changed"] is True and changed["version"] != changed["recorded"] == first
