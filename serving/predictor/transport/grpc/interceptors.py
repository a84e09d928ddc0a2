"""gRPC interceptors: refusals and malformed messages."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from grpc import aio, unary_unary_rpc_method_handler  # type: ignore[import-untyped]
from kserve.protocol.grpc.interceptors import ExceptionToStatusInterceptor

from serving.predictor.errors import RequestError, malformed
from serving.predictor.observability.metrics import count_error


class Refusals(ExceptionToStatusInterceptor):
    """Tells a client why its request gets no answer; kserve's own knows kserve's errors only."""

    async def handle_exception(
        self, ex: Exception, request_or_iterator: Any, context: Any, method_name: str
    ) -> None:
        """Ends the call with the status that the error stands for."""
        if isinstance(ex, RequestError):
            count_error(ex)
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
                count_error(error := malformed("the message is malformed"))
                await context.abort(error.grpc_status, error.message)
            return await handler.unary_unary(message, context)

        return unary_unary_rpc_method_handler(read_and_answer, None, handler.response_serializer)
