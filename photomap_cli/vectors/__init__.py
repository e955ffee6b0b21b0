"""The rows of vectors: their files, exact and compressed search over them."""
