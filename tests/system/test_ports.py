import socket

import pytest

from phytoflow.errors import ServingError
from phytoflow.system.ports import check_free, free_port


def test_a_free_port_can_be_listened_on() -> None:
    port = free_port()
    check_free(port, "--http_port")
    with socket.socket() as server:
        server.bind(("", port))


def test_a_port_in_use_is_named_with_its_setting() -> None:
    with socket.socket() as server:
        server.bind(("", 0))
        server.listen()
        port = server.getsockname()[1]
        with pytest.raises(ServingError, match=rf"--grpc_port {port} is in use") as refusal:
            check_free(port, "--grpc_port")
    assert "0 for a free one" in refusal.value.remedy
    check_free(port, "--grpc_port")
