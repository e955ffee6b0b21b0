"""Which photos there are, and their vectors."""
