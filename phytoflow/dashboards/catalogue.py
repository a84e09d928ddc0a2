"""All dashboards."""

from __future__ import annotations

from phytoflow.dashboards import api, infrastructure, model
from phytoflow.dashboards.panel import Dashboard

DASHBOARDS: tuple[Dashboard, ...] = (api.DASHBOARD, model.DASHBOARD, infrastructure.DASHBOARD)
