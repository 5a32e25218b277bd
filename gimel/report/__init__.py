"""Analysed experiments as text, HTML, JSON and CSV.

`wording` and `tables` say each thing once, in words and strings; `terminal` and `html` lay it out;
`export` writes data for programs. Values come in, text goes out: nothing is read or sent.
"""

REFRESH_SECONDS = 10
"""How often `gimel results --watch` and the dashboard fetch the counts again."""
