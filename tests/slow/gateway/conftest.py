"""The fixtures of the gateway's tests: the real predictor, Redis, PostgreSQL."""

from tests.serving.gateway.conftest import postgres, predictor, redis

__all__ = ["postgres", "predictor", "redis"]
