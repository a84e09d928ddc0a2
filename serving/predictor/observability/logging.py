"""Logs one JSON object a line; the content of a photo is never logged."""

from __future__ import annotations

import logging
import logging.config
from typing import Any

import orjson

_FIELDS = ("request_id", "version", "photos", "bytes", "milliseconds", "outcome")
# kserve logs these with a traceback, although each is only a client's mistake.
_EXPECTED = ("InvalidInput", "ModelNotFound", "ModelNotReady")


class JsonFormatter(logging.Formatter):
    """Formats a record with time, level, logger, message and the fields of a request."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the record as one line."""
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
    """Drops the records of expected errors."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether the record is logged."""
        kind = record.exc_info[0] if record.exc_info else None
        return kind is None or kind.__name__ not in _EXPECTED


def configure(level: str) -> None:
    """Sends the logs of all libraries through the formatter, without kserve's traces and access logs."""
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
