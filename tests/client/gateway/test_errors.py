"""Problem documents become errors with reason and remedy."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx

from phytoflow.client.gateway.answers import Task
from phytoflow.client.gateway.errors import error_of, unfinished, unreachable

PROBLEM = {
    "status": 413,
    "reason": "too_large",
    "detail": "9 bytes are more than the 8 allowed",
    "remedy": "send a smaller photo",
    "photo": "leaf.jpg",
    "instance": "urn:uuid:12",
}


def test_a_problem_document_is_told_whole() -> None:
    error = error_of(httpx.Response(413, json=PROBLEM))
    assert error is not None
    assert (error.status, error.reason, error.photo, error.request_id) == (413, "too_large", "leaf.jpg", "12")
    assert str(error) == "9 bytes are more than the 8 allowed\n  What to do: send a smaller photo"


def test_a_good_response_is_none() -> None:
    assert error_of(httpx.Response(202, json={})) is None


def test_a_proxys_page_is_an_error_too() -> None:
    for response in (httpx.Response(502, text="<html>"), httpx.Response(502, json=["no problem"])):
        error = error_of(response)
        assert error is not None and error.message == "HTTP 502 Bad Gateway, and no explanation"
        assert "proxy" in error.remedy


def test_a_task_that_takes_too_long_is_named() -> None:
    task = Task(task_id="7", state="running", created=datetime(2026, 1, 1, tzinfo=UTC))
    assert "task 7 is running after 2 s" in str(unfinished(task, 2)) and not task.finished


def test_an_exception_without_a_text_is_named() -> None:
    assert "http://gateway cannot be reached: ReadTimeout" in str(
        unreachable("http://gateway", httpx.ReadTimeout(""))
    )
