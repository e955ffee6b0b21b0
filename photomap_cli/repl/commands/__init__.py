"""The prompt's commands: the table of them, and what each does."""
