"""The prompt: what is typed at it, and what it does."""
