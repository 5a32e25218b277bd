"""A small Redis client for the event path: connections, the wire format, one client per process."""
