"""What goes on the user's web page."""
