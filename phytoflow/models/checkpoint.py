"""The trained model on disk: ``model.safetensors`` and ``model.json``; no pickle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
from pydantic import BaseModel, ConfigDict, model_validator

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
    """A trained model with all that is needed to use it.

    Attributes:
        model: The network, in evaluation mode.
        classes: Labels in the order of the logits.
        preprocessing: From photos to the network's input.
        summary: ``phytoflow.training.summary.TrainingSummary`` as a dict; its ``model`` holds the
            ModelSettings that the network was built from.
    """

    model: PhotoClassifier
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    summary: dict[str, Any]


class _Description(BaseModel):
    """``model.json``. Schema 1 had the summary under ``facts`` and other names of settings."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    schema_version: Literal[2] = 2
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    summary: dict[str, Any]

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, document: Any) -> Any:
        if not isinstance(document, dict) or document.get("schema_version") != 1:
            return document
        summary = document["facts"]
        training = summary.get("training", {})
        if "tail_blocks" in training:  # the one setting of a training that the export reads
            summary = summary | {"training": training | {"finetune_blocks": training["tail_blocks"]}}
        rest = {key: value for key, value in document.items() if key not in ("facts", "schema_version")}
        return rest | {"summary": summary}


def save_trained(
    folder: Path,
    model: PhotoClassifier,
    classes: tuple[str, ...],
    preprocessing: Preprocessing,
    summary: dict[str, Any],
) -> None:
    """Writes a trained model into an existing folder (write the folder itself atomically).

    Args:
        folder: Where to.
        model: The network.
        classes: Labels in the order of the logits.
        preprocessing: From photos to the network's input.
        summary: JSON values; ``model`` must hold the ModelSettings, from which the network is built again.
    """
    ModelSettings.model_validate(summary["model"])
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    # Not save_file: on a full disk it raises an error of its own instead of an OSError.
    (folder / WEIGHTS_FILE).write_bytes(safetensors.torch.save(state))
    description = _Description(classes=classes, preprocessing=preprocessing, summary=summary)
    (folder / DESCRIPTION_FILE).write_text(description.model_dump_json(indent=2) + "\n")


def load_trained(folder: Path | str) -> TrainedModel:
    """Loads a trained model, on the CPU and in evaluation mode.

    Raises:
        StorageError: There is none, or its files are damaged or do not fit each other.
    """
    folder = Path(folder)
    description = _read_description(folder)
    try:
        settings = ModelSettings.model_validate(description.summary["model"] | {"weights": "none"})
        model = create_model(settings, len(description.classes))
        model.load_state_dict(safetensors.torch.load_file(folder / WEIGHTS_FILE))
    except FileNotFoundError as error:
        raise _missing(folder, WEIGHTS_FILE) from error
    except (ValueError, KeyError, RuntimeError, safetensors.SafetensorError) as error:
        raise StorageError(f"the model at {folder} is damaged: {str(error)[:300]}", remedy=_REMEDY) from error
    return TrainedModel(model, description.classes, description.preprocessing, description.summary)


def read_summary(folder: Path | str) -> dict[str, Any]:
    """The summary of a model's training, without its weights; raises StorageError if there is none."""
    return _read_description(Path(folder)).summary


def _read_description(folder: Path) -> _Description:
    try:
        return _Description.model_validate_json((folder / DESCRIPTION_FILE).read_text())
    except FileNotFoundError as error:
        raise _missing(folder, DESCRIPTION_FILE) from error
    except (OSError, ValueError, KeyError) as error:
        raise StorageError(f"the model at {folder} is damaged: {str(error)[:300]}", remedy=_REMEDY) from error


def _missing(folder: Path, file: str) -> StorageError:
    return StorageError(f"no trained model at {folder}: {file} is missing", remedy=_REMEDY)
