"""The dashboard: pages about experiments, made on this machine and shown by a browser. Each module is one step of the way.

`demo` makes experiments up, `plots` works out where a drawing's parts lie, `pages` turns experiments into HTML, `site` answers
a browser's requests with it. Every figure comes from `gimel.results`.
"""
