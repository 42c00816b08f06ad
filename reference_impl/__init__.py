"""The complete course as a library: every exercise's signature, docstring and answer."""
