"""Vector rows: their files, and exact and compressed search over them."""
