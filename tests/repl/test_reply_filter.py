import pytest
from test_repl_loop import ANSWERS

from photomap_cli.repl.reply_filter import ReplyFilter


class Parser:
    def __init__(self):
        self.fed, self.flushes = "", 0

    def feed(self, data):
        self.fed += data

    def flush(self):
        self.flushes += 1


@pytest.fixture
def parser():
    return Parser()


@pytest.mark.parametrize("length", [1, 2, 3, 7, 1000])
def test_an_answer_may_come_in_pieces(parser, length):
    text = f"a{ANSWERS}b\x1b[A\x1b[12;3Ré\x1b[?62;c"
    dropping = ReplyFilter(parser)
    for at in range(0, len(text), length):
        dropping.feed(text[at : at + length])
    assert parser.fed == "ab\x1b[A\x1b[12;3Ré"


@pytest.mark.parametrize("begun", ["\x1b", "\x1b[?62", "\x1bP>", "\x1b]11;rgb:12", "\x1b[6", "\x1b_Gi=4"])
def test_what_only_begins_like_an_answer_is_typed_in_the_end(parser, begun):
    dropping = ReplyFilter(parser)
    dropping.feed(begun)
    dropping.flush()
    assert (parser.fed, parser.flushes) == (begun, 1)


@pytest.mark.parametrize("keys", ["dog", "\x1b[6~", "\x1b[B", "\x1bb", "\x1bOP", "\udcff"])
def test_keys_pass_at_once(parser, keys):
    ReplyFilter(parser).feed(keys)
    assert parser.fed == keys
