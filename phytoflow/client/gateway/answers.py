"""Answers of the gateway. Fields that a newer gateway adds are left out."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())


class ClassProbability(Answer):
    """A class and its probability.

    Attributes:
        label: Class.
        probability: Its calibrated probability, 0 to 1.
    """

    label: str
    probability: float


class ModelVersion(Answer):
    """A model.

    Attributes:
        name: Its name.
        version: Its version.
    """

    name: str
    version: str


class GatewayPrediction(Answer):
    """The prediction for one photo.

    Attributes:
        id: Id for ``feedback`` and ``prediction``.
        file_name: Name of the photo as it was sent.
        prediction: Most likely class.
        confidence: Its calibrated probability, 0 to 1.
        probabilities: Calibrated probability of each class.
        top: The ``top_k`` most likely classes, best first.
        known: False if the photo shows none of the classes; None if the model cannot tell.
        novelty: Distance from the training photos, above 1 is unknown; None if the model cannot tell.
        sentence: What the answer means, for a person.
        explanation: Evidence for the class by place, 0 to 1, on the photo's central square; None unless
            requested.
        model: The model that answered.
    """

    id: str
    file_name: str
    prediction: str
    confidence: float
    probabilities: dict[str, float]
    top: list[ClassProbability]
    known: bool | None
    novelty: float | None
    sentence: str
    explanation: list[list[float]] | None = None
    model: ModelVersion


class StoredPrediction(Answer):
    """A prediction in the gateway's log.

    Attributes:
        id: Its id.
        created: When it was made.
        source: How it was requested: ``rest``, ``task``, ``console``, ``v2-rest``, ``v2-grpc`` or ``v1``.
        file_name: Name of the photo as it was sent.
        prediction: Most likely class.
        confidence: Its calibrated probability, 0 to 1.
        known: False if the photo shows none of the classes; None if the model could not tell.
        novelty: Distance from the training photos, above 1 is unknown; None if the model could not tell.
        top: The most likely classes, best first.
        latency_ms: Milliseconds to the answer.
        model: The model that answered.
        request_id: Id of the request.
        photo_stored: Whether the photo can be fetched.
        review: ``none``, ``pending``, ``agreed``, ``accepted`` or ``rejected``.
        corrected_label: Class after corrections; None if nobody named one.
    """

    id: str
    created: datetime
    source: str
    file_name: str
    prediction: str
    confidence: float
    known: bool | None
    novelty: float | None
    top: list[ClassProbability]
    latency_ms: float
    model: ModelVersion
    request_id: str
    photo_stored: bool
    review: str
    corrected_label: str | None


class AcceptedPrediction(StoredPrediction):
    """A prediction whose class a reviewer accepted.

    Attributes:
        user: Pseudonym of the user who sent the photo.
        photo_sha256: Hash of the photo as it was sent.
    """

    user: str
    photo_sha256: str


class Quota(Answer):
    """What is left of the caller's limit.

    Attributes:
        limit: Photos in any 60 seconds.
        remaining: Photos left.
        reset_seconds: Seconds until the oldest counted photo no longer counts.
    """

    limit: int
    remaining: int
    reset_seconds: int


class Task(Answer):
    """An asynchronous prediction.

    Attributes:
        task_id: Its id.
        state: ``queued``, ``running``, ``done`` or ``failed``.
        created: When the gateway took it.
        result: The prediction, once the state is ``done``.
        problem: What went wrong, if the state is ``failed``.
    """

    task_id: str
    state: Literal["queued", "running", "done", "failed"]
    created: datetime
    result: GatewayPrediction | None = None
    problem: dict[str, Any] | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more will change."""
        return self.state in ("done", "failed")
