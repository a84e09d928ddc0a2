"""Sends the predictions of callers that asked the predictor itself to the gateway's prediction log."""
