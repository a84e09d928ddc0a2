"""``python -m phytoflow.cli``: the same as the `phytoflow` command."""

from phytoflow.cli.main import main

if __name__ == "__main__":
    main()
