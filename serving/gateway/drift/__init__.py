"""Drift of the photos that the gateway is sent: it reads its log in order (``phytoflow.monitoring``)."""
