"""Deploy's states and steps as values: what exists, what should, what differs, what follows."""
