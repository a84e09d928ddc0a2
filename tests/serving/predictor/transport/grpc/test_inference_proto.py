"""inference.proto, which gRPC tools read, against the messages of kserve."""

import re

from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb

from tests.support.services.servers import ROOT

PROTO = ROOT / "serving" / "predictor" / "transport" / "grpc" / "inference.proto"


def test_the_proto_file_has_the_numbers_of_the_messages() -> None:
    """Field by field against kserve's; ``properties`` is the open protocol's, which kserve lacks."""
    scope: list[str] = []
    checked = 0
    for line in PROTO.read_text().splitlines():
        if opened := re.match(r"\s*(message|oneof|service) (\w+) {(})?", line):
            scope += [] if opened[3] else [opened[2] if opened[1] == "message" else ""]
        elif line.strip() == "}":
            scope.pop()
        elif field := re.match(r"\s*(?:repeated )?[\w<>, ]+ (\w+) = (\d+);", line):
            descriptor = pb
            for name in filter(None, scope):
                descriptor = getattr(descriptor, name)
            if field[1] != "properties":
                assert descriptor.DESCRIPTOR.fields_by_name[field[1]].number == int(field[2]), line
                checked += 1
    assert checked > 40
