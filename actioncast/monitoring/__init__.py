"""Judges the live error of a champion and the age of all that is served, and asks for a retrain."""
