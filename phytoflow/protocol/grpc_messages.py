"""The V2 protocol's protobuf messages, as far as the client and the predictor need them.

Built from their field numbers instead of generated code, which is tied to one protobuf version, and under a
package of our own: kserve registers the same messages as ``inference`` in the same process, and protobuf
allows a name once. On the wire only field numbers count.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

METHOD = "/inference.GRPCInferenceService/ModelInfer"
METADATA = "/inference.GRPCInferenceService/ModelMetadata"
_PACKAGE = "phytoflow.v2"
_FIELD = descriptor_pb2.FieldDescriptorProto
_KINDS = {
    "bool": _FIELD.TYPE_BOOL,
    "string": _FIELD.TYPE_STRING,
    "int64": _FIELD.TYPE_INT64,
    "bytes": _FIELD.TYPE_BYTES,
}
# A map is a repeated message of key and value.
# message -> (field, number, kind; "*" repeats)
_MESSAGES: dict[str, list[tuple[str, int, str]]] = {
    "Parameter": [("bool_param", 1, "bool"), ("int64_param", 2, "int64"), ("string_param", 3, "string")],
    "Entry": [("key", 1, "string"), ("value", 2, "Parameter")],
    "Tensor": [("name", 1, "string"), ("datatype", 2, "string"), ("shape", 3, "int64*")],
    "InferRequest": [
        ("model_name", 1, "string"),
        ("parameters", 4, "Entry*"),
        ("inputs", 5, "Tensor*"),
        ("raw_input_contents", 7, "bytes*"),
    ],
    "InferResponse": [
        ("model_name", 1, "string"),
        ("model_version", 2, "string"),
        ("outputs", 5, "Tensor*"),
        ("raw_output_contents", 6, "bytes*"),
    ],
    "MetadataRequest": [("name", 1, "string"), ("version", 2, "string")],
    "Property": [("key", 1, "string"), ("value", 2, "string")],
    "MetadataResponse": [
        ("name", 1, "string"),
        ("versions", 2, "string*"),
        ("platform", 3, "string"),
        ("inputs", 4, "Tensor*"),
        ("outputs", 5, "Tensor*"),
        ("properties", 6, "Property*"),
    ],
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="phytoflow/v2.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            repeated = kind.endswith("*")
            _add(message.field.add(name=field, number=number), kind.rstrip("*"), repeated)
    return file


def _add(field: descriptor_pb2.FieldDescriptorProto, kind: str, repeated: bool) -> None:
    field.label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
    if kind in _KINDS:
        field.type = _KINDS[kind]
    else:
        field.type, field.type_name = _FIELD.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"


def _class(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())
InferRequest = _class("InferRequest")
InferResponse = _class("InferResponse")
MetadataRequest = _class("MetadataRequest")
MetadataResponse = _class("MetadataResponse")
