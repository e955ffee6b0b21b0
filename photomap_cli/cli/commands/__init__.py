"""One module a command, in its name: what it takes, what it asks of a session, what it prints."""
