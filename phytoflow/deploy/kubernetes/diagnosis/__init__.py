"""Diagnosis of a deployment that does not become ready: the cause and a remedy."""
