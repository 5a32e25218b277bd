"""What listens on this machine: the local gateway with its store, and the dashboard."""
