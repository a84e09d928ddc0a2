"""Logs as one JSON object a line. No photo's content is ever logged."""

from __future__ import annotations

import logging
import logging.config
from typing import Any

import orjson

_FIELDS = ("request_id", "version", "photos", "bytes", "milliseconds", "outcome")
_EXPECTED = ("InvalidInput", "ModelNotFound", "ModelNotReady")


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message, and the fields of a request's line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {field: getattr(record, field) for field in _FIELDS if hasattr(record, field)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class ExpectedFilter(logging.Filter):
    """Leaves out the tracebacks that kserve logs for what is only a client's mistake."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record stays."""
        kind = record.exc_info[0] if record.exc_info else None
        return kind is None or kind.__name__ not in _EXPECTED


def configure(level: str) -> None:
    """Sends every library's log through the formatter, without kserve's traces and access logs."""
    logging.captureWarnings(True)
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": JsonFormatter}},
            "filters": {"expected": {"()": ExpectedFilter}},
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["expected"]}
            },
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "uvicorn": {"level": "WARNING"},
                "uvicorn.access": {"level": "CRITICAL", "propagate": False},
                "kserve": {"level": "WARNING"},
                "py.warnings": {"level": "ERROR"},  # Pillow's, about damaged metadata of photos
                "kserve.trace": {"level": "CRITICAL"},
            },
        }
    )
