"""Forecasts in production: ingestion, training, serving, monitoring and retraining of regular series."""
