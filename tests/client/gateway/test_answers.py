"""The client's answers have the fields of the gateway's."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from phytoflow.client.gateway import answers
from serving.gateway.answers import schemas

# What the client's user has already, or does not need.
LEFT_OUT = {"request_id", "times"}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (answers.GatewayPrediction, schemas.PredictAnswer),
        (answers.StoredPrediction, schemas.StoredPrediction),
        (answers.Task, schemas.TaskAnswer),
        (answers.Quota, schemas.QuotaAnswer),
        (answers.ModelVersion, schemas.ModelVersion),
        (answers.ClassProbability, schemas.ClassProbability),
    ],
)
def test_no_field_is_missing(ours: type[BaseModel], theirs: type[BaseModel]) -> None:
    left_out = LEFT_OUT - ours.model_fields.keys()
    assert ours.model_fields.keys() == theirs.model_fields.keys() - left_out


def test_fields_of_newer_gateways_are_left_out() -> None:
    quota = answers.Quota.model_validate({"limit": 1, "remaining": 1, "reset_seconds": 0, "burst": 3})
    assert quota.model_dump() == {"limit": 1, "remaining": 1, "reset_seconds": 0}
