"""Everything that enters the cage: standard library, NumPy and torch only; no secret in it."""

MAX_BYTES = 64 * 2**20
"""Of one message between judge and worker, and of a value in it."""
