"""Owns recognising photos by name, or by their first bytes if the name doesn't tell.  Decodes nothing."""

from __future__ import annotations

import os
import re

from photomap_cli import files
from photomap_cli.library.signatures import is_boxed, kind

RAW_EXTENSIONS = frozenset(
    "3fr arw cr2 cr3 crw dcr dng erf iiq kdc mef mos mrw nef nrw orf pef raf rw2 rwl sr2 srf srw x3f".split()  # noqa: SIM905
)
"""Files with these extensions, in any case, are RAW; their content doesn't tell, as many of them are TIFFs."""

VIDEO_EXTENSIONS = frozenset("3g2 3gp avi m2t m2ts m4v mkv mov mp4 mpe mpeg mpg mts ogv webm wmv".split())  # noqa: SIM905
"""Files with these extensions, in any case, are videos."""

_PICTURES = """
    apng avif avifs bmp dib gif heic heics heif heifs hif j2c j2k jfif jp2 jpc jpe jpeg jpf jpg jpx jxl mpo pbm pfm pgm
    png pnm ppm tif tiff webp"""
EXTENSIONS = RAW_EXTENSIONS | VIDEO_EXTENSIONS | frozenset(_PICTURES.split())
"""Files with these extensions, in any case, are photos, some of them only if there is a decoder."""

_FILMS_AND_SOUND = """
    aac aif aiff amr caf divx f4v flac flv insv lrv m2v m4a mid mka mp2 mp3 mxf oga ogg opus rm rmvb swf ts vob wav
    wma"""
_BESIDE_PHOTOS = """
    aae acr arp cof cop cos cot ctg dop dxo exif ini ithmb lrcat lrprev nks on1 pp3 pts rss thm vrd xmp"""
_DRAWINGS = """
    af afdesign afphoto ai blend cdr clip cur drw dwg dxf emf eps fig fla icns ico indd kra max obj ora pdn ps psb psd
    pspimage sai sketch skp stl svg svgz wmf xcf"""
_TEXTS = """
    bib chm csv djvu doc docm docx dot dotx epub fb2 ics key log md mobi msg numbers odg odp ods odt one pages pdf pps
    ppt pptx pub rst rtf srt tex tsv txt vcf vtt wpd wps xls xlsm xlsx xps"""
_ARCHIVES_AND_DOWNLOADS = """
    7z aria2 bz2 cab crdownload deb dmg download filepart gz iso jar lz4 lzma part partial rar rpm tar tbz tgz torrent
    txz vdi vhd vmdk xz zip zst"""
_PROGRAMS_AND_DATA = """
    a apk app asm bat c cc cfg class cmd conf cpp cs css cxx dart db dbf dll dylib eml env exe f90 fit gitignore go gpx
    h h5 hpp htm html hxx ipynb java js json json5 jsonl jsx kml kmz kt lib lnk lock lua m map mat mbox mdb mjs mm msi
    npy npz o onnx otf parquet php pickle pkl pl plist pt pth py pyc pyd pyi pyx r rb rlib rs safetensors sass scala
    scss sh so sql sqlite sqlite3 swift toml tsx ttc ttf url vb vue wasm webloc woff woff2 xml yaml yml"""
_OTHERS = frozenset(
    f"{_FILMS_AND_SOUND} {_BESIDE_PHOTOS} {_DRAWINGS} {_TEXTS} {_ARCHIVES_AND_DOWNLOADS} {_PROGRAMS_AND_DATA}".split()
)
"""Extensions of files that aren't photos, and aren't examined."""

_BACKUP = "_original"  # exiftool's backup of a changed file

_PART_OF_PHOTO = re.compile(r"\.RAW-\d\d(\.[A-Z]+)+$", re.IGNORECASE)
"""Suffixes that Pixel phones give a photo in two files: `.RAW-01.COVER.jpg`, `.RAW-02.ORIGINAL.dng`."""

_HEIC = frozenset({"heic", "heif", "hif"})
_STILLS_OF = {"mov": _HEIC | {"jpg", "jpeg"}, "mp4": _HEIC}
"""Live Photos: phones write MOV, Google's exports MP4; but a camera's MP4 beside a JPEG is a separate video."""

_MOST_BYTES_OF_LIVE_VIDEO = 32 << 20
"""Three seconds take 2 to 10 MB."""

START_BYTES = 64
"""The number of first bytes that tell whether a file is a picture."""

_LONGEST_ENDING = 12
_BRANDS = (b"hei", b"hev", b"mif", b"msf", b"avi")
_FILM_BRANDS = (b"iso", b"mp4", b"avc1", b"M4V", b"3g", b"MSNV", b"mmp4", b"XAVC")
_MATROSKA = b"\x1aE\xdf\xa3"
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_PNM = re.compile(rb"P[456]\s+(?:#[^\n]*\n\s*)*\d+\s+\d+\s")


def has_photo_name(name: str) -> bool:
    """Return whether a file of this name or path counts as a photo."""
    stem, _, extension = name.rpartition(".")
    return bool(stem) and extension.lower() in EXTENSIONS


def is_video_name(name: str) -> bool:
    """Return whether a file of this name or path is a video."""
    stem, _, extension = name.rpartition(".")
    return bool(stem) and extension.lower() in VIDEO_EXTENSIONS


def ending(path: str) -> str:
    """Return the extension that tells a path's kind of file, in lower case; empty if there is none."""
    stem, _, last = os.path.basename(path).rpartition(".")  # noqa: PTH119 - paths are text here
    is_one = stem.strip(".") and last and len(last) <= _LONGEST_ENDING and not any(map(str.isspace, last))
    return last.lower() if is_one else ""


def photo_stem(path: str) -> str:
    """Return a path without its extension, the same for a picture and its RAW file."""
    return _PART_OF_PHOTO.sub("", path.rpartition(".")[0])


def is_video_of(still: str, video: str, size_bytes: int) -> bool:
    """Return whether a video is the moving part of the picture of the same name beside it, as in a Live Photo."""
    stills = _STILLS_OF.get(ending(video), frozenset())
    return ending(still) in stills and size_bytes <= _MOST_BYTES_OF_LIVE_VIDEO


def is_unclear(name: str) -> bool:
    """Return whether the name of a file without a photo's extension tells nothing, so that its content has to."""
    found = ending(name)
    return found not in _OTHERS and not found.endswith(_BACKUP)


def is_photo_file(path: str) -> bool:
    """Return whether a named file is a photo, by its name or else its content."""
    return has_photo_name(path) or bool(kind_at(path))


def kind_at(path: str) -> str:
    """Return "photo" or "video" if the file at a path starts like one, else an empty text.  Waits for no pipe."""
    try:
        with files.reading(path) as file:
            start = file.read(START_BYTES)
    except OSError:
        return ""
    return "photo" if starts_like_photo(start) else "video" if starts_like_video(start) else ""


def starts_like_photo(start: bytes) -> bool:
    """Return whether a file with these first bytes is a picture; stricter than if its name says so too."""
    found = kind(start)
    if found == "BMP":
        return start[6:10] == bytes(4) and int.from_bytes(start[14:18], "little") in _BMP_HEADERS
    if found == "WebP":
        return start[8:12] == b"WEBP"
    if is_boxed(start):
        return start[8:11] in _BRANDS
    if found == "JPEG XL":
        return start[4:8] == b"JXL "  # two bytes aren't enough to recognise one without its boxes
    return found is not None or _PNM.match(start) is not None


def is_video(name: str, start: bytes) -> bool:
    """Return whether a file with these first bytes is a video by content or name; not if it starts like a picture."""
    return not starts_like_photo(start) and (is_video_name(name) or starts_like_video(start))


def starts_like_video(start: bytes) -> bool:
    """Return whether a file with these first bytes is a video: MP4 and MOV, Matroska and WebM, AVI."""
    return video_extension(start) != ""


def video_extension(start: bytes) -> str:
    """Return the usual extension of videos with these first bytes; empty if unknown."""
    if is_boxed(start):
        return "mov" if start[8:10] == b"qt" else "mp4" if start[8:].startswith(_FILM_BRANDS) else ""
    if start.startswith(b"RIFF"):
        return "avi" if start[8:12] == b"AVI " else ""
    return "" if not start.startswith(_MATROSKA) else "webm" if b"webm" in start else "mkv"
