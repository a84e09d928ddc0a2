"""Errors of the gateway, from its problem documents (RFC 9457)."""

from __future__ import annotations

import json
from typing import Any

import httpx

from phytoflow.client.gateway.answers import Task
from phytoflow.errors import ServingError


class GatewayError(ServingError):
    """The gateway refused a request.

    Attributes:
        status: HTTP status.
        reason: Stable name of the error, e.g. ``too_large``.
        photo: The photo it is about, by name or position; None if it is about none.
        request_id: Id of the request in the gateway's log.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        reason: str,
        remedy: str = "",
        photo: str | int | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.status, self.reason, self.photo, self.request_id = status, reason, photo, request_id

    @classmethod
    def from_problem(cls, status: int, problem: dict[str, Any]) -> GatewayError:
        """The error that a problem document stands for."""
        return cls(
            str(problem.get("detail", f"HTTP {status}")),
            status=status,
            reason=str(problem.get("reason", "refused")),
            remedy=str(problem.get("remedy", "")),
            photo=problem.get("photo"),
            request_id=str(problem.get("instance", "")).removeprefix("urn:uuid:"),
        )


def error_of(response: httpx.Response) -> GatewayError | None:
    """The error of a response; None for a good one."""
    if response.is_success:
        return None
    if problem := _read_problem(response.content):
        return GatewayError.from_problem(response.status_code, problem)
    status = f"HTTP {response.status_code} {response.reason_phrase}".rstrip()
    return GatewayError(
        f"{status}, and no explanation",
        status=response.status_code,
        reason="refused",
        remedy="check the URL: is it phytoflow's gateway, or a proxy in front of it?",
    )


def _read_problem(content: bytes) -> dict[str, Any] | None:
    """The problem document; None if it is something else."""
    try:
        problem = json.loads(content)
    except ValueError:
        return None
    return problem if isinstance(problem, dict) and "detail" in problem else None


def unfinished(task: Task, seconds: float) -> ServingError:
    """The error of a task that was waited for too long."""
    return ServingError(f"task {task.task_id} is {task.state} after {seconds:g} s", remedy="wait longer")


def not_ours(url: str, error: Exception) -> ServingError:
    """The error of a response that this client cannot read."""
    what = f"{url} gave an unexpected answer: {error}"
    return ServingError(what, remedy="check the URL: is it phytoflow's gateway, of a version that fits?")


def unreachable(url: str, error: Exception) -> ServingError:
    """The error of a request that got no response."""
    what = f"{url} cannot be reached: {str(error) or type(error).__name__}"
    return ServingError(what, remedy="check the URL and that the gateway runs: GET /livez")
