"""Classifies photos: the one function that API, tasks and console share."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from phytoflow.protocol.prediction_id import new_id
from serving.gateway.auth.principal import Principal
from serving.gateway.log.photo_store import PhotoStore
from serving.gateway.log.record import PredictionRecord
from serving.gateway.log.writer import LogWriter
from serving.gateway.metrics import PHOTOS, UNKNOWN_PHOTOS
from serving.gateway.photo import Photo
from serving.gateway.problems import ProblemError
from serving.gateway.rollout.comparer import Answered, Comparer
from serving.gateway.upstream.codec import PhotoResult
from serving.gateway.upstream.fleet import Fleet, Role
from serving.gateway.upstream.predictor import ModelInfo, Predictor

AUGMENTATIONS = ("none", "flips", "crops")
_LOGGED_CLASSES = 5
_HASHED_AT_ONCE = 256 * 2**10  # bytes; more would hold up the event loop for longer than a thread costs


@dataclass(frozen=True)
class PredictOptions:
    """How photos are classified.

    Attributes:
        top_k: Classes listed for each photo.
        explain: Whether to return where in the photo the evidence lies.
        tta: Test-time augmentation: ``none``, ``flips`` or ``crops``.
    """

    top_k: int = 3
    explain: bool = False
    tta: str = "none"

    def parameters(self, classes: int) -> dict[str, Any]:
        """The V2 parameters."""
        chosen: dict[str, Any] = {"top_k": min(max(self.top_k, _LOGGED_CLASSES), classes)}
        chosen |= {"explain": True} if self.explain else {}
        return chosen | ({"tta": self.tta} if self.tta != "none" else {})


@dataclass(frozen=True)
class Prediction:
    """One photo's answer, as remembered.

    Attributes:
        id: Id of the prediction.
        photo: The photo.
        result: The model's answer.
        model: The model that gave it.
        role: ``champion`` or ``challenger``.
    """

    id: str
    photo: Photo
    result: PhotoResult
    model: ModelInfo
    role: str


class PredictionService:
    """Classifies photos and remembers the answers.

    Args:
        fleet: The predictors.
        log: The prediction log.
        photos: The photo store.
        comparer: Compares the models of a rollout.
    """

    def __init__(self, fleet: Fleet, log: LogWriter, photos: PhotoStore, comparer: Comparer) -> None:
        self._fleet, self._log, self._photos, self._comparer = fleet, log, photos, comparer

    async def predict(
        self,
        photos: Sequence[Photo],
        options: PredictOptions,
        principal: Principal,
        *,
        source: str,
        request_id: str,
        started: float,
        ids: Sequence[str] = (),
    ) -> list[Prediction]:
        """Classifies photos in one request to the predictor.

        Args:
            photos: The photos.
            options: How.
            principal: Who asks.
            source: ``rest``, ``task`` or ``console``.
            request_id: Id of the request.
            started: ``time.perf_counter`` when the request came.
            ids: Ids of the predictions; new ones if empty. A task gives its own, so that a second attempt is
                not remembered twice.

        Raises:
            ProblemError: The predictor refused, or is at fault.
        """
        ids = ids or [new_id() for _ in photos]
        hashing = _hash(photos)
        answered = await self._ask(photos, options, principal, request_id, ids)
        digests = await hashing
        predictions = [
            Prediction(id_, photo, result, answered.info, answered.role)
            for id_, photo, result in zip(ids, photos, answered.results, strict=True)
        ]
        milliseconds = (time.perf_counter() - started) * 1000
        for prediction, digest in zip(predictions, digests, strict=True):
            self._remember(prediction, digest, principal, source, request_id, milliseconds)
        self._comparer.offer(answered)
        PHOTOS.labels(source).inc(len(photos))
        UNKNOWN_PHOTOS.inc(sum(one.result.known is False for one in predictions))
        return predictions

    async def _ask(
        self,
        photos: Sequence[Photo],
        options: PredictOptions,
        principal: Principal,
        request_id: str,
        ids: Sequence[str],
    ) -> Answered:
        """Asks the user's model; the champion answers for a challenger that fails."""
        predictor, role = self._fleet.choose(principal.user_id)
        try:
            return await _infer(predictor, role, photos, options, request_id, ids)
        except ProblemError as error:
            if role == "champion" or error.status < 500:
                raise
        answered = await _infer(self._fleet.champion, "champion", photos, options, request_id, ids)
        self._comparer.record_failure(ids, answered.results, answered.milliseconds)
        return replace(answered, compare=False)

    def _remember(
        self,
        prediction: Prediction,
        digest: str,
        principal: Principal,
        source: str,
        request_id: str,
        milliseconds: float,
    ) -> None:
        result, model = prediction.result, prediction.model
        top = zip(result.labels[:_LOGGED_CLASSES], result.scores[:_LOGGED_CLASSES], strict=True)
        record = PredictionRecord(
            id=prediction.id,
            created=datetime.now(UTC),
            user_id=principal.user_id,
            user_name=principal.name,
            source=source,
            file_name=prediction.photo.name,
            photo_sha256=digest,
            label=result.labels[0],
            confidence=result.scores[0],
            known=result.known,
            novelty=result.novelty,
            top=[list(pair) for pair in top],
            latency_ms=milliseconds,
            model=model.name,
            model_version=model.version,
            request_id=request_id,
            role=prediction.role,
            features=result.features,
        )
        if self._log.add(record):
            self._photos.add(digest, prediction.photo.content, known=result.known)


async def _infer(
    predictor: Predictor,
    role: Role,
    photos: Sequence[Photo],
    options: PredictOptions,
    request_id: str,
    ids: Sequence[str],
) -> Answered:
    contents = [photo.content for photo in photos]
    parameters = options.parameters(len((await predictor.info()).classes))
    started = time.perf_counter()
    answer, info = await predictor.infer(contents, parameters, request_id)
    milliseconds = (time.perf_counter() - started) * 1000
    if len(answer.photos) != len(photos):
        raise ProblemError(502, "predictor_error", "the predictor answered another number of photos")
    return Answered(ids, contents, answer.photos, info, role, milliseconds, parameters, request_id)


def _hash(photos: Sequence[Photo]) -> Awaitable[list[str]]:
    """SHA-256 of each photo; large ones are hashed on a thread, while the predictor works."""
    if sum(len(photo.content) for photo in photos) > _HASHED_AT_ONCE:
        return asyncio.ensure_future(asyncio.to_thread(_digests, photos))
    hashes: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
    hashes.set_result(_digests(photos))
    return hashes


def _digests(photos: Sequence[Photo]) -> list[str]:
    return [hashlib.sha256(photo.content).hexdigest() for photo in photos]
