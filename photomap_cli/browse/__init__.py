"""The gallery, full screen: a pure state machine, what it looks like, and the workers that do what it asks for."""
