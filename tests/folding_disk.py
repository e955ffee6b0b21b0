"""A disk that does not tell names in other cases and forms apart, as those of macOS do, for tests on Linux."""

import unicodedata


def folded(path):
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", str(path)).casefold())


class FoldingDisk:
    """Has the paths that are really there, below any name that differs in case and form alone."""

    def __init__(self, top):
        self._paths = {folded(path): path for path in (*top.parents, top, *top.rglob("*"))}

    def exists(self, path):
        return folded(path) in self._paths

    def is_same(self, one, other):
        return self.exists(one) and folded(one) == folded(other)

    def names(self, folder):
        return [path.name for path in self._paths.values() if folded(path.parent) == folded(folder)]
