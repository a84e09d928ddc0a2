"""Asks a predictor whether it lives, again and again, from a process of its own: ``liveness.py URL``.

Writes one line of JSON when told to stop: the slowest, the 99th percentile and the number of answers.
"""

from __future__ import annotations

import http.client
import json
import signal
import sys
import time
from urllib.parse import urlsplit


def main(url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    seconds: list[float] = []
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    while not stopped:
        begun = time.perf_counter()
        connection.request("GET", "/v2/health/live")
        response = connection.getresponse()
        response.read()
        seconds.append(time.perf_counter() - begun)
        assert response.status == 200
        time.sleep(0.02)
    seconds.sort()
    print(
        json.dumps({"slowest": seconds[-1], "p99": seconds[int(0.99 * len(seconds))], "count": len(seconds)})
    )


if __name__ == "__main__":
    main(sys.argv[1])
