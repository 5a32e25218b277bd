"""Everything that ships to AWS Lambda: the handlers, the key layout and a small Redis client.

Nothing here imports anything but the standard library and this package, and no module does anything on import. Each handler
has a module of its own, so that a cold start loads only what that handler needs.
"""
