"""Run by ``python -m tools.reference``."""

from . import main

main()
