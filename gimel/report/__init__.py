"""Analysed experiments as text, tables, HTML, JSON and CSV. Nothing here reads or sends anything."""
