"""The HTTP API: forecasts, live error, model and operation."""
