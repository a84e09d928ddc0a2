"""kserve's ModelServer with our routes, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import sys

from phytoflow.inference.classifier import Classifier
from phytoflow.system.ports import free_port, taken
from serving.predictor.engine.bundle_loader import Bundles
from serving.predictor.lean_imports import slim_imports
from serving.predictor.options import Options
from serving.predictor.transport.addresses import check_free, listen, resolve

_LOG = logging.getLogger(__name__)


def serve(bundles: Bundles, first: Classifier, options: Options) -> None:
    """Serves until SIGTERM or SIGINT, then finishes what is under way.

    Args:
        bundles: Where other versions come from.
        first: The version to begin with.
        options: How to serve.

    Raises:
        ServingError: A port is taken, or both are one.
    """
    addresses = resolve(options.host)
    http_port, grpc_port = options.http_port or free_port(), options.grpc_port or free_port()
    if http_port == grpc_port:
        raise taken(grpc_port, "--grpc_port", "is --http_port, too")
    check_free(addresses, grpc_port, "--grpc_port")
    sockets = listen(addresses, http_port, "--http_port")
    _arguments_for_kserve()
    with slim_imports():
        from kserve.model_server import app

        from serving.predictor.engine.versions import Versions
        from serving.predictor.model import LeafModel
        from serving.predictor.transport.byte_budget import Budget
        from serving.predictor.transport.grpc.server import LeafGrpcServer
        from serving.predictor.transport.model_server import OrderlyServer
        from serving.predictor.transport.rest.endpoints import Rest, add_routes
        from serving.predictor.transport.rest.repository_endpoints import add_repository

    name = options.model_name or first.bundle.manifest.name
    model = LeafModel(name, Versions(name, bundles, first, options))
    budget = Budget(options.max_in_flight_bytes)
    rest = Rest(model, options, budget)
    add_routes(app, rest)
    add_repository(app, model, options)
    server = OrderlyServer(rest, sockets, options.grace_period_seconds)
    grpc_places = [address.with_port(grpc_port) for address in addresses]
    server.add_grpc(LeafGrpcServer(grpc_places, server, model, options, budget))
    http_places = [address.with_port(http_port) for address in addresses]
    _LOG.info("serving %s: REST on %s, gRPC on %s", name, ", ".join(http_places), ", ".join(grpc_places))
    server.start([model])
    asyncio.run(model.versions.close())
    _LOG.info("stopped")


def _arguments_for_kserve() -> None:
    """Kserve reads sys.argv when it is imported; it is to see only what is its own."""
    sys.argv = [sys.argv[0], "--configure_logging", "false", "--enable_latency_logging", "false"]
