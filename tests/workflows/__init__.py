"""The workflow files, run as shipped: act in host mode against a small local GitHub (see README.md)."""
