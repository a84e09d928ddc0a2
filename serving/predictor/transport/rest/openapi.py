"""Request bodies in ``/openapi.json``: FastAPI cannot describe what the endpoints read themselves."""

from __future__ import annotations

from typing import Any

from phytoflow.protocol.constants import VIEWS

_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "top_k": {"type": "integer", "minimum": 1, "description": "Labels to return for each photo."},
        "tta": {"enum": list(VIEWS), "description": "Test-time augmentation."},
        "timeout": {"type": "integer", "description": "Without effect, as priority and sequence_*."},
        "priority": {"type": "integer"},
        "sequence_id": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "sequence_start": {"type": "boolean"},
        "sequence_end": {"type": "boolean"},
    },
}
_EXPLAIN = {
    "explain": {"type": "boolean", "description": "Return a heat map too."},
    "class": {"type": "string", "description": "With explain: the class to explain."},
}
_TENSOR = {
    "type": "object",
    "required": ["name", "shape", "datatype"],
    "properties": {
        "name": {"type": "string", "maxLength": 256},
        "shape": {"type": "array", "items": {"type": "integer"}, "maxItems": 4},
        "datatype": {"enum": ["BYTES", "UINT8", "FP32"]},
        "data": {"type": "array", "description": "Base64 files for BYTES, numbers otherwise.", "items": {}},
        "parameters": {"type": "object", "properties": {"binary_data_size": {"type": "integer"}}},
    },
}
_OUTPUT = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "parameters": {
            "type": "object",
            "properties": {
                "binary_data": {"type": "boolean"},
                "classification": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "Of probabilities: best classes as SCORE:INDEX:LABEL.",
                },
            },
        },
    },
}
_INFER = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": {"type": "string", "maxLength": 256},
        "parameters": {"type": "object", "properties": _PARAMETERS["properties"] | _EXPLAIN},
        "inputs": {"type": "array", "items": _TENSOR, "minItems": 1, "maxItems": 1},
        "outputs": {"type": "array", "items": _OUTPUT, "maxItems": 16},
    },
}
_BASE64 = {"type": "string", "format": "byte"}
_B64_OBJECT = {"type": "object", "required": ["b64"], "properties": {"b64": _BASE64}}
_NAMED = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": {"anyOf": [_BASE64, _B64_OBJECT]},
}
_PHOTO = {"anyOf": [_BASE64, _B64_OBJECT, _NAMED]}
_PREDICT = {
    "type": "object",
    "required": ["instances"],
    "properties": {"instances": {"type": "array", "items": _PHOTO, "minItems": 1}, "parameters": _PARAMETERS},
}
_LOAD = {
    "type": "object",
    "properties": {
        "parameters": {
            "type": "object",
            "properties": {
                "bundle": {"type": "string", "description": "A folder beneath --bundle_repository."}
            },
            "additionalProperties": False,
        }
    },
}


def _body(*, required: bool, **schemas: dict[str, Any]) -> dict[str, Any]:
    content = {
        f"application/{kind.replace('_', '-')}": {"schema": schema} for kind, schema in schemas.items()
    }
    return {"requestBody": {"required": required, "content": content}}


_BINARY = {
    "type": "string",
    "format": "binary",
    "description": "JSON followed by the photos; see V2's binary tensor extension.",
}
INFER = _body(required=True, json=_INFER, octet_stream=_BINARY)
PREDICT = _body(required=True, json=_PREDICT)
LOAD = _body(required=False, json=_LOAD)
