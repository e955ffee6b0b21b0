"""Pages for a browser: one file each, with everything they need in it."""
