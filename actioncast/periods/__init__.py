"""Periods of time: frequencies, zones, lengths, and the points and values that lie in them."""
