"""Errors of requests over both protocols."""

from __future__ import annotations

import pytest
from grpc import StatusCode

from serving.predictor import errors
from serving.predictor.errors import NOT_LOADED, RequestError


@pytest.mark.parametrize(
    ("error", "status", "grpc"),
    [
        (errors.malformed("x"), 400, StatusCode.INVALID_ARGUMENT),
        (errors.too_large("x"), 413, StatusCode.INVALID_ARGUMENT),
        (errors.unsupported_encoding("x"), 415, StatusCode.INVALID_ARGUMENT),
        (errors.client_disconnected(), 499, StatusCode.CANCELLED),
        (errors.overloaded("x"), 503, StatusCode.RESOURCE_EXHAUSTED),
        (errors.internal(), 500, StatusCode.INTERNAL),
    ],
)
def test_each_error_means_the_same_over_rest_and_grpc(
    error: RequestError, status: int, grpc: StatusCode
) -> None:
    assert (error.status, error.grpc_status) == (status, grpc)
    assert str(error) == error.message


def test_a_client_retries_elsewhere_while_no_version_is_loaded() -> None:
    assert RequestError(503, NOT_LOADED, "").grpc_status is StatusCode.UNAVAILABLE
    assert errors.overloaded("").grpc_status is not StatusCode.UNAVAILABLE


def test_a_fault_of_ours_tells_nothing_of_the_inside() -> None:
    assert errors.internal().message == "the predictor failed; see its log"
