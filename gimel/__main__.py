"""`python -m gimel` runs `gimel`."""

from gimel.cli import main

if __name__ == "__main__":
    main()
