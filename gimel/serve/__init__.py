"""What listens on this machine: the local gateway with its private Redis, and the dashboard."""
