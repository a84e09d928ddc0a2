"""The gRPC server."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent import futures

from grpc import aio  # type: ignore[import-untyped]
from kserve import ModelServer
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import add_GRPCInferenceServiceServicer_to_server
from kserve.protocol.grpc.server import GRPCServer

from phytoflow.system.ports import taken
from serving.predictor.model import PhotoModel
from serving.predictor.options import Options
from serving.predictor.transport.byte_budget import ByteBudget
from serving.predictor.transport.grpc.interceptors import DecodeErrorInterceptor, ErrorStatusInterceptor
from serving.predictor.transport.grpc.servicer import PhotoServicer

# Calls beyond the queue's size that are read: health checks and calls that are refused with a reason.
_SPARE_CALLS = 64
_FRAMING_BYTES = 2**20  # of a message beyond its photos


class PhotoGrpcServer(GRPCServer):
    """kserve's server with our servicer; calls beyond what the queue could hold are refused unread.

    Args:
        addresses: ``IP:PORT`` to listen on.
        server: Supplies kserve's data plane.
        model: The model.
        options: Limits.
        budget: Bytes in progress, shared with REST.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        server: ModelServer,
        model: PhotoModel,
        options: Options,
        budget: ByteBudget,
    ) -> None:
        kserve_parts = server.dataplane, server.model_repository_extension
        super().__init__(
            options.grpc_port, *kserve_parts, kwargs={}, grace_period=options.grace_period_seconds
        )
        self._addresses = addresses
        self._servicer = PhotoServicer(*kserve_parts, model, options, budget)
        self._options = options

    async def start(self, max_workers: int) -> None:
        """Serves until stopped; raises ServingError if another process has taken the port meanwhile."""
        limit = self._options.max_body_bytes + _FRAMING_BYTES
        self._server = aio.server(
            futures.ThreadPoolExecutor(max_workers),
            interceptors=(DecodeErrorInterceptor(), ErrorStatusInterceptor()),
            options=[
                ("grpc.max_send_message_length", limit),
                ("grpc.max_receive_message_length", limit),
                ("grpc.so_reuseport", 0),  # or a second predictor on this port would get every other call
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
