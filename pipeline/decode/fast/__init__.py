"""The vectorised way through records of ordinary form."""
