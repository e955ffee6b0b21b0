"""Demo: draws a small photo library to try photomap with, and the pictures its tests and tiny encoder are made from."""
