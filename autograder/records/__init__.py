"""Where results go: gradebook, feedback pages, reports."""
