"""Audits for leakage and background bias."""
