"""``provenance.csv`` is read as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.data.feedback.provenance import CollectedPhoto, read_provenance, write_provenance
from phytoflow.errors import DataError

PHOTO = CollectedPhoto(
    path='rust, "early"/feedback-1.jpg',
    prediction_id="1",
    user="u1",
    created="2026-05-04T10:30:00+00:00",
    label='rust, "early"',
    predicted="NA",
    confidence="0.75",
    model_version="v1",
    photo_sha256="0" * 64,
    file_sha256="1" * 64,
    phash="0123456789abcdef",
    gateway="http://localhost:8000",
)


def test_rows_survive(tmp_path: Path) -> None:
    assert read_provenance(tmp_path) == []
    write_provenance(tmp_path, [PHOTO])
    assert read_provenance(tmp_path) == [PHOTO]


@pytest.mark.parametrize("content", ["path,label\na,b\n", "path,label\na,b,c\n"])
def test_another_file_of_that_name_is_not_overwritten(tmp_path: Path, content: str) -> None:
    (tmp_path / "provenance.csv").write_text(content)
    with pytest.raises(DataError, match=r"was not written by `phytoflow data collect`"):
        read_provenance(tmp_path)
