"""Decides what an answer earns."""
