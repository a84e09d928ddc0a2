"""Who classifies: a running predictor or a bundle in this process, behind one interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.errors import ConfigError, ServingError, nearest_name


@dataclass(frozen=True)
class Ranking:
    """The most likely classes of a photo, best first, and whether it shows any of them."""

    labels: Sequence[str]
    scores: Sequence[float]
    known: bool | None = None
    novelty: float | None = None


@dataclass(frozen=True)
class Explanation:
    """What speaks for a class.

    Attributes:
        label: The class explained.
        ranking: The photo's most likely classes.
        heat: float32 [side, side] from 0 to 1, over the photo's central square.
    """

    label: str
    ranking: Ranking
    heat: NDArray[np.float32]


class PhotoSource(ABC):
    """Classifies and explains encoded photos.

    Attributes:
        classes: Class names.
    """

    classes: tuple[str, ...]

    @property
    @abstractmethod
    def preprocessing(self) -> Preprocessing:
        """How the bundle prepares photos; ServingError if a predictor's is of a later version."""

    @abstractmethod
    def rank(self, photos: Sequence[bytes], top_k: int) -> list[Ranking]:
        """Classifies photos; ``top_k`` may exceed the number of classes.

        Raises:
            PhotoError, RefusedError: A photo cannot be used.
            ServingError: The predictor cannot be reached.
        """

    @abstractmethod
    def explain(self, photo: bytes, label: str | None) -> Explanation:
        """Explains a class, or the most likely one; errors as for ``rank``."""

    def check_class(self, label: str) -> None:
        """Raises ConfigError if there is no class of this name."""
        if label not in self.classes:
            near = nearest_name(label, self.classes)
            remedy = f"did you mean {near!r}?" if near else f"there are: {', '.join(self.classes)}"
            raise ConfigError(f"the model has no class {label!r}", remedy=remedy)


def open_source(url: str, bundle: str, model: str) -> PhotoSource:
    """Opens whichever of the two is given; ConfigError unless it is exactly one."""
    if bool(url) == bool(bundle):
        remedy = "e.g. --bundle out/bundle, or --url http://localhost:8080"
        raise ConfigError("give either --url or --bundle", remedy=remedy)
    return _Predictor(url, model) if url else _Bundle(bundle)


class _Predictor(PhotoSource):
    def __init__(self, url: str, model: str) -> None:
        from phytoflow.client import Client

        self._client = Client(url, model)
        try:
            self._parameters = self._client.metadata()["parameters"]
            self.classes = tuple(self._parameters["classes"])
        except (KeyError, TypeError) as error:
            what = f"{url} serves the model {model!r}, but does not list its classes"
            raise ServingError(what, remedy="check the address: is this phytoflow's predictor?") from error

    @property
    def preprocessing(self) -> Preprocessing:
        try:
            return Preprocessing.model_validate(self._parameters.get("preprocessing"))
        except ValidationError as error:
            what = "the predictor prepares photos in a way that this version does not know"
            raise ServingError(what, remedy="use the predictor's version of phytoflow here") from error

    def rank(self, photos: Sequence[bytes], top_k: int) -> list[Ranking]:
        predictions = self._client.predict(photos, min(top_k, len(self.classes)))
        return [Ranking(p.labels, p.scores, p.known, p.novelty) for p in predictions]

    def explain(self, photo: bytes, label: str | None) -> Explanation:
        (prediction,) = self._client.explain([photo], label)
        p = prediction
        ranking = Ranking(p.labels, p.scores, p.known, p.novelty)
        return Explanation(label or p.label, ranking, np.asarray(p.explanation, np.float32))


class _Bundle(PhotoSource):
    def __init__(self, bundle: str) -> None:
        from phytoflow.inference.classifier import Classifier

        self._classifier = Classifier.load(bundle)
        self.classes = self._classifier.classes

    @property
    def preprocessing(self) -> Preprocessing:
        return self._classifier.bundle.manifest.preprocessing

    def rank(self, photos: Sequence[bytes], top_k: int) -> list[Ranking]:
        predictions = self._classifier.predict(photos)
        labels, scores = predictions.top(top_k)
        novelty = [None] * len(photos) if predictions.novelty is None else predictions.novelty.tolist()
        rows = zip(labels, scores.tolist(), novelty, strict=True)
        return [Ranking(names, row, None if n is None else n <= 1, n) for names, row, n in rows]

    def explain(self, photo: bytes, label: str | None) -> Explanation:
        from phytoflow.inference.attribution import explain

        (ranking,) = self.rank([photo], top_k=5)
        label = label or ranking.labels[0]
        heat = explain(self._classifier, self.preprocessing(photo), self.classes.index(label))
        return Explanation(label, ranking, heat)
