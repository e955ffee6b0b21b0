"""One session: the parts put together, and its door to other processes."""
