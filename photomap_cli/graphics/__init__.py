"""Pictures in a terminal: what it can draw, one file for each way of drawing, and the contact sheets that are drawn."""
