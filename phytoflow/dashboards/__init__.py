"""Dashboards as typed code; Grafana and the console's System page draw the same panels."""
