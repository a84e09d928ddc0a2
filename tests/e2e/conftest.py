"""Tests on a real cluster and its object store; each skips with its reason where there is none."""

import os
import uuid
from collections.abc import Iterator

import pytest
from minio import Minio


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A new, empty bucket of a real S3 server: ``PHYTOFLOW_TEST_S3_ENDPOINT``, with AWS_* credentials."""
    endpoint = os.environ.get("PHYTOFLOW_TEST_S3_ENDPOINT")
    if not endpoint:
        pytest.skip("no S3 server: PHYTOFLOW_TEST_S3_ENDPOINT is not set")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    scheme, _, host = endpoint.partition("://")
    client = Minio(
        endpoint=host,
        access_key=os.environ["AWS_ACCESS_KEY_ID"],
        secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        secure=scheme == "https",
    )
    name = f"phytoflow-test-{uuid.uuid4().hex[:12]}"
    client.make_bucket(bucket_name=name)
    yield name
    for item in client.list_objects(bucket_name=name, recursive=True):
        client.remove_object(bucket_name=name, object_name=item.object_name)
    client.remove_bucket(bucket_name=name)
