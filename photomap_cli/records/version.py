"""Owns the number that every JSON document carries; a change that breaks a reader raises it."""

JSON_VERSION = 1
