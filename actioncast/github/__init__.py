"""Talks to git and GitHub: REST API, incidents, summaries, delivery, the state branch and upgrades."""
