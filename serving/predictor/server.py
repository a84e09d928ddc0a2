"""Assembles the predictor: kserve's ModelServer with our endpoints."""

from __future__ import annotations

import asyncio
import logging
import sys

from phytoflow.inference.classifier import Classifier
from phytoflow.system.ports import free_port, taken
from serving.predictor.engine.bundle_loader import BundleLoader
from serving.predictor.lean_imports import skip_unused_imports
from serving.predictor.options import Options
from serving.predictor.transport.addresses import check_free, listen, resolve

_LOG = logging.getLogger(__name__)


def serve(loader: BundleLoader, first: Classifier, options: Options) -> None:
    """Serves until SIGTERM or SIGINT, then finishes the requests in progress.

    Args:
        loader: Opens other versions.
        first: The version to begin with.
        options: How to serve.

    Raises:
        ServingError: A port is in use, both ports are the same, or the host is none of this machine.
    """
    addresses = resolve(options.host)
    http_port, grpc_port = options.http_port or free_port(), options.grpc_port or free_port()
    if http_port == grpc_port:
        raise taken(grpc_port, "--grpc_port", "is --http_port, too")
    check_free(addresses, grpc_port, "--grpc_port")
    sockets = listen(addresses, http_port, "--http_port")
    _hide_arguments_from_kserve()
    with skip_unused_imports():
        from kserve.model_server import app

        from serving.predictor.engine.versions import Versions
        from serving.predictor.model import PhotoModel
        from serving.predictor.prediction_log.sender import LogSender
        from serving.predictor.transport.byte_budget import ByteBudget
        from serving.predictor.transport.grpc.server import PhotoGrpcServer
        from serving.predictor.transport.model_server import GracefulModelServer
        from serving.predictor.transport.rest.endpoints import RestEndpoints, add_routes
        from serving.predictor.transport.rest.http_protocol import choose_http_protocol
        from serving.predictor.transport.rest.repository_endpoints import (
            RepositoryEndpoints,
            add_repository_routes,
        )

    name = options.model_name or first.bundle.manifest.name
    log_sender = LogSender.from_options(options)
    model = PhotoModel(name, Versions(name, loader, first, options), log_sender)
    budget = ByteBudget(options.max_in_flight_bytes)
    rest = RestEndpoints(model, options, budget)
    add_routes(app, rest)
    add_repository_routes(app, RepositoryEndpoints(model, options, budget))
    server = GracefulModelServer(choose_http_protocol(rest), sockets, options.grace_period_seconds)
    grpc_places = [address.with_port(grpc_port) for address in addresses]
    server.add_grpc(PhotoGrpcServer(grpc_places, server, model, options, budget))
    http_places = [address.with_port(http_port) for address in addresses]
    _LOG.info("serving %s: REST on %s, gRPC on %s", name, ", ".join(http_places), ", ".join(grpc_places))
    if log_sender:
        log_sender.start()
    server.start([model])
    if log_sender:
        log_sender.close()
    asyncio.run(model.versions.close())
    _LOG.info("stopped")


def _hide_arguments_from_kserve() -> None:
    """Leaves kserve only options of its own: it parses sys.argv on import."""
    sys.argv = [sys.argv[0], "--configure_logging", "false", "--enable_latency_logging", "false"]
