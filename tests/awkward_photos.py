"""Photos in which every value meets many others, under awkward names, and filters as people may write them."""

import itertools
import random

import numpy as np
from hypothesis import strategies as st

from photomap_cli.library.entities import NewPhoto
from photomap_cli.records import FilterKind

FOLDERS = (
    "/p",
    "/p/Italy",
    "/p/Italy 2",
    "/p/Italy5",
    "/p/Italy/Rome",
    "/p/italy",
    "/p/100%",
    "/p/a_b",
    "/p/axb",
    "/p/Ä",
    "/q",
)
STEMS = ("IMG_1", "img_2", "a[b]c", "a-b", "[!x]", "b*?", "Café", "Cafe\u0301", "x y", "ß", "ΑΣ", "100%", "^a", "]")
EXTENSIONS = ("jpg", "JPG", "jpeg", "Png", "heic")
CAMERAS = (None, "Canon EOS 40D", "canon powershot", "SONY ILCE-7M3", "Ünïcode CAM", "50% grey_card")
TIMES = (None, "2019-12-31T23:59:59", "2020-01-01T00:00:00", "2020-02-29T12:00:00", "2023-06-15T10:22:00")
MTIMES = (0, 1_577_836_800, 1_686_824_520)
LENSES = (None, "EF50mm f/1.8 STM", "ef24-105MM", "Zuiko Ünïcode 50%")
SIZES = ((4032, 3024), (3024, 4032), (3000, 3000), (12000, 3000), (3000, 12000), (4000, 2000), (1920, 1080), (4, 3))
BYTES = (0, 1, 499_999, 500_000, 2_000_000, 2_499_999, 2_500_000, 40_000_000)
RATINGS = (None, None, -1, 1, 3, 4, 5)
PLACES = (
    *((None, None), (48.8584, 2.2945), (48.8606, 2.3376), (51.5007, -0.1246), (0.0, 179.999), (0.0, -179.999)),
    *((-16.5, 179.9), (-16.5, -179.9), (89.999, 0.0), (89.999, 180.0), (-90.0, 45.0), (-89.99, -135.0)),
)
KINDS = ("photo", "photo", "raw")
CONTENTS = ("", "", "png", "jpg")


def library():
    """Return photos in which every value meets many others."""
    chosen = random.Random(0)
    for folder, stem in itertools.product(FOLDERS, STEMS):
        path = f"{folder}/{stem}.{chosen.choice(EXTENSIONS)}"
        mtime_ns = chosen.choice(MTIMES) * 10**9
        (width, height), (latitude, longitude) = chosen.choice(SIZES), chosen.choice(PLACES)
        yield NewPhoto(
            *(path, chosen.choice(BYTES), mtime_ns, chosen.choice(TIMES), width, height, chosen.choice(CAMERAS)),
            np.eye(4, dtype=np.float32)[0],
            lens=chosen.choice(LENSES),
            latitude=latitude,
            longitude=longitude,
            rating=chosen.choice(RATINGS),
            kind=chosen.choice(KINDS),
            extension=chosen.choice(CONTENTS),
        )


PHOTOS = list(library())

PIECES = st.lists(st.sampled_from([*"*?[]!-^ab1.", "img", "caf", "é", "[a-c]", "[!a]", "J", "ß"]), min_size=1)
# Where Python's fnmatch reads otherwise: `[^` is no negation to it, and `]-` begins a range.
GLOBS = PIECES.map("".join).filter(lambda glob: "]-" not in glob and "[^" not in glob)
VALUES = {
    "in": st.sampled_from([*FOLDERS, "/", "/p/It", "/nowhere", "/P", "italy", "./Italy", "..", "../q/"]),
    "after": st.sampled_from(["2019", "2020", "2020-1", "2020-02-29", "2020-03", "2023-06-15", "2023-06-16", "1970"]),
    "ext": st.sampled_from(["jpg", ".JPG", "jpeg", "png", "HEIC", "j", "pg"]),
    "camera": st.sampled_from(["canon", "CANON eos", "ilce", "Ü", "u", "cam", "%", "_", " ", "none"]),
    "name": GLOBS | st.sampled_from([*STEMS, "*.JPG", "cafe\u0301*", "CAFÉ*", "img_?.*", "a[*", "*[b*"]),
}
VALUES["before"] = VALUES["after"]
COMPARISON = st.sampled_from(["{}{}", "={}{}", ">{}{}", ">={}{}", "<{}{}", "<={}{}", "{}{}..", "..{}{}"])


def ranges(numbers, units=("",)):
    """Return how a range of these numbers may be written; the first of two may go without the unit."""
    number, unit = st.sampled_from(numbers), st.sampled_from(units)
    between = st.lists(number, min_size=2, max_size=2).map(lambda ends: sorted(ends, key=float)).map("..".join)
    return st.builds(str.format, COMPARISON, number, unit) | st.builds("{}{}".format, between, unit)


VALUES["year"] = ranges(["2019", "2020", "1970", "2023", "1", "9999"])
VALUES["month"] = ranges([str(month) for month in range(1, 13)]) | st.sampled_from(["12..2", "11-1", "6..5", "jun"])
VALUES["rating"] = ranges(["-1", "0", "1", "3", "4", "5"])
VALUES["size"] = ranges(["0", "1", "8", "9", "12", "12.2", "12.19", "36", ".5"], ["mp", "MP", "mb"]) | ranges(
    ["1", "500", "12192768", "2500000"], ["b", "kb", "px"]
)
VALUES["kind"] = st.sampled_from(["photo", "video", "raw", "RAW"])
VALUES["orientation"] = st.sampled_from(["portrait", "landscape", "square", "panorama"])
VALUES["has"] = st.sampled_from(["gps", "rating", "camera", "lens", "date"])
VALUES["lens"] = st.sampled_from(["50mm", "EF", "ü", "50%", "_", "none"])
VALUES["near"] = st.builds(
    "{},{},{}{}".format,
    st.sampled_from(["48.86", "48.8584", "0", "-0.0", "90", "-90", "89.9", "-16.5", "51.5"]),
    st.sampled_from(["2.35", "2.2945", "0", "180", "-180", "179.99", "-179.5", "45"]),
    st.sampled_from(["0.5", "3", "10.5", "25", "350", "2000", "21000"]),
    st.sampled_from(["km", "mi", "m"]),
)

assert VALUES.keys() == set(FilterKind) - {FilterKind.ALBUM}  # albums are the user's, not the catalogue's
ANY = st.sampled_from(sorted(VALUES)).flatmap(
    lambda name: st.builds('{}{}:"{}"'.format, st.sampled_from(["", "-"]), st.just(name), VALUES[name])
)
