"""V2 over gRPC: kserve's servicer, with the bounds, the metadata and the versions that REST has.

kserve's own (0.21) answers load and unload with an internal error, has no bound on what it holds, and knows
neither versions nor classes.
"""

from __future__ import annotations

from concurrent import futures
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from grpc import StatusCode, aio, unary_unary_rpc_method_handler  # type: ignore[import-untyped]
from kserve import ModelServer
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import add_GRPCInferenceServiceServicer_to_server
from kserve.protocol.grpc.interceptors import ExceptionToStatusInterceptor
from kserve.protocol.grpc.server import GRPCServer
from kserve.protocol.grpc.servicer import InferenceServicer
from kserve.protocol.model_repository_extension import ModelRepositoryExtension

from phytoflow.protocol.grpc_messages import MetadataResponse
from phytoflow.system.ports import taken
from serving.predictor.errors import RequestError
from serving.predictor.model import LeafModel
from serving.predictor.observability.metrics import ERRORS
from serving.predictor.options import Options
from serving.predictor.protocol import metadata
from serving.predictor.transport.byte_budget import Budget

_SPARE_CALLS = 64
_FRAMING_BYTES = 2**20


class LeafServicer(InferenceServicer):
    """The calls that differ from kserve's.

    Args:
        data_plane: For the other calls.
        repository: For the other calls.
        model: Who answers.
        options: Whether clients may change versions.
        budget: Shared with REST.
    """

    def __init__(
        self,
        data_plane: DataPlane,
        repository: ModelRepositoryExtension,
        model: LeafModel,
        options: Options,
        budget: Budget,
    ) -> None:
        super().__init__(data_plane, repository)
        self._model, self._options, self._budget = model, options, budget

    async def ModelInfer(self, request: pb.ModelInferRequest, context: Any) -> pb.ModelInferResponse:  # noqa: N802
        """Answers photos; what is over the budget is refused at once."""
        self._model.check(request.model_name, request.model_version)
        self._model.current.check_room()
        size = request.ByteSize()
        self._budget.take(size)
        try:
            return await super().ModelInfer(request, context)
        finally:
            self._budget.give_back(size)

    async def ModelMetadata(self, request: pb.ModelMetadataRequest, context: Any) -> Any:  # noqa: N802
        """Inputs, outputs, version; classes and runtime as properties (field 6 of the open protocol)."""
        self._model.check(request.name, request.version)
        engine = self._model.current
        known = metadata.describe(self._model.name, engine)
        del known["parameters"]
        more = MetadataResponse()
        for key, value in metadata.properties(engine).items():
            more.properties.add(key=key, value=value)
        content = pb.ModelMetadataResponse(**known).SerializeToString() + more.SerializeToString()
        return pb.ModelMetadataResponse.FromString(content)  # keeps the field that kserve does not know

    async def RepositoryModelLoad(self, request: pb.RepositoryModelLoadRequest, context: Any) -> Any:  # noqa: N802
        """Loads the bundle given at the start as it is now; the message has no field to name another."""
        self._model.check_change(request.model_name, self._options)
        await self._model.versions.load()
        return pb.RepositoryModelLoadResponse(model_name=request.model_name, isLoaded=True)

    async def RepositoryModelUnload(self, request: pb.RepositoryModelUnloadRequest, context: Any) -> Any:  # noqa: N802
        """Unloads the version that answers."""
        self._model.check_change(request.model_name, self._options)
        await self._model.versions.unload()
        return pb.RepositoryModelUnloadResponse(model_name=request.model_name, isUnloaded=True)


class Refusals(ExceptionToStatusInterceptor):
    """Tells a client why its request gets no answer; kserve's own knows kserve's errors only."""

    async def handle_exception(
        self, ex: Exception, request_or_iterator: Any, context: Any, method_name: str
    ) -> None:
        """Ends the call with the status that the error stands for."""
        if isinstance(ex, RequestError):
            ERRORS.labels(ex.reason).inc()
            await context.abort(ex.grpc_status, ex.message)
        await super().handle_exception(ex, request_or_iterator, context, method_name)


class Malformed(aio.ServerInterceptor):
    """Tells a client that its bytes are no message; grpc's own answer is "unknown", with a traceback here."""

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Reads the message where a failure can be answered."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None

        async def read_and_answer(content: bytes, context: Any) -> Any:
            try:
                message = handler.request_deserializer(content)
            except DecodeError:
                ERRORS.labels("malformed").inc()
                await context.abort(StatusCode.INVALID_ARGUMENT, "the message is malformed")
            return await handler.unary_unary(message, context)

        return unary_unary_rpc_method_handler(read_and_answer, None, handler.response_serializer)


class LeafGrpcServer(GRPCServer):
    """The server of kserve with our servicer; calls beyond what could wait anyway are refused unread."""

    def __init__(
        self, port: int, server: ModelServer, model: LeafModel, options: Options, budget: Budget
    ) -> None:
        own = server.dataplane, server.model_repository_extension
        super().__init__(port, *own, kwargs={}, grace_period=options.grace_seconds)
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
            maximum_concurrent_rpcs=self._options.max_queue + _SPARE_CALLS,
        )
        add_GRPCInferenceServiceServicer_to_server(self._servicer, self._server)
        try:
            self._server.add_insecure_port(f"[::]:{self._port}")
        except RuntimeError as error:
            raise taken(self._port, "--grpc_port") from error
        await self._server.start()
        await self._server.wait_for_termination()
