"""Talks to git and GitHub: REST API, incidents, summaries, delivery and the state branch."""
