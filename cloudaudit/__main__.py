"""`python -m cloudaudit` is the command line."""

from cloudaudit.cli import main

main()
