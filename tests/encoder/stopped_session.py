"""A session over a real encoder process with a pretended card; obeys and tells, a line each.

Words: IDLE RELEASE, in seconds.  To `query` it says whether the answer was right and which process gave it, to `look`
where the encoder is.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fake_encoder import text_vector

from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.encoder.residency import Residency


def main():
    idle, release = map(float, sys.argv[1:])
    process = EncoderProcess("tiny", on_exit=lambda error: residency.note_exit(error), worker="mortal_worker")
    residency = Residency(process, idle_timeout=idle, release_timeout=release)
    for line in sys.stdin:
        if line.strip() == "query":
            rows, _ = residency.run("text", lambda encoder: encoder.encode_text(["dog"]))
            tell("right" if (rows[0] == text_vector("dog")).all() else "wrong", process.pid)
        else:
            snapshot = residency.snapshot()
            tell(snapshot.state, snapshot.offloads, snapshot.last_error and snapshot.last_error.message)


def tell(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
