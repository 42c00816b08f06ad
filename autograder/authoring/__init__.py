"""Makes and proves the course's own files."""
