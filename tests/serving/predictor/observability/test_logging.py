"""One JSON object a line."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

from kserve.errors import InvalidInput

from serving.predictor.observability.logging import ExpectedFilter, JsonFormatter
from tests.support.services.servers import ROOT


def record(
    message: str, *values: object, error: Exception | None = None, **fields: object
) -> logging.LogRecord:
    info = (type(error), error, None) if error else None
    made = logging.LogRecord("photos", logging.INFO, __file__, 1, message, values, info)
    made.__dict__ |= fields
    return made


def test_a_line_has_time_level_logger_and_the_fields_of_a_request() -> None:
    text = JsonFormatter().format(
        record('a "%s"\nb', "x", request_id="7", photos=2, secret="no field of ours")
    )
    assert "\n" not in text
    line = json.loads(text)
    assert line["message"] == 'a "x"\nb' and line["level"] == "INFO" and line["logger"] == "photos"
    assert (line["request_id"], line["photos"]) == ("7", 2)
    assert "secret" not in line and len(line["time"]) == len("2026-11-29T10:20:30.123")


def test_an_exception_stands_in_the_line() -> None:
    line = json.loads(JsonFormatter().format(record("failed", error=ValueError("two words"))))
    assert line["exception"] == "ValueError: two words"


def test_a_clients_mistake_that_kserve_logs_is_dropped() -> None:
    keep = ExpectedFilter().filter
    assert not keep(record("x", error=InvalidInput("no such input")))
    assert keep(record("x", error=ValueError()))
    assert keep(record("x"))


def test_a_process_logs_its_own_lines_and_no_access_log() -> None:
    code = (
        "import logging, warnings\n"
        "from serving.predictor.observability.logging import configure\n"
        "configure('INFO')\n"
        "logging.getLogger('ours').info('kept')\n"
        "logging.getLogger('ours').debug('below the level')\n"
        "logging.getLogger('uvicorn.access').error('GET /')\n"
        "logging.getLogger('kserve.trace').error('timing')\n"
        "warnings.warn('metadata of a photo')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert [json.loads(line)["message"] for line in done.stderr.splitlines()] == ["kept"]
    assert not done.stdout
