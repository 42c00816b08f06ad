"""A class: several submissions at a time, resumable."""
