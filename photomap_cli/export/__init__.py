"""Taking photos elsewhere: copies, links, moves and zip files, with nothing overwritten or left half done."""
