"""Recipes, features, fit, predict and intervals; the champion on disk."""
