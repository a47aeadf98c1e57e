"""Data sets made from studies: packed tables, a Croissant manifest, a datasheet, and the page that a hub shows."""
