"""V2 model metadata, the same over REST and gRPC."""

from __future__ import annotations

import json
from typing import Any

from phytoflow.protocol.constants import VIEWS
from serving.predictor.engine.engine import Engine
from serving.predictor.engine.explain import GRID
from serving.predictor.protocol.outputs import output_names


def describe_inputs(engine: Engine) -> list[dict[str, Any]]:
    """The three forms in which photos may be sent; a request holds exactly one of them."""
    side = engine.limits.input_size
    return [
        {"name": "photos", "datatype": "BYTES", "shape": [-1]},
        {"name": "pixels", "datatype": "UINT8", "shape": [-1, -1, -1, 3]},
        {"name": "tensor", "datatype": "FP32", "shape": [-1, 3, side, side]},
    ]


def describe_outputs(engine: Engine) -> list[dict[str, Any]]:
    """The outputs; the second axis of labels and scores is the parameter ``top_k``."""
    names = output_names(ood=engine.classifier.detects_ood, features=engine.feature_count > 0)
    outputs = [
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, len(engine.classifier.classes)]},
        {"name": "labels", "datatype": "BYTES", "shape": [-1, -1]},
        {"name": "scores", "datatype": "FP32", "shape": [-1, -1]},
        {"name": "milliseconds", "datatype": "FP32", "shape": [-1]},
        {"name": "known", "datatype": "BOOL", "shape": [-1]},
        {"name": "novelty", "datatype": "FP32", "shape": [-1]},
        {"name": "features", "datatype": "FP32", "shape": [-1, engine.feature_count]},
    ]
    return [output for output in outputs if output["name"] in names]


def describe_model(name: str, engine: Engine) -> dict[str, Any]:
    """The response to ``GET /v2/models/M``."""
    choice = engine.classifier.choice
    return {
        "name": name,
        "versions": [engine.version],
        "platform": f"phytoflow_{choice.name}",
        "inputs": describe_inputs(engine),
        "outputs": describe_outputs(engine),
        "parameters": describe_parameters(engine),
    }


def describe_parameters(engine: Engine) -> dict[str, Any]:
    """Classes, limits, request parameters and runtime of a version."""
    manifest, choice = engine.classifier.bundle.manifest, engine.classifier.choice
    return {
        "inputs": "exactly one of them; names are free, the datatype decides",
        "classes": list(manifest.classes),
        "max_photos_per_request": engine.limits.max_photos,
        "max_batch_size": engine.max_batch_size,
        "top_k": "number of labels for each photo",
        "tta": {name: f"{views} views of each photo, averaged" for name, views in VIEWS.items()},
        "explain": f"true: output explanation, FP32 [-1,{GRID},{GRID}], of the likeliest class",
        "class": "with explain: the class to explain",
        "features": "this output is returned only if it is named in outputs",
        "logged": "true: the caller logs the predictions itself, the predictor does not",
        "classification": "of the output probabilities: number of classes to return as SCORE:INDEX:LABEL",
        "backbone": manifest.backbone,
        "preprocessing": manifest.preprocessing.model_dump(),
        "runtime": choice.name,
        "precision": choice.precision,
        "device": choice.device,
        "runtime_reason": choice.reason,
    }


def describe_properties(engine: Engine) -> dict[str, str]:
    """The parameters for gRPC, whose values are text: lists and objects as JSON."""
    parameters = describe_parameters(engine)
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in parameters.items()}
