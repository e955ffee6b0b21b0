"""Draws photos: for the demo, for tests and benchmarks, and to train the tiny encoder."""
