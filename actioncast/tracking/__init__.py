"""Where a training is recorded beside the ledger: MLflow and Neptune."""
