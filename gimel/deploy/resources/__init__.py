"""One module per AWS resource: what should exist, what exists, the steps between, the removal and
the permissions that all this needs. `gimel.deploy.plan` says in which order they come.
"""
