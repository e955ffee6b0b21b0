"""Pictures in a terminal: detecting what it can draw, one file per protocol, and contact sheets."""
