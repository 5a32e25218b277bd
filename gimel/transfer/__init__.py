"""Counters from one store to another: what `gimel export` writes, and how `gimel import` reads it.

Only the standard library and `gimel.runtime` are needed. Nothing here prints, or knows where a
store is.
"""
