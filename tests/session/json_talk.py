"""What goes over a session's socket, said and heard without its own client."""

import json


def say(connection, **message):
    connection.sendall(json.dumps(message).encode() + b"\n")


def hear(connection):
    """Return the next message; None when the other end has hung up."""
    line = bytearray()
    while not line.endswith(b"\n"):
        if not (letter := connection.recv(1)):
            return None
        line += letter
    return json.loads(line)
