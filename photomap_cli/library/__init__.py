"""The catalogue: which photos there are, what is known of them, and their vectors as they are stored."""
