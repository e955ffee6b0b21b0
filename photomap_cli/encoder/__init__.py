"""Turns texts and pixels into unit vectors, and decides where the weights are kept."""
