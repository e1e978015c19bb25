"""Guests: zero-shot forecasters of other packages, off by default, behind the interface of a recipe."""
