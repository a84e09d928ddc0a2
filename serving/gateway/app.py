"""The application: routes, middleware and the life of the services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from phytoflow import __version__
from serving.gateway.api import (
    account,
    analytics,
    docs,
    drift,
    feedback,
    ingest,
    predict,
    predictions,
    rollouts,
    service,
    tasks,
)
from serving.gateway.api.openapi import describe
from serving.gateway.console.router import router as console
from serving.gateway.console.view import render_problem
from serving.gateway.middleware import RequestMiddleware
from serving.gateway.problems import install_problem_handlers
from serving.gateway.services import Services
from serving.gateway.settings import GatewaySettings

_DESCRIPTION = """
Classifies photographs. Authenticate with `Authorization: Bearer TOKEN`, where TOKEN is a JSON Web Token or an
API key. Errors are RFC 9457 problem documents. Rate limits are in the headers `RateLimit` and
`RateLimit-Policy`.
"""


def create_app(settings: GatewaySettings) -> FastAPI:
    """Makes the application.

    Args:
        settings: Everything it needs to know.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = app.state.services = Services.of(settings)
        await services.open()
        yield
        await services.close()

    app = FastAPI(
        title="phytoflow",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    install_problem_handlers(app, render_problem)
    # Routes are tried in this order: those that are asked most come first.
    asked = (predict, tasks, predictions, feedback, analytics, account, service)
    for module in (*asked, ingest, rollouts, drift):
        app.include_router(module.router, prefix="/v1")
    for router in (service.probes, docs.router, console):
        app.include_router(router)
    if settings.server.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.server.cors_origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key", "X-Request-Id"],
            expose_headers=["RateLimit", "RateLimit-Policy", "Retry-After", "Location", "X-Request-Id"],
        )
    app.add_middleware(
        RequestMiddleware,
        max_in_flight_bytes=settings.server.max_in_flight_bytes,
        https=settings.server.public_url.startswith("https:"),
    )
    return app
