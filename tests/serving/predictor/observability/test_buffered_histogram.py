"""A histogram that counts later counts the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from serving.predictor.observability import buffered_histogram as late
from serving.predictor.observability.buffered_histogram import BufferedHistogram

VALUES = [0.001 * number for number in range(3000)]


def exported(kind: type[Histogram], threads: int = 1) -> list[str]:
    registry = CollectorRegistry()
    made = kind("seconds", "Of a thing.", buckets=(0.1, 1.0), registry=registry)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(made.observe, VALUES))
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if "_created" not in line and "_sum" not in line]


def test_a_scrape_shows_what_a_usual_one_shows() -> None:
    assert exported(BufferedHistogram) == exported(Histogram)
    assert 'seconds_bucket{le="0.1"} 101.0' in exported(BufferedHistogram)


def test_nothing_is_lost_between_threads() -> None:
    assert exported(BufferedHistogram, threads=8) == exported(Histogram)


def test_the_list_does_not_grow_without_a_scrape() -> None:
    made = BufferedHistogram("seconds", "Of a thing.", registry=CollectorRegistry())
    for _ in range(10 * late._MAX_PENDING):
        made.observe(1.0)
    assert len(made._pending) <= late._MAX_PENDING
