"""`python -m photosim` is the command line, where the script `photosim` is not on the path."""

from photosim.cli import main

if __name__ == "__main__":
    main()
