"""Ingestion turns the answers of sources into complete hours, and refuses what cannot be trusted."""
