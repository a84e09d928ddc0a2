"""Metrics with intervals, the report, and the gate."""
