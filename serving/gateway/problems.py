"""Errors as RFC 9457 problem documents."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from phytoflow.errors import StorageError

_LOG = logging.getLogger(__name__)
PROBLEM_TYPE = "urn:phytoflow:problem:"
"""Prefix of each problem's ``type``; the last part is its stable name."""
MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Gone",
    413: "Too large",
    415: "Unsupported media type",
    422: "Unusable photo",
    429: "Too many photos",
    502: "The predictor answered wrongly",
    503: "Not available",
    504: "The predictor did not answer in time",
}


class ProblemError(Exception):
    """An error that the caller is meant to read.

    Args:
        status: HTTP status.
        reason: Stable name in snake_case, e.g. ``too_large``.
        detail: What is wrong with this request.
        remedy: What the caller can do.
        headers: Further response headers.
        extra: Further members of the document, e.g. ``photo``.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        *,
        remedy: str = "",
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.reason, self.detail, self.remedy = status, reason, detail, remedy
        self.headers, self.extra = headers or {}, extra

    def document(self, request_id: str = "") -> dict[str, Any]:
        """The problem document."""
        members = {"type": PROBLEM_TYPE + self.reason, "title": _TITLES.get(self.status, "Error")}
        members |= {"status": self.status, "reason": self.reason, "detail": self.detail}  # type: ignore[dict-item]
        members |= {"remedy": self.remedy} if self.remedy else {}
        members |= {"instance": f"urn:uuid:{request_id}"} if request_id else {}
        return members | self.extra


def problem_response(problem: ProblemError, request_id: str = "") -> Response:
    """The problem as an HTTP response."""
    return Response(
        orjson.dumps(problem.document(request_id)),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


PageRenderer = Callable[[Request, ProblemError], Response | None]


def install_problem_handlers(app: FastAPI, render_page: PageRenderer) -> None:
    """Makes every error of an application a problem document, or a page where a browser asks for one.

    Args:
        app: The application.
        render_page: Renders a problem as a page; None where the caller wants a document.
    """

    def respond(request: Request, problem: ProblemError) -> Response:
        request.state.reason = problem.reason
        return render_page(request, problem) or problem_response(problem, request_id_of(request))

    @app.exception_handler(ProblemError)
    async def _problem(request: Request, error: ProblemError) -> Response:
        return respond(request, error)

    async def _away(request: Request, error: Exception) -> Response:
        if isinstance(error, ProgrammingError | DataError | IntegrityError):
            raise error  # a fault of this code
        _LOG.warning(
            "database or photo store cannot be reached: %s: %s", type(error).__name__, str(error)[:200]
        )
        problem = ProblemError(
            503,
            "storage_unreachable",
            "the database or the photo store cannot be reached",
            remedy="try again after Retry-After; predictions go on",
            headers={"Retry-After": "5"},
        )
        return respond(request, problem)

    for kind in (SQLAlchemyError, StorageError, OSError):  # asyncpg's own failures to connect are OSErrors
        app.add_exception_handler(kind, _away)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        reason = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_allowed(request))
        problem = ProblemError(error.status_code, reason, str(error.detail), headers=headers)
        return respond(request, problem)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()
        ]
        problem = ProblemError(400, "malformed", "; ".join(faults), remedy="see /docs for what is expected")
        return respond(request, problem)


def _allowed(request: Request) -> list[str]:
    """The methods of a path: of all its routes, not of the first one alone."""
    return [
        method
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        if any(
            route.matches(dict(request.scope) | {"method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


def request_id_of(request: Request) -> str:
    """The id that the request's log line, metrics and answer share; empty before one is given."""
    return str(getattr(request.state, "request_id", ""))
