"""Everything that ships to Lambda, and nothing else.

Modules here import the standard library and one another, never the rest of Gimel: the zip is a few KB that can be read in one
sitting, and a cold start pays only for what it uses. What runs on the user's own machine lives one level up.
"""
