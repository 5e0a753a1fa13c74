"""`python -m pipeline.cli`: the program without its installed script."""

from pipeline.cli import main

main()
