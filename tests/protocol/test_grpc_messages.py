"""Our protobuf messages, field by field against those that kserve generates from the protocol's file."""

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from kserve.protocol.grpc import grpc_predict_v2_pb2 as kserve_messages

from phytoflow.protocol import grpc_messages as ours

PAIRS = {
    "InferRequest": "ModelInferRequest",
    "InferResponse": "ModelInferResponse",
    "MetadataRequest": "ModelMetadataRequest",
    "MetadataResponse": "ModelMetadataResponse",
}
IN_THE_PROTOCOL_ONLY = {"properties"}  # the open protocol has it, kserve's file has not


@pytest.mark.parametrize(("name", "theirs"), PAIRS.items())
def test_fields_have_the_protocols_numbers_and_types(name: str, theirs: str) -> None:
    compare(getattr(ours, name).DESCRIPTOR, getattr(kserve_messages, theirs).DESCRIPTOR)


def compare(mine: Descriptor, other: Descriptor) -> None:
    for field in mine.fields:
        if field.name in IN_THE_PROTOCOL_ONLY:
            continue
        twin = other.fields_by_name[field.name]
        assert (field.number, field.type) == (twin.number, twin.type), field.full_name
        assert field.is_repeated == twin.is_repeated, field.full_name
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            compare(field.message_type, twin.message_type)


def test_calls_are_those_of_the_protocol() -> None:
    service = kserve_messages.DESCRIPTOR.services_by_name["GRPCInferenceService"]
    calls = {f"/{service.full_name}/{method.name}" for method in service.methods}
    assert {ours.METHOD, ours.METADATA} <= calls
