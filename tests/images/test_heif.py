import io
import struct

from cases import cases

from photomap_cli.images.heif import fault
from photomap_cli.library.signatures import is_boxed


def box(kind, content=b""):
    return struct.pack(">I4s", 8 + len(content), kind) + content


def large_box(kind, content=b""):
    return struct.pack(">I4sQ", 1, kind, 16 + len(content)) + content


def item(names, *, version=2):
    number = bytes(2) if version == 2 else bytes(4)
    return box(b"infe", bytes([version, 0, 0, 0]) + number + bytes(2) + names)


def picture(*items, version=0):
    count = struct.pack(">H" if version == 0 else ">I", len(items))
    iinf = box(b"iinf", bytes([version, 0, 0, 0]) + count + b"".join(items))
    meta = box(b"meta", bytes(4) + box(b"hdlr", bytes(25)) + iinf)
    return box(b"ftyp", b"heic") + meta + box(b"mdat", bytes(100))


GOOD = picture(item(b"hvc1\0"), item(b"mime\0application/rdf+xml\0"))


def test_a_file_of_boxes_is_known_by_its_first():
    assert is_boxed(GOOD[:12])
    assert not is_boxed(b"\xff\xd8\xff\xe0")
    assert not is_boxed(b"")


@cases(
    ("content", "reason"),
    [
        (GOOD, None),
        (GOOD[:-1], "truncated"),
        (GOOD[:40], "truncated"),
        (GOOD + b"\0" * 7, None),
        (GOOD + b"a camera's own notes at the end", None),
        (GOOD + struct.pack(">I4s", 0, b"free") + bytes(50), None),
        (GOOD + large_box(b"mdat", bytes(9)), None),
        (GOOD + large_box(b"mdat", bytes(9))[:-1], "truncated"),
        (GOOD + struct.pack(">I4s", 4, b"mdat"), "damaged: a box is smaller than its header"),
        (GOOD + struct.pack(">I4sQ", 1, b"mdat", 3), "damaged: a box is smaller than its header"),
        (picture(item(b"mime\0app\xff\0")), "damaged: an item's name isn't text"),
        (picture(item(b"hvc1\0"), item(b"E\xe9if\0", version=3), version=1), "damaged: an item's name isn't text"),
        (picture(item("hvc1鳥\0".encode(), version=3)), None),
        (picture(box(b"infe")), None),
    ],
)
def test_what_is_wrong_is_told(content, reason):
    file = io.BytesIO(content)
    assert fault(file) == reason
    assert file.tell() == 0


@cases("at", range(len(GOOD)))
def test_damage_anywhere_is_survived(at):
    for value in (0, 1, 255):
        spoilt = bytearray(GOOD)
        spoilt[at] = value
        fault(io.BytesIO(bytes(spoilt)))
        fault(io.BytesIO(bytes(spoilt[:at])))
