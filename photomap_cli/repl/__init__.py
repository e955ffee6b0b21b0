"""What the user sees and types: prompt, bar, results."""
