"""Stores hours, forecasts and a ledger of runs; no other wing writes SQL."""
