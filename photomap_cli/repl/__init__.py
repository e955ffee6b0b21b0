"""The prompt: reading lines, commands, completion and the bar."""
