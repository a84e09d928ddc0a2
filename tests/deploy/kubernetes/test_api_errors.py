"""Messages of a real API server and the errors they become."""

from __future__ import annotations

import json

import pytest

from phytoflow.deploy.kubernetes.api_errors import error_from_response, explain_message

WEBHOOK = (
    'admission webhook "inferenceservice.kserve-webhook-server.validator" denied the request: the target '
    "threshold value should not be empty"
)
FORBIDDEN = (
    'inferenceservices.serving.kserve.io "leaf" is forbidden: User "system:serviceaccount:plants:visitor" '
    'cannot patch resource "inferenceservices" in API group "serving.kserve.io" in the namespace "plants"'
)


def body(message: str, code: int) -> bytes:
    return json.dumps({"kind": "Status", "status": "Failure", "message": message, "code": code}).encode()


@pytest.mark.parametrize(
    ("status", "message", "reason", "text"),
    [
        (403, WEBHOOK, "webhook", "threshold value should not be empty"),
        (403, FORBIDDEN, "permission", "system:serviceaccount:plants:visitor"),
        (500, 'Internal error occurred: failed calling webhook "x": no endpoints', "webhook", "controller"),
        (401, "Unauthorized", "credentials", "KUBECONFIG"),
        (404, 'inferenceservices.serving.kserve.io "leaf" not found', "absent", "leaf"),
        (409, "the object has been modified", "conflict", "modified"),
        (422, "spec.x: Invalid value", "refused", "422"),
    ],
)
def test_refusals_have_a_reason(status: int, message: str, reason: str, text: str) -> None:
    error = error_from_response(status, body(message, status), "PATCH /apis/x")
    assert error.reason == reason and text in str(error)
    assert error.exit_code == 12


def test_who_may_not_publish_is_told_of_another_namespace_and_of_the_role() -> None:
    remedy = error_from_response(403, body(FORBIDDEN, 403), "PATCH /apis/x").remedy
    assert "deploy.namespace" in remedy and "phytoflow-publisher" in remedy


def test_a_cluster_without_kserve_is_told_from_a_missing_service() -> None:
    error = error_from_response(404, b"404 page not found\n", "PATCH /apis/serving.kserve.io/v1beta1/x")
    assert error.reason == "kserve" and "install KServe" in error.remedy


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", "plain text", b"[1]", b'{"error": "x"}'])
def test_an_answer_that_is_no_status_is_no_accident(content: bytes | str | None) -> None:
    assert error_from_response(502, content, "GET /x").reason == "refused"


def test_unknown_words_have_no_reason() -> None:
    assert explain_message("never heard of") is None
    assert explain_message('pods "x" is forbidden: no PriorityClass with name y was found')[0] == "priority"
