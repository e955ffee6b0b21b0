"""From the text of a query to a ranked list of hits."""
