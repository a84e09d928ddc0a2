"""From predictions to the API's answers."""

from __future__ import annotations

import time
from collections.abc import Sequence

from serving.gateway.answers.schemas import (
    BatchAnswer,
    ClassProbability,
    ModelVersion,
    PredictAnswer,
    PredictionAnswer,
    StoredPrediction,
    Times,
)
from serving.gateway.log.tables import Prediction as Row
from serving.gateway.prediction import Prediction, PredictOptions
from serving.gateway.sentences import explain_answer


def prediction_answer(prediction: Prediction, options: PredictOptions) -> PredictionAnswer:
    """One photo's answer."""
    return PredictionAnswer(**_fields(prediction, options))


def predict_answer(
    prediction: Prediction, options: PredictOptions, request_id: str, started: float
) -> PredictAnswer:
    """The answer to /v1/predict."""
    return PredictAnswer(**_fields(prediction, options), request_id=request_id, times=_times(started))


def batch_answer(
    predictions: Sequence[Prediction], options: PredictOptions, request_id: str, started: float
) -> BatchAnswer:
    """The answer to /v1/predict_batch."""
    answers = [prediction_answer(prediction, options) for prediction in predictions]
    return BatchAnswer(
        request_id=request_id, predictions=answers, model=answers[0].model, times=_times(started)
    )


def stored_prediction(row: Row) -> StoredPrediction:
    """A prediction of the log."""
    return StoredPrediction(
        id=row.id,
        created=row.created,
        source=row.source,
        file_name=row.file_name,
        prediction=row.label,
        confidence=row.confidence,
        known=row.known,
        novelty=row.novelty,
        top=[ClassProbability(label=label, probability=value) for label, value in row.top],
        latency_ms=row.latency_ms,
        model=ModelVersion(name=row.model, version=row.model_version),
        request_id=row.request_id,
        photo_stored=row.photo_stored,
        review=row.review,
        corrected_label=row.label_now,
    )


def _fields(prediction: Prediction, options: PredictOptions) -> dict[str, object]:
    result, model = prediction.result, prediction.model
    top = zip(result.labels[: options.top_k], result.scores[: options.top_k], strict=True)
    return {
        "id": prediction.id,
        "file_name": prediction.photo.name,
        "prediction": result.labels[0],
        "confidence": result.scores[0],
        "probabilities": dict(zip(model.classes, result.probabilities, strict=True)),
        "top": [ClassProbability(label=label, probability=value) for label, value in top],
        "known": result.known,
        "novelty": result.novelty,
        "sentence": explain_answer(result),
        "explanation": result.explanation,
        "model": ModelVersion(name=model.name, version=model.version),
    }


def _times(started: float) -> Times:
    return Times(total_ms=round((time.perf_counter() - started) * 1000, 3))
