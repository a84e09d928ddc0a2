"""gRPC interceptors that turn errors into statuses."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from grpc import aio, unary_unary_rpc_method_handler  # type: ignore[import-untyped]
from kserve.protocol.grpc.interceptors import ExceptionToStatusInterceptor

from serving.predictor.errors import RequestError, malformed
from serving.predictor.observability.metrics import count_error


class ErrorStatusInterceptor(ExceptionToStatusInterceptor):
    """Ends a call with the status of its ``RequestError``, which kserve's interceptor does not know."""

    async def handle_exception(
        self, ex: Exception, request_or_iterator: Any, context: Any, method_name: str
    ) -> None:
        """Aborts the call."""
        if isinstance(ex, RequestError):
            count_error(ex)
            await context.abort(ex.grpc_status, ex.message)
        await super().handle_exception(ex, request_or_iterator, context, method_name)


class DecodeErrorInterceptor(aio.ServerInterceptor):
    """Refuses bytes that are no message; grpc itself would answer "unknown" and log a traceback."""

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Moves deserialising into the handler, where its failure can be answered."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None

        async def deserialise_and_handle(content: bytes, context: Any) -> Any:
            try:
                message = handler.request_deserializer(content)
            except DecodeError:
                count_error(error := malformed("the message is malformed"))
                await context.abort(error.grpc_status, error.message)
            return await handler.unary_unary(message, context)

        return unary_unary_rpc_method_handler(deserialise_and_handle, None, handler.response_serializer)
