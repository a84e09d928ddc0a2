"""What is sent for each method."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from phytoflow.client.gateway import calls


def test_a_photo_goes_as_a_form_with_its_options(tmp_path: Path) -> None:
    file = tmp_path / "Löwenzahn #1.jpg"
    file.write_bytes(b"photo")
    call = calls.predict(file, 2, True, "flips")
    request = httpx.Request(call.method, f"http://gateway{call.path}", **call.arguments())
    assert request.url.query == b"top_k=2&explain=true&tta=flips" and not call.idempotent
    body = request.read()
    assert b'name="file"' in body and b"photo" in body and "Löwenzahn #1.jpg".encode() in body


def test_several_photos_share_a_field() -> None:
    call = calls.predict_batch([b"one", b"two"], 3, False, "none")
    assert [name for name, _ in call.files] == ["files", "files"]
    assert [content for _, (_, content) in call.files] == [b"one", b"two"]


def test_what_is_not_said_is_not_sent() -> None:
    assert calls.history(None, None, None, 50).arguments()["params"] == {"limit": 50}
    assert calls.history("id", "rust", False, 50).arguments()["params"] == {
        "before": "id",
        "label": "rust",
        "known": False,
        "limit": 50,
    }
    assert "webhook" not in calls.submit(b"photo", 3, False, "none", "").arguments()["params"]


def test_feedback_is_a_document_that_may_be_sent_twice() -> None:
    call = calls.feedback("id", "label", "rust", "seen")
    assert call.arguments()["json"] == {
        "prediction_id": "id",
        "verdict": "label",
        "label": "rust",
        "comment": "seen",
    }
    assert call.idempotent


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none"):
        calls.predict(tmp_path / "none.jpg", 3, False, "none")
