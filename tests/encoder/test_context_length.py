"""How much of a text counts is found out from its tokens alone."""

from cases import cases

from photomap_cli.encoder.context_length import letters_read


def words_of_four(text):
    """Tokens as CLIP has them: four letters of a word at most, eight of them, the last one an end."""
    pieces = [word[at : at + 4] for word in text.lower().split() for at in range(0, len(word), 4)]
    return [*(hash(piece) for piece in pieces[:7]), "end", *(0 for _ in range(7 - len(pieces)))]


@cases(
    ("text", "read"),
    [
        ("", ""),
        ("dog", "dog"),
        ("a b c d e f", "a b c d e f"),
        ("a b c d e f g", "a b c d e f g"),
        ("a b c d e f g  ", "a b c d e f g  "),
        ("a b c d e f g h", "a b c d e f g"),
        ("a b c d e f g h" + " i" * 5000, "a b c d e f g"),
        ("z" * 27, "z" * 27),
        ("z" * 28, "z" * 28),
        ("z" * 29, "z" * 28),
        ("word " * 200, "word " * 6 + "word"),
        (" " * 500 + "a b c d e f g h", " " * 500 + "a b c d e f g"),
        ("Ä b Ö d é f ß h", "Ä b Ö d é f ß"),
    ],
)
def test_what_counts_is_the_shortest_beginning_with_the_same_tokens(text, read):
    assert text[: letters_read(text, words_of_four)] == read
