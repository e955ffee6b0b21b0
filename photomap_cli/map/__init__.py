"""The map: the library laid out in two dimensions, in groups that have names.  Knows no encoder and no terminal."""
