"""The checks of `photomap doctor`."""
