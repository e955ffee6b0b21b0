"""One module per command: its options, what it asks a session, what it prints."""
