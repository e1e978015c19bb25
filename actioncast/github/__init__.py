"""GitHub: REST API, git, incidents, summaries, delivery and the state branch."""
