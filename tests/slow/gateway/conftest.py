"""The fixtures of the gateway's tests: the real predictor, Redis, PostgreSQL, Chromium."""

from tests.serving.gateway.conftest import postgres, predictor, redis
from tests.serving.gateway.console.conftest import chromium

__all__ = ["chromium", "postgres", "predictor", "redis"]
