"""Everything that ships to AWS Lambda: the handlers, the key layout and a small Redis client.

It imports nothing but the standard library and itself, and no module does any work on import. Each
handler has its own module, so that a cold start loads only what that handler needs.
"""
