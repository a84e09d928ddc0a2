"""The storage initializer's log becomes a cause."""

from __future__ import annotations

import pytest

from phytoflow.deploy.kubernetes.diagnosis.storage import diagnose_storage

POD = {"spec": {"serviceAccountName": "predictor"}}


@pytest.mark.parametrize(
    ("log", "kind"),
    [
        ("botocore: (SignatureDoesNotMatch) when calling the GetObject operation", "credentials"),
        ("botocore: An error occurred (403) when calling the HeadObject operation: Forbidden", "credentials"),
        ("botocore: (NoSuchBucket) when calling the ListObjects operation", "bundle"),
        ("RuntimeError: Failed to fetch model. No model found in s3://b/none", "bundle"),
        ("EndpointConnectionError: Could not connect to the endpoint URL", "storage"),
        ("something nobody has seen", "storage"),
        ("", "storage"),
    ],
)
def test_each_cause_names_the_account_and_what_the_log_ended_with(log: str, kind: str) -> None:
    actual, message, remedy = diagnose_storage(f"copying\n{log}\n\n", POD)
    assert actual == kind and "predictor" in remedy
    assert (log or "copying") in message


def test_an_empty_log_is_said_to_be_one() -> None:
    assert "(no log)" in diagnose_storage("", {"spec": {}})[1]
