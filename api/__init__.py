"""The HTTP face of Shelfgate: the JSON API and the pages for people."""
