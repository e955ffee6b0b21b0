"""The catalogue: which photos there are, what is known about them, and their stored vectors."""
