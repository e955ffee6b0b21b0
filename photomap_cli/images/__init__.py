"""From a file to pixels: formats, EXIF, decode processes, thumbnails."""
