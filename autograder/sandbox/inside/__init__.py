"""All that enters the cage: standard library, NumPy, torch and matplotlib; no secret in it."""
