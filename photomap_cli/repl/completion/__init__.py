"""What Tab offers at the prompt: commands, paths, filters and their values."""
