"""Asynchronous predictions: queues and their worker."""
