"""An encoder process that hears everything and answers nothing, until its standard input closes."""

import sys

if __name__ == "__main__":
    sys.stdin.buffer.read()
