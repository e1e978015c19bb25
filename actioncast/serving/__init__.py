"""Serving: what the champion looks back on, how wide its intervals are now, and who steps in where it cannot."""
