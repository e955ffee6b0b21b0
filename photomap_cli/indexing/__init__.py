"""An index run: finding files, deciding what is new, and bringing it into the library."""
