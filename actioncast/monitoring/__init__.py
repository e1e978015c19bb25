"""Is it still good: live error, verdict, freshness and the request for a retrain."""
