"""One session: the parts put together, and its server for other processes."""
