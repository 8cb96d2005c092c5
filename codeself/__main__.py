"""`python -m codeself` is the codeself command."""

from codeself.cli import main

main()
