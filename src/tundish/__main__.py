"""``python -m tundish``."""

from tundish.cli import main

main()
