"""Everything that enters the cage: standard library, NumPy and torch only; no secret in it."""
