"""Exponential smoothing, Theta and complex exponential smoothing: fitted by statsforecast, served by numpy alone."""
