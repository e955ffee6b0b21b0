"""Photomap: find photos by what is in them, from the terminal."""

__version__ = "0.1.0"
