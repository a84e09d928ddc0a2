"""The messages of V2 over gRPC, against kserve's generated ones."""

import struct

import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as kserve_messages

from phytoflow.client.grpc_codec import decode, decode_metadata, encode
from phytoflow.client.parameters import InferParameters
from phytoflow.errors import ServingError
from phytoflow.protocol.grpc_messages import InferResponse, MetadataResponse


def test_kserve_reads_the_request() -> None:
    ours = encode("leaf", [b"one", b"two!"], InferParameters(top_k=2, tta="flips", explain=True))
    theirs = kserve_messages.ModelInferRequest.FromString(ours.SerializeToString())
    assert (theirs.model_name, theirs.inputs[0].datatype, theirs.inputs[0].shape) == ("leaf", "BYTES", [2])
    assert theirs.raw_input_contents[0] == b"\x03\0\0\0one\x04\0\0\0two!"
    assert theirs.parameters["top_k"].int64_param == 2
    assert theirs.parameters["tta"].string_param == "flips"
    assert theirs.parameters["explain"].bool_param is True


def response() -> kserve_messages.ModelInferResponse:
    """What kserve would send for two photos and two classes."""
    names = b"".join(struct.pack("<I", len(n)) + n for n in (b"scab", "Löwe".encode()) * 2)
    tensors = {
        "probabilities": ("FP32", [2, 2], struct.pack("<4f", 0.75, 0.25, 0.5, 0.5)),
        "labels": ("BYTES", [2, 2], names),
        "scores": ("FP32", [2, 2], struct.pack("<4f", 0.75, 0.25, 0.5, 0.5)),
        "milliseconds": ("FP32", [2], struct.pack("<2f", 1.0, 2.0)),
        "known": ("BOOL", [2], b"\1\0"),
        "novelty": ("FP32", [2], struct.pack("<2f", 0.5, 1.5)),
    }
    message = kserve_messages.ModelInferResponse(model_version="9")
    for name, (datatype, shape, raw) in tensors.items():
        message.outputs.add(name=name, datatype=datatype, shape=shape)
        message.raw_output_contents.append(raw)
    return message


def test_a_response_of_kserve_is_read() -> None:
    first, second = decode(InferResponse.FromString(response().SerializeToString()))
    assert (first.label, first.labels, first.known) == ("scab", ("scab", "Löwe"), True)
    assert (second.probabilities, second.milliseconds, second.novelty) == ((0.5, 0.5), 2.0, 1.5)
    assert second.model_version == "9"


@pytest.mark.parametrize("damage", ["no outputs", "cut", "no rows"])
def test_another_server_is_recognised(damage: str) -> None:
    message = response()
    if damage == "no outputs":
        message = kserve_messages.ModelInferResponse(model_version="9")
    elif damage == "cut":
        message.raw_output_contents[0] = message.raw_output_contents[0][:-1]
    else:
        message.outputs[0].shape[0] = 0
    with pytest.raises(ServingError, match="unexpected answer"):
        decode(InferResponse.FromString(message.SerializeToString()))


def test_metadata_has_lists_and_plain_text() -> None:
    message = MetadataResponse(name="leaf", versions=["9"])
    message.properties.add(key="classes", value='["rust", "scab"]')
    message.properties.add(key="runtime", value="onnx")
    parameters = {"classes": ["rust", "scab"], "runtime": "onnx"}
    assert decode_metadata(message) == {"name": "leaf", "versions": ["9"], "parameters": parameters}
