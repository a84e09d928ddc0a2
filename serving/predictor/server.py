"""kserve's ModelServer with our routes, and an orderly end."""

from __future__ import annotations

import logging
import sys

from phytoflow.inference.classifier import Classifier
from phytoflow.ports import check_free, free_port
from serving.predictor.options import Options
from serving.predictor.slim import slim_imports

_LOG = logging.getLogger(__name__)


def serve(classifier: Classifier, options: Options) -> None:
    """Serves until SIGTERM or SIGINT, then finishes what is under way.

    Raises:
        ServingError: A port is taken.
    """
    http_port = _port(options.http_port, "--http_port")
    grpc_port = _port(options.grpc_port, "--grpc_port")
    _arguments_for_kserve(options)
    with slim_imports():
        from kserve.model_server import app

        from serving.predictor.engine import Engine
        from serving.predictor.metrics import METADATA
        from serving.predictor.model import LeafModel
        from serving.predictor.orderly import OneModel, OrderlyServer
        from serving.predictor.rest import add_routes

    manifest = classifier.bundle.manifest
    model = LeafModel(options.model_name or manifest.name, Engine(classifier, options))
    METADATA.info(
        {"name": model.name, "version": manifest.version, "backbone": manifest.backbone}
        | {"runtime": classifier.choice.name}
    )
    add_routes(app, model, options)
    server = OrderlyServer(
        http_port=http_port,
        grpc_port=grpc_port,
        grace_period=options.grace_seconds,
        registered_models=OneModel(),
    )
    _LOG.info("serving %s %s on ports %d and %d", model.name, manifest.version, http_port, grpc_port)
    server.start([model])
    model.engine.close()
    _LOG.info("stopped")


def _port(port: int, option: str) -> int:
    if port:
        check_free(port, option)
    return port or free_port()


def _arguments_for_kserve(options: Options) -> None:
    """Kserve reads sys.argv when it is imported; it is to see only what is its own."""
    limit = str(options.max_body_bytes + 2**20)
    sys.argv = [
        sys.argv[0],
        *("--configure_logging", "false"),
        *("--enable_latency_logging", "false"),
        *("--grpc_max_receive_message_length", limit),
        *("--grpc_max_send_message_length", limit),
    ]
