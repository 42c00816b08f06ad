"""Runs a stranger's code; knows nothing of right and wrong."""
