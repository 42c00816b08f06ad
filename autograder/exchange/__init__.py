"""In and out of other systems."""
