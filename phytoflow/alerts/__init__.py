"""Recording rules and alerts as typed code, for Prometheus on a cluster and on one machine."""
