"""The embedded ledger: a directory with one SQLite file for each log, so that a tenant's file holds nobody else."""
