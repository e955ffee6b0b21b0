"""The full-screen gallery: a pure state machine, its view, and the workers that carry out what it asks for."""
