"""An index run: which files there are, what is new, and its way into the library."""
