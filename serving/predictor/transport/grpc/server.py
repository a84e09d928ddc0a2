"""The gRPC server."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent import futures

from grpc import aio  # type: ignore[import-untyped]
from kserve import ModelServer
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import add_GRPCInferenceServiceServicer_to_server
from kserve.protocol.grpc.server import GRPCServer

from phytoflow.system.ports import taken
from serving.predictor.model import LeafModel
from serving.predictor.options import Options
from serving.predictor.transport.byte_budget import Budget
from serving.predictor.transport.grpc.interceptors import Malformed, Refusals
from serving.predictor.transport.grpc.servicer import LeafServicer

_SPARE_CALLS = 64


_FRAMING_BYTES = 2**20


class LeafGrpcServer(GRPCServer):
    """The server of kserve with our servicer; calls beyond what could wait anyway are refused unread."""

    def __init__(
        self,
        addresses: Sequence[str],
        server: ModelServer,
        model: LeafModel,
        options: Options,
        budget: Budget,
    ) -> None:
        own = server.dataplane, server.model_repository_extension
        self._addresses = addresses
        super().__init__(options.grpc_port, *own, kwargs={}, grace_period=options.grace_period_seconds)
        self._servicer = LeafServicer(*own, model, options, budget)
        self._options = options

    async def start(self, max_workers: int) -> None:
        """Serves until stopped; raises ServingError where another took the port meanwhile."""
        limit = self._options.max_body_bytes + _FRAMING_BYTES
        self._server = aio.server(
            futures.ThreadPoolExecutor(max_workers),
            interceptors=(Malformed(), Refusals()),
            options=[
                ("grpc.max_send_message_length", limit),
                ("grpc.max_receive_message_length", limit),
                ("grpc.so_reuseport", 0),  # or another predictor would get every other call
            ],
            maximum_concurrent_rpcs=self._options.max_queue_size + _SPARE_CALLS,
        )
        add_GRPCInferenceServiceServicer_to_server(self._servicer, self._server)
        for address in self._addresses:
            try:
                self._server.add_insecure_port(address)
            except RuntimeError as error:
                raise taken(int(address.rpartition(":")[2]), "--grpc_port") from error
        await self._server.start()
        await self._server.wait_for_termination()
