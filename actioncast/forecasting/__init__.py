"""Recipes, features, fitting, forecasts with their intervals, and the champion on disk."""
