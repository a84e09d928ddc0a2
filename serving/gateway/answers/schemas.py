"""Answers of the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

Probability = Annotated[float, Field(ge=0, le=1)]


class ClassProbability(BaseModel):
    """A class and its calibrated probability."""

    label: str
    probability: Probability


class ModelVersion(BaseModel):
    """The model that answered."""

    name: str
    version: str


class Times(BaseModel):
    """Where the time went, in milliseconds."""

    total_ms: float = Field(description="From the request's arrival at the gateway to its answer.")


class PredictionAnswer(BaseModel):
    """The answer for one photo."""

    id: str = Field(description="Id of the prediction, for /v1/predictions/{id} and feedback.")
    file_name: str = Field(description="File name as it was sent, without folders.")
    prediction: str = Field(description="Likeliest class.")
    confidence: Probability = Field(description="Its calibrated probability.")
    probabilities: dict[str, Probability] = Field(description="Calibrated probability of every class.")
    top: list[ClassProbability] = Field(description="The `top_k` likeliest classes, likeliest first.")
    known: bool | None = Field(
        description="Whether the photo resembles the training photos; null if the model cannot tell."
    )
    novelty: float | None = Field(description="Out-of-distribution score; higher is less familiar.")
    sentence: str = Field(description="What the answer means, for a person.")
    explanation: list[list[float]] | None = Field(
        None, description="Evidence for the class by place, 0 to 1, on the photo's central square."
    )
    model: ModelVersion


class PredictAnswer(PredictionAnswer):
    """The answer to /v1/predict."""

    request_id: str
    times: Times


class BatchAnswer(BaseModel):
    """The answer to /v1/predict_batch, one prediction a photo in the order of the request."""

    request_id: str
    predictions: list[PredictionAnswer]
    model: ModelVersion
    times: Times


class TaskAnswer(BaseModel):
    """An asynchronous prediction."""

    task_id: str
    state: Literal["queued", "running", "done", "failed"]
    created: datetime
    result: PredictAnswer | None = Field(None, description="The answer, once the state is `done`.")
    problem: ProblemDocument | None = Field(None, description="What went wrong, if the state is `failed`.")


class ProblemDocument(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    reason: str = Field(description="Stable name of the error.")
    detail: str
    remedy: str = Field("", description="What to do.")
    instance: str = ""
    photo: str | int | None = Field(None, description="The photo it is about, by name or position.")


class QuotaAnswer(BaseModel):
    """What is left of the caller's limit."""

    limit: int = Field(description="Photos in any 60 seconds.")
    remaining: int
    reset_seconds: int = Field(description="Seconds until the oldest counted photo no longer counts.")


class ClassesAnswer(BaseModel):
    """The classes of the model."""

    classes: list[str]
    model: ModelVersion


class Check(BaseModel):
    """One part of the service."""

    status: Literal["up", "down", "off"]
    detail: str = ""


class HealthAnswer(BaseModel):
    """The state of the service and its parts."""

    status: Literal["up", "degraded", "down"]
    checks: dict[str, Check]


class StoredPrediction(BaseModel):
    """A prediction in the log."""

    id: str
    created: datetime
    source: str
    file_name: str
    prediction: str
    confidence: Probability
    known: bool | None
    novelty: float | None
    top: list[ClassProbability]
    latency_ms: float
    model: ModelVersion
    request_id: str
    photo_stored: bool
    review: Literal["none", "pending", "agreed", "accepted", "rejected"]
    corrected_label: str | None


class PredictionPage(BaseModel):
    """Some predictions, newest first."""

    predictions: list[StoredPrediction]
    next: str | None = Field(description="Value of `before` for the next page; null on the last.")


TaskAnswer.model_rebuild()
