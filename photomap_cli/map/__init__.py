"""The map: the library laid out in two dimensions, in named groups.  Knows no encoder and no terminal."""
