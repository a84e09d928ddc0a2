"""The whole service on one machine, as processes: gateway, worker, predictor and what they need."""
