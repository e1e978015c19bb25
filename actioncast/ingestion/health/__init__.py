"""The health of a series: what its stored hours say about its source. Pure functions."""
