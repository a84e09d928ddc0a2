"""What the routes share: the services, the caller, and the options of a prediction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request

from serving.gateway.auth.principal import Principal
from serving.gateway.prediction import AUGMENTATIONS, PredictOptions
from serving.gateway.problems import ProblemError
from serving.gateway.services import Services

_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


async def get_services(request: Request) -> Services:
    """The services of this process; a coroutine, because FastAPI calls other functions on a thread."""
    services: Services = request.app.state.services
    return services


async def get_caller(request: Request) -> Principal:
    """Who asks; raises ProblemError 401."""
    return await (await get_services(request)).authenticator.authenticate(request)


ServicesOf = Annotated[Services, Depends(get_services)]
Caller = Annotated[Principal, Depends(get_caller)]


def read_options(fields: Mapping[str, Any]) -> PredictOptions:
    """The options of a prediction from a query, form or JSON document; raises ProblemError 400."""
    unknown = sorted(set(fields) - {"top_k", "explain", "tta", "webhook"})
    if unknown:
        raise ProblemError(
            400, "unknown_option", f"unknown option {unknown[0][:40]!r}; there are top_k, explain, tta"
        )
    tta = str(fields.get("tta", "none"))
    if tta not in AUGMENTATIONS:
        raise ProblemError(400, "malformed", f"tta={tta[:40]!r} is none of {', '.join(AUGMENTATIONS)}")
    return PredictOptions(
        top_k=_count(str(fields.get("top_k", "3"))),
        explain=_boolean(str(fields.get("explain", "false"))),
        tta=tta,
    )


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 1000:
        raise ProblemError(400, "malformed", f"top_k={text[:40]!r} is no number from 1 to 1000")
    return int(text)


def _boolean(text: str) -> bool:
    if (value := _WORDS.get(text.lower())) is None:
        raise ProblemError(400, "malformed", f"explain={text[:40]!r} is neither true nor false")
    return value
