"""What every layer uses: files, checks of arguments, compilation, statistics, figures."""
