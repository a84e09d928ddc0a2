"""The trained model on disk: ``model.safetensors`` and ``model.json``; no pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
from pydantic import BaseModel, ConfigDict, ValidationError

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.errors import StorageError
from phytoflow.models.factory import create_model
from phytoflow.models.network import PhotoClassifier
from phytoflow.models.settings import ModelSettings

WEIGHTS_FILE = "model.safetensors"
DESCRIPTION_FILE = "model.json"
_REMEDY = "train again, or give the folder that training wrote"


@dataclass(frozen=True)
class TrainedModel:
    """A trained model with what is needed to use it.

    Attributes:
        model: In evaluation mode.
        classes: Labels in the order of the logits.
        preprocessing: From photos to its input.
        facts: What training says of it (``phytoflow.training.summary.TrainingSummary`` as a dict); ``model``
            holds the ModelSettings it was built from.
    """

    model: PhotoClassifier
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    facts: dict[str, Any]


class _Description(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    schema_version: Literal[1] = 1
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    facts: dict[str, Any]


def save_trained(
    folder: Path,
    model: PhotoClassifier,
    classes: tuple[str, ...],
    preprocessing: Preprocessing,
    facts: dict[str, Any],
) -> None:
    """Writes a trained model into an existing folder (write the folder itself atomically).

    Args:
        folder: Where to.
        model: The network.
        classes: Labels in the order of the logits.
        preprocessing: From photos to its input.
        facts: JSON values; ``model`` must hold the ModelSettings, from which it is built again.
    """
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    safetensors.torch.save_file(state, folder / WEIGHTS_FILE)
    ModelSettings.model_validate(facts["model"])
    description = _Description(classes=classes, preprocessing=preprocessing, facts=facts)
    (folder / DESCRIPTION_FILE).write_text(description.model_dump_json(indent=2) + "\n")


def load_trained(folder: Path | str) -> TrainedModel:
    """Opens a trained model, on the CPU and in evaluation mode.

    Raises:
        StorageError: None is there, or its files do not fit each other.
    """
    folder = Path(folder)
    try:
        about = _Description.model_validate(json.loads((folder / DESCRIPTION_FILE).read_text()))
        bare = ModelSettings.model_validate(about.facts["model"] | {"weights": "none"})
        model = create_model(bare, len(about.classes))
        model.load_state_dict(safetensors.torch.load_file(folder / WEIGHTS_FILE))
    except FileNotFoundError as error:
        raise StorageError(
            f"no trained model at {folder}: {error.filename} is missing", remedy=_REMEDY
        ) from error
    except (ValidationError, ValueError, KeyError, RuntimeError, safetensors.SafetensorError) as error:
        raise StorageError(f"the model at {folder} is damaged: {str(error)[:300]}", remedy=_REMEDY) from error
    return TrainedModel(model, about.classes, about.preprocessing, about.facts)


def read_facts(folder: Path | str) -> dict[str, Any]:
    """What training says of a model, without loading it; raises StorageError if none is there."""
    try:
        return _Description.model_validate_json((Path(folder) / DESCRIPTION_FILE).read_text()).facts
    except (OSError, ValidationError) as error:
        raise StorageError(f"no trained model at {folder}", remedy=_REMEDY) from error
