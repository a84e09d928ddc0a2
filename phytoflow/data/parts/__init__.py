"""Photos scanned part by part: each part's table is a file, and together they are the table of all photos."""
