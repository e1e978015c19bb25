"""Records each training in MLflow or in Neptune's log, beside the ledger in the database."""
