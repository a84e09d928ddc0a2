"""What the predictor says of the model it serves, the same over REST and gRPC."""

from __future__ import annotations

import json
from typing import Any

from phytoflow.protocol.constants import VIEWS
from serving.predictor.engine.engine import Engine
from serving.predictor.engine.explain import GRID
from serving.predictor.protocol.outputs import names_of


def inputs(engine: Engine) -> list[dict[str, Any]]:
    """The three ways to send photos; a request holds exactly one of them."""
    size = engine.bounds.size
    return [
        {"name": "photos", "datatype": "BYTES", "shape": [-1]},
        {"name": "pixels", "datatype": "UINT8", "shape": [-1, -1, -1, 3]},
        {"name": "tensor", "datatype": "FP32", "shape": [-1, 3, size, size]},
    ]


def outputs(engine: Engine) -> list[dict[str, Any]]:
    """What is answered; k is the parameter ``top_k``."""
    names = names_of(open_set=engine.classifier.detects_ood)
    found = [
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, len(engine.classifier.classes)]},
        {"name": "labels", "datatype": "BYTES", "shape": [-1, -1]},
        {"name": "scores", "datatype": "FP32", "shape": [-1, -1]},
        {"name": "milliseconds", "datatype": "FP32", "shape": [-1]},
        {"name": "known", "datatype": "BOOL", "shape": [-1]},
        {"name": "novelty", "datatype": "FP32", "shape": [-1]},
    ]
    return [output for output in found if output["name"] in names]


def describe(name: str, engine: Engine) -> dict[str, Any]:
    """The V2 model metadata."""
    manifest, choice = engine.classifier.bundle.manifest, engine.classifier.choice
    return {
        "name": name,
        "versions": [engine.version],
        "platform": f"phytoflow_{choice.name}",
        "inputs": inputs(engine),
        "outputs": outputs(engine),
        "parameters": {
            "inputs": "one of them; names are free, the datatype decides",
            "classes": list(manifest.classes),
            "max_photos_per_request": engine.bounds.photos,
            "max_batch_size": engine.max_batch_size,
            "top_k": "labels a photo; an integer",
            "tta": {name: f"{views} views a photo, averaged" for name, views in VIEWS.items()},
            "explain": f"true: an output explanation, FP32 [-1,{GRID},{GRID}], of the likeliest class",
            "class": "with explain: the class to explain",
            "backbone": manifest.backbone,
            "preprocessing": manifest.preprocessing.model_dump(),
            "runtime": choice.name,
            "precision": choice.precision,
            "device": choice.device,
            "runtime_reason": choice.reason,
        },
    }


def properties(engine: Engine) -> dict[str, str]:
    """The same parameters for gRPC, whose values are text: lists and objects as JSON."""
    parameters = describe("", engine)["parameters"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in parameters.items()}
