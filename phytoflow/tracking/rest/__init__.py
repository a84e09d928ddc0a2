"""Reads an MLflow server through its REST API, for services in whose image MLflow is not installed."""
