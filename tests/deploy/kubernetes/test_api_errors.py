"""What a real API server said, and what is made of it."""

from __future__ import annotations

import json

import pytest

from phytoflow.deploy.kubernetes.api_errors import refused, words

WEBHOOK = (
    'admission webhook "inferenceservice.kserve-webhook-server.validator" denied the request: the target '
    "threshold value should not be empty"
)
FORBIDDEN = (
    'inferenceservices.serving.kserve.io "leaf" is forbidden: User "system:serviceaccount:plants:stranger" '
    'cannot patch resource "inferenceservices" in API group "serving.kserve.io" in the namespace "plants"'
)


def body(message: str, code: int) -> bytes:
    return json.dumps({"kind": "Status", "status": "Failure", "message": message, "code": code}).encode()


@pytest.mark.parametrize(
    ("status", "message", "reason", "said"),
    [
        (403, WEBHOOK, "webhook", "threshold value should not be empty"),
        (403, FORBIDDEN, "permission", "system:serviceaccount:plants:stranger"),
        (500, 'Internal error occurred: failed calling webhook "x": no endpoints', "webhook", "controller"),
        (401, "Unauthorized", "credentials", "KUBECONFIG"),
        (404, 'inferenceservices.serving.kserve.io "leaf" not found', "absent", "leaf"),
        (409, "the object has been modified", "conflict", "modified"),
        (422, "spec.x: Invalid value", "refused", "422"),
    ],
)
def test_refusals_have_a_reason(status: int, message: str, reason: str, said: str) -> None:
    error = refused(status, body(message, status), "PATCH /apis/x")
    assert error.reason == reason and said in str(error)
    assert error.exit_code == 12


def test_a_cluster_without_kserve_is_told_from_a_missing_service() -> None:
    error = refused(404, b"404 page not found\n", "PATCH /apis/serving.kserve.io/v1beta1/x")
    assert error.reason == "kserve" and "install KServe" in error.remedy


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", "plain text", b"[1]", b'{"error": "x"}'])
def test_an_answer_that_is_no_status_is_no_accident(content: bytes | str | None) -> None:
    assert refused(502, content, "GET /x").reason == "refused"


def test_unknown_words_have_no_reason() -> None:
    assert words("never heard of") is None
    assert words('pods "x" is forbidden: no PriorityClass with name y was found')[0] == "priority"
