"""``python -m cimis`` is the command line."""

from cimis.cli.main import main

if __name__ == "__main__":
    main()
