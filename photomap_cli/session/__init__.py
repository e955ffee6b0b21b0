"""A session: the parts put together, and the server that lets other processes use it."""
